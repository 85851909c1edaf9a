"""The fields of a log's rows: who, when, which action, how probable, and what came of it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from streams.backtest.columns import Categories, name_of
from streams.backtest.log_map import LogMap
from streams.demo.verbs import VERBS, number_of

# More are made-up names; each takes two rows of weights.
MAX_ACTIONS = 1_000
TARGET_ACTION = "target"
# Without a time, rows stand a second apart in the order of the file.
_STEP_MS = 1_000
_UTC = ZoneInfo("UTC")


class LogError(ValueError):
    """A log that cannot be replayed: file, line, what is wrong and what to do."""


class FieldError(ValueError):
    """A value that a row cannot do without, and why it cannot be used."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


class Values(NamedTuple):
    """The fields of one row; None where the log is silent."""

    customer: str | None
    time_ms: int
    action: str
    family: str | None
    probability: float
    label: bool
    outcome_ms: int | None
    money: float | None
    value: float | None
    cost: float
    window_ms: int | None
    policy_key: str | None


class Fields:
    """The fields of all rows, by column."""

    def __init__(self, log_map: LogMap, supervised: bool) -> None:
        self._map, self._supervised = log_map, supervised
        self._fields = log_map.fields
        self.customers = Categories(limit=None)
        self.actions = Categories(limit=None)
        self.policy_keys = Categories(limit=None)
        self.families: dict[str, str | None] = {}
        # What a catalogue would declare of an action: its first row tells.
        self.values: dict[str, float] = {}
        self.time_ms, self.outcome_ms, self.window_ms = array("q"), array("q"), array("q")
        self.probability, self.money, self.cost = array("d"), array("d"), array("d")
        self.label = array("b")

    def __len__(self) -> int:
        return len(self.time_ms)

    def read(self, row: Mapping[str, Any]) -> Values:
        """Return a row's fields; FieldError says which one cannot be used."""
        time_ms = self._time("time", row, len(self.time_ms) * _STEP_MS)
        outcome_ms = self._optional_time("outcome_time", row)
        money = self._optional_number("money", row)
        target = self._map.target_policy
        return Values(
            customer=_text(self._value("customer", row)),
            time_ms=time_ms,
            action=self._action(row),
            family=_text(self._value("family", row)),
            probability=self._probability(row),
            label=self._label(row, outcome_ms, money),
            outcome_ms=outcome_ms,
            money=money,
            value=self._optional_number("value", row),
            cost=self._optional_number("cost", row) or 0.0,
            window_ms=self._window(row),
            policy_key="|".join(name_of(row.get(c)) for c in target.by) if target else None,
        )

    def add(self, values: Values) -> None:
        """Append a row."""
        # A row of nobody is a customer of its own: it has no history.
        self.customers.add(values.customer or f"\x00{len(self.time_ms)}")
        self.actions.add(values.action)
        if len(self.actions.names) > MAX_ACTIONS:
            what = f"more than {MAX_ACTIONS} actions; is fields.action the right column?"
            raise LogError(f"{self._map.name} fields.action: {what}")
        self.families.setdefault(values.action, values.family)
        worth = values.value if values.money is None else values.money
        if values.value is not None:
            self.values.setdefault(values.action, values.value)
        self.policy_keys.add(values.policy_key)
        self.time_ms.append(values.time_ms)
        self.outcome_ms.append(-1 if values.outcome_ms is None else values.outcome_ms)
        self.window_ms.append(-1 if values.window_ms is None else values.window_ms)
        self.probability.append(values.probability)
        self.money.append(worth or 0.0)
        self.cost.append(values.cost)
        self.label.append(values.label)

    def delay(self, place: int, time_ms: int) -> None:
        """Say that the row at `place` was complete only at `time_ms`."""
        self.time_ms[place] = max(self.time_ms[place], time_ms)

    def _value(self, name: str, row: Mapping[str, Any]) -> Any:
        if name not in self._fields:
            return None
        try:
            return self._fields[name](row)
        except (ValueError, OverflowError) as error:
            raise FieldError(name, str(error)) from error

    def _optional_number(self, name: str, row: Mapping[str, Any]) -> float | None:
        value = self._value(name, row)
        if value is None:
            return None
        try:
            return float(number_of(value))
        except ValueError as error:
            raise FieldError(name, str(error)) from error

    def _time(self, name: str, row: Mapping[str, Any], otherwise: int) -> int:
        if name not in self._fields:
            return otherwise
        found = self._optional_time(name, row)
        if found is None:
            raise FieldError(name, "is empty; every row needs its time")
        return found

    def _optional_time(self, name: str, row: Mapping[str, Any]) -> int | None:
        value = self._value(name, row)
        if value is None:
            return None
        try:
            found = number_of(value)
        except ValueError:
            found = None
        if found is None or not 0 <= found < 1 << 62:
            raise FieldError(name, f"{value!r} is no time; give the field a step such as time: iso")
        return int(found)

    def _window(self, row: Mapping[str, Any]) -> int | None:
        if "window" not in self._fields:
            return self._map.window_ms
        return self._optional_time("window", row)

    def _action(self, row: Mapping[str, Any]) -> str:
        if self._supervised:
            return TARGET_ACTION
        action = _text(self._value("action", row))
        if action is None:
            raise FieldError("action", "is empty; name what was done, or the control's name")
        return action

    def _probability(self, row: Mapping[str, Any]) -> float:
        found = self._optional_number("probability", row)
        if found is None:
            return float("nan")
        if not 0.0 < found <= 1.0:
            raise FieldError("probability", f"{found:g} is not above 0 and at most 1")
        return found

    def _label(self, row: Mapping[str, Any], outcome_ms: int | None, money: float | None) -> bool:
        if "outcome" not in self._fields:
            return (
                outcome_ms is not None if "outcome_time" in self._fields else (money or 0.0) > 0.0
            )
        value = self._value("outcome", row)
        if value is None:
            return False
        try:
            if number_of(value) in (0, 1):
                return number_of(value) == 1
        except ValueError:
            pass
        try:
            return bool(VERBS["boolean"].apply(value, None, row, _UTC))
        except ValueError as error:
            raise FieldError("outcome", f"{error}; map it to 1 or 0 with a step") from error


def _text(value: Any) -> str | None:
    return None if value is None else name_of(value)
