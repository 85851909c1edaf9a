"""The verbs of a mapping's `steps`: small, total, each one thing.

A verb takes the value so far and its argument, and returns the next value; ValueError says what
is wrong with the value. An empty value (None) passes by every verb but `default`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
Apply = Callable[[Any, Any, Row, ZoneInfo], Any]

_TRUE = frozenset({"1", "true", "yes", "y", "t", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "f", "off"})
_EPOCH_UNITS_MS = {"epoch_s": Decimal(1000), "epoch_ms": Decimal(1), "epoch_us": Decimal("0.001")}
TIME_FORMATS = ("iso", *_EPOCH_UNITS_MS)


@dataclass(frozen=True)
class Verb:
    """A verb: how it works, what argument it takes ("" for none) and one line of help."""

    apply: Apply
    argument: str
    help: str


def number_of(value: Any) -> Decimal:
    """Return a value as an exact number; ValueError when it is none, or not finite."""
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is no finite number")
    return number


def _integer(value: Any, *_: Any) -> int:
    number = number_of(value)
    if number != number.to_integral_value():
        raise ValueError(f"{value!r} is no whole number; round it first")
    return int(number)


def _divide(value: Any, column: str, row: Row, _: ZoneInfo) -> Decimal:
    divisor = number_of(row.get(column))
    if divisor == 0:
        raise ValueError(f"column {column} is 0, nothing can be divided by it")
    return number_of(value) / divisor


def _multiply_by(value: Any, column: str, row: Row, _: ZoneInfo) -> Decimal:
    return number_of(value) * number_of(row.get(column))


def _minus(value: Any, column: str, row: Row, _: ZoneInfo) -> Decimal:
    return number_of(value) - number_of(row.get(column))


def _map(value: Any, table: Mapping[str, Any], *_: Any) -> Any:
    try:
        return table[str(value)]
    except KeyError:
        raise ValueError(f"{value!r} is not in the map") from None


def _boolean(value: Any, *_: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{value!r} is neither true nor false")
    return text in _TRUE


def _slug(value: Any, *_: Any) -> str | None:
    return re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_") or None


def _time(value: Any, form: str, _: Row, zone: ZoneInfo) -> int:
    if form in _EPOCH_UNITS_MS:
        return int(number_of(value) * _EPOCH_UNITS_MS[form])
    try:
        at = _instant(value, form)
    except ValueError:
        raise ValueError(f"{value!r} is no time of the form {form}") from None
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def _instant(value: Any, form: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    text = str(value).strip()
    return datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)


def _rounded(value: Any, *_: Any) -> int:
    return int(number_of(value).to_integral_value(ROUND_HALF_EVEN))


VERBS: dict[str, Verb] = {
    "text": Verb(lambda value, *_: str(value), "", "as text"),
    "strip": Verb(lambda value, *_: str(value).strip() or None, "", "without spaces around it"),
    "lower": Verb(lambda value, *_: str(value).lower(), "", "in small letters"),
    "upper": Verb(lambda value, *_: str(value).upper(), "", "in capital letters"),
    "slug": Verb(_slug, "", "as an id: `Drug GM` becomes drug_gm"),
    "number": Verb(lambda value, *_: float(number_of(value)), "", "as a number"),
    "integer": Verb(_integer, "", "as a whole number; `12346.0` is one"),
    "round": Verb(_rounded, "", "to the nearest whole number, halves to even"),
    "absolute": Verb(lambda value, *_: abs(number_of(value)), "", "without its sign"),
    "multiply": Verb(
        lambda value, factor, *_: number_of(value) * number_of(factor),
        "number",
        "times a number, as in `multiply: 100` for pounds to pence",
    ),
    "divide_by": Verb(_divide, "column", "divided by a column"),
    "multiply_by": Verb(_multiply_by, "column", "times a column"),
    "minus": Verb(_minus, "column", "less a column"),
    "map": Verb(_map, "table", "looked up in a table; what is not in it is refused"),
    "boolean": Verb(_boolean, "", "as true or false, from yes/no, 1/0, true/false"),
    "time": Verb(_time, "time", "as epoch milliseconds: iso, epoch_s, epoch_ms or a strptime form"),
    "empty_if": Verb(
        lambda value, code, *_: None if str(value) == str(code) else value,
        "any",
        "empty where it is this, as in `empty_if: 999` where 999 means unknown",
    ),
    "default": Verb(lambda value, other, *_: other, "any", "this where the value is empty"),
}


def apply_verb(name: str, value: Any, argument: Any, row: Row, zone: ZoneInfo) -> Any:
    """Return what a verb makes of a value; ValueError when the value does not suit it."""
    if (value is None) != (name == "default"):
        return value
    return VERBS[name].apply(value, argument, row, zone)
