"""The columns of a query over a log: which say what, and which are features.

The columns below have a meaning of their own; every other one is a feature, a number or a category
by its SQL type. A column of a wrong type, or a name that is nearly one of these, is an error that
says what to write: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

_NUMBER = r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)"
_WHOLE = r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)"
_TEXT = r"(VARCHAR|UUID|ENUM.*)"
_TIME = r"(TIMESTAMP.*|DATE)"
_IN_TIME = (
    "is a time such as `sent_at::TIMESTAMP`, `instant(sent_at, 'Europe/London')`, or "
    "`to_timestamp(sent_at::DOUBLE)` for seconds since 1970"
)
_AMOUNT = "is a number of major units such as `amount::DOUBLE`"
# Name: the SQL types that it may have, and what to write instead.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "row": (rf"{_WHOLE}(\[\])?", "is the number of the row: `row`, or `list(row)` of a group"),
    "customer": (f"{_TEXT}|{_WHOLE}", "is text or a whole number such as `id::VARCHAR`"),
    "time": (_TIME, _IN_TIME),
    "action": (f"{_TEXT}|{_NUMBER}|BOOLEAN", "is a name such as `offer::VARCHAR`"),
    "family": (f"{_TEXT}|{_NUMBER}|BOOLEAN", "is a name such as `kind::VARCHAR`"),
    "probability": (_NUMBER, "is a number above 0 and at most 1 such as `p::DOUBLE`"),
    "outcome": (f"BOOLEAN|{_NUMBER}", "is true or false such as `bought = 'yes'`"),
    "outcome_time": (_TIME, _IN_TIME),
    "window": ("INTERVAL", "is how long an outcome is waited for, such as `INTERVAL 7 DAYS`"),
    "known": ("BOOLEAN", "is false where the log ends before the outcome could be known"),
    "money": (_NUMBER, _AMOUNT),
    "value": (_NUMBER, _AMOUNT),
    "cost": (_NUMBER, _AMOUNT),
    "currency": (_TEXT, "is a code of ISO 4217 such as `'EUR'`"),
    "control": ("BOOLEAN", "is true in rows where nothing was done, such as `action = 'none'`"),
}
OF_ACTIONS = ("action", "family", "probability", "money", "value", "cost", "currency", "control")
_OUTCOMES = ("outcome", "outcome_time", "money")
# A name this near to one of the above is a slip: otherwise it would silently be a feature.
NEAR = 0.85


class LogError(ValueError):
    """A log that cannot be replayed: file, line, what is wrong and what to do."""


@dataclass(frozen=True)
class LogColumns:
    """Columns with a meaning that a query has, and the features by kind, each in its order."""

    meanings: frozenset[str]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]


def log_columns(types: Mapping[str, str], name: str, supervised: bool) -> LogColumns:
    """Return the columns of a query by their types; LogError with `name` of the SQL file."""
    features = {column: kind for column, kind in types.items() if column not in MEANINGS}
    for column, kind in types.items():
        if column in MEANINGS and not re.fullmatch(MEANINGS[column][0], kind):
            raise LogError(f"{name}: column {column} is {kind}; it {MEANINGS[column][1]}")
    for column in features:
        meant = get_close_matches(column.lower(), MEANINGS, 1, NEAR)
        if meant and meant[0] not in types:
            raise LogError(
                f"{name}: column {column} would be a feature; did you mean {meant[0]}? If it is "
                "a feature, give it another name"
            )
    held = frozenset(types) & MEANINGS.keys()
    if supervised:
        # Without another column that says it, money says whether an outcome came.
        said = held & {"outcome", "outcome_time"}
        held -= frozenset(OF_ACTIONS) - (frozenset() if said else {"money"})
    _check_together(held, name, types, supervised)
    return LogColumns(held, *_features(features, name))


def _check_together(
    held: frozenset[str], name: str, types: Mapping[str, str], supervised: bool
) -> None:
    have = f"the query has {', '.join(types)}"
    if not supervised and "action" not in held:
        raise LogError(
            f"{name}: no column action; name what was done `AS action`, or give --target for a log "
            f"with one outcome and no actions; {have}"
        )
    if not held & frozenset(_OUTCOMES):
        raise LogError(
            f"{name}: no column says what came of a row; name it `AS outcome` (or outcome_time, "
            f"money); {have}"
        )
    if "outcome_time" in held and "window" not in held:
        raise LogError(
            f"{name}: outcome_time needs a column window, e.g. `INTERVAL 7 DAYS AS window`: no "
            "label may be learned before it is known that nothing comes any more"
        )
    for column in ("outcome_time", "window", "known"):
        if column in held and "time" not in held:
            raise LogError(f"{name}: {column} needs a column time; {have}")


def _features(types: Mapping[str, str], name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    numbers, categories = [], []
    for column, kind in types.items():
        if re.fullmatch(_NUMBER, kind):
            numbers.append(column)
        elif re.fullmatch(f"{_TEXT}|BOOLEAN", kind):
            categories.append(column)
        else:
            raise LogError(
                f"{name}: column {column} is {kind}, which is no feature; make it a number (of a "
                "time: the days up to `time`), a text, or leave it out with "
                f"`* EXCLUDE ({column})`"
            )
    return tuple(numbers), tuple(categories)
