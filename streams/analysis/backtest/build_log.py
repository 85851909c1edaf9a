"""From the columns of a query to a log: rows in time order, actions and customers by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from models.protocol import ActionKey
from streams.analysis.backtest.campaign_log import ISSUE, Flags, Floats, Ints, Log
from streams.analysis.backtest.category_codes import MISSING, Category, coded, name_of
from streams.analysis.backtest.copied_rows import equal_to_an_earlier_one
from streams.analysis.backtest.log_columns import LogError
from streams.analysis.backtest.read_log import Table
from streams.core.money import MINOR_DIGITS

# More are made-up names; each takes two rows of weights.
MAX_ACTIONS = 1_000
TARGET_ACTION = "target"
# Without a time rows are a second apart, in the order of the files.
_STEP_MS = 1_000


def build_log(table: Table, rule: str, name: str) -> Log:
    """Put the rows of a table in time order (rows of one time stay as the files had them).

    `rule` is what the probability of an action is where none is logged.
    """
    size = len(table)
    given = table.meanings
    nothing, empty = np.zeros(size), np.full(size, np.nan)
    time_ms = given.get("time", _STEP_MS * np.arange(size)).astype(np.int64)
    window_ms = np.maximum(given.get("window", nothing), 1.0).astype(np.int64)
    outcome_ms = given.get("outcome_time", empty)
    money, value = given.get("money", empty), given.get("value", empty)
    money = np.where(np.isnan(money), value, money)
    label = _labels(given, time_ms + window_ms)
    actions = coded(table.texts.get("action", np.full(size, TARGET_ACTION, object)), None)
    if len(actions.names) > MAX_ACTIONS:
        raise LogError(f"{name}: more than {MAX_ACTIONS} actions; is `action` the right column?")
    action = actions.codes.astype(np.int64)
    logged = given.get("probability", empty)
    paid = np.nan_to_num(money) if given.keys() & {"money", "value"} else np.ones(size)
    cost = np.nan_to_num(given.get("cost", nothing))
    order = np.argsort(time_ms, kind="stable")
    log = Log(
        time_ms=time_ms[order],
        due_ms=(time_ms + window_ms)[order],
        outcome_ms=np.where(label, np.nan_to_num(outcome_ms, nan=-1.0), -1.0)[order],
        customer=_customers(table)[order],
        has_customers="customer" in table.texts,
        has_time="time" in given,
        actions=_keys(table, actions),
        action=action[order],
        probability=np.where(np.isnan(logged), _assumed(action, len(actions.names), rule), logged)[
            order
        ],
        assumed=np.isnan(logged)[order],
        label=label[order],
        known=given.get("known", nothing + 1.0)[order] != 0.0,
        money=paid[order],
        cost=cost[order],
        reward=(np.where(label, paid, 0.0) - cost)[order],
        numbers={column: values[order] for column, values in table.numbers.items()},
        categories={n: Category(c.codes[order], c.names) for n, c in table.categories.items()},
        policy_key=Category(table.policy_key.codes[order], table.policy_key.names),
        declared=_declared(given, action),
        row=table.row[order],
        copy=np.zeros(size, bool),
        alike=0,
        late=_late(given, time_ms + window_ms),
        currency=_currency(table, name),
        control=_control(table, action, actions.names, name),
    )
    return _without_copies(log)


def _labels(given: Mapping[str, Floats], due_ms: Ints) -> Flags:
    """Return which outcomes came: within their window, where the time of one is known."""
    came_ms = given.get("outcome_time")
    if "outcome" in given:
        label: Flags = given["outcome"] == 1.0
    elif came_ms is not None:
        label = ~np.isnan(came_ms)
    else:
        return np.nan_to_num(given["money"]) > 0.0
    return label if came_ms is None else label & ~(came_ms > due_ms)


def _late(given: Mapping[str, Floats], due_ms: Ints) -> int:
    if "outcome_time" not in given:
        return 0
    said = given["outcome"] == 1.0 if "outcome" in given else ~np.isnan(given["outcome_time"])
    return int((said & (given["outcome_time"] > due_ms)).sum())


def _customers(table: Table) -> Ints:
    """Return customers by number; a row without one is a customer of its own."""
    size = len(table)
    if "customer" not in table.texts:
        return np.arange(size)
    codes = coded(table.texts["customer"], None).codes.astype(np.int64)
    return np.where(codes == MISSING, size + np.arange(size), codes)


def _keys(table: Table, actions: Category) -> tuple[ActionKey, ...]:
    """Return the actions with the family that the first row of each names."""
    families: dict[int, str] = {}
    if "family" in table.texts:
        for code, family in zip(actions.codes.tolist(), table.texts["family"], strict=True):
            if family is not None:
                families.setdefault(code, name_of(family))
    return tuple(ActionKey(n, families.get(code), ISSUE) for code, n in enumerate(actions.names))


def _declared(given: Mapping[str, Floats], action: Ints) -> dict[int, float]:
    """Return what a catalogue would declare of each action: its first row's value."""
    if "value" not in given:
        return {}
    held = np.flatnonzero(~np.isnan(given["value"]))
    numbers, first = np.unique(action[held], return_index=True)
    return dict(zip(numbers.tolist(), given["value"][held][first].tolist(), strict=True))


def _currency(table: Table, name: str) -> str | None:
    held = table.texts.get("currency", np.full(len(table), None, object))
    named = np.array([value is not None and str(value).strip() != "" for value in held], bool)
    found = {str(value) for value in held[named]}
    if len(found) > 1:
        raise LogError(
            f"{name}: amounts of {' and '.join(sorted(found)[:5])} are never added; convert them, "
            "or select those of one currency"
        )
    nameless = ~named & _has_amount(table)
    if found and nameless.any():
        only = next(iter(found))
        first = table.row[np.flatnonzero(nameless)[0]]
        raise LogError(
            f"{name}: {int(nameless.sum()):,} rows have an amount and no currency (the first: row "
            f"{first:,}), others have {only}; these are never added. If they are {only} too, write "
            f"`coalesce(nullif(currency, ''), '{only}') AS currency`"
        )
    for code in found:
        if code not in MINOR_DIGITS:
            near = get_close_matches(code.upper(), MINOR_DIGITS, 1)
            raise LogError(
                f"{name}: {code!r} is no currency of ISO 4217"
                + (f"; did you mean {near[0]}?" if near else "")
            )
    return next(iter(found), None)


def _has_amount(table: Table) -> Flags:
    """Return which rows have an amount of money other than 0."""
    found = np.zeros(len(table), bool)
    for column in ("money", "value", "cost"):
        if column in table.meanings:
            found |= np.nan_to_num(table.meanings[column]) != 0.0
    return found


def _control(table: Table, action: Ints, names: Sequence[str], name: str) -> int | None:
    """Return the number of the action that means that nothing was done."""
    if "control" not in table.meanings:
        return None
    control = table.meanings["control"] == 1.0
    controls = np.unique(action[control])
    if len(controls) != 1:
        what = "no row" if not len(controls) else f"rows of {len(controls)} actions"
        raise LogError(
            f"{name}: control is true in {what}; it must be true in the rows of one action: "
            f"{', '.join(sorted(names)[:10])}"
        )
    # By the texts as they are written: of an action that is 11 here and 11.0 there, one will do.
    written = table.texts["action"]
    both = set(written[control].tolist()) & set(written[~control].tolist())
    if both:
        raise LogError(
            f"{name}: control is true in some rows of {both.pop()} only; give rows in which "
            "nothing was done a name of their own in `action`"
        )
    return int(controls[0])


def _without_copies(log: Log) -> Log:
    """Mark the rows that are copies; only count them without both a customer and a time."""
    columns = [log.action, log.label, log.reward, log.money, *log.numbers.values()]
    columns += [held.codes for held in log.categories.values()]
    if log.has_time:
        columns += [log.time_ms, log.outcome_ms]
    if log.has_customers:
        columns.append(log.customer)
    later = equal_to_an_earlier_one(columns, len(log))
    if log.has_customers and log.has_time:
        return replace(log, copy=later)
    return replace(log, alike=int(later.sum()))


def _assumed(action: Ints, count: int, rule: str) -> Floats:
    """Return the probability of each row's action by the rule for what is not logged."""
    if rule == "uniform":
        return np.full(len(action), 1.0 / count)
    shares = np.bincount(action, minlength=count) / len(action)
    found: Floats = shares[action]
    return found
