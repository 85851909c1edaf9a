"""A further policy to evaluate: a file with the probability of each action, perhaps by context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streams.analysis.backtest.campaign_log import Floats, Log
from streams.analysis.backtest.category_codes import name_of
from streams.analysis.backtest.log_columns import LogError
from streams.analysis.backtest.read_log import policy_keys
from streams.files.sql_names import quoted
from streams.files.tables import Tables, open_tables

# A distribution may miss 1 by so much, for files that were rounded.
_TOLERANCE = 1e-3
ACTION, PROBABILITY = "action", "probability"


@dataclass(frozen=True)
class TargetPolicy:
    """A policy's file: the columns `by` which it differs, and context, action, probability."""

    path: Path
    by: tuple[str, ...]
    rows: tuple[tuple[str, str, float], ...]


def read_target_policy(path: Path) -> TargetPolicy:
    """Return the policy in a file with the columns action, probability and those `by` which it
    differs; LogError names file and line of what cannot be used.
    """
    with open_tables([path]) as tables:
        described = tables.connection.execute("DESCRIBE data").fetchall()
        names = [str(name) for name, *_ in described if name != "row"]
        for wanted in (ACTION, PROBABILITY):
            if wanted not in names:
                raise LogError(f"{path}: no column {wanted}; it has {', '.join(names)}")
        for row, reason, _ in tables.rejected():
            raise LogError(f"{path}:{row}: {reason}")
        by = tuple(name for name in names if name not in (ACTION, PROBABILITY))
        chosen = ", ".join(quoted(name) for name in ("row", ACTION, PROBABILITY, *by))
        held = tables.connection.execute(f"SELECT {chosen} FROM data ORDER BY row").fetchall()
        return TargetPolicy(path, by, tuple(_row(tables, by, values) for values in held))


def policy_table(policy: TargetPolicy, log: Log) -> tuple[Floats, Floats]:
    """Return the policy by context and action, and its mass on actions the log never shows.

    Shapes (contexts, actions) and (contexts,), contexts as in `log.policy_key`. Contexts that the
    log does not hold are passed over.
    """
    numbers = {key: place for place, key in enumerate(log.policy_key.names)}
    actions = {key.action: place for place, key in enumerate(log.actions)}
    table = np.zeros((len(numbers), len(actions)))
    unsupported = np.zeros(len(numbers))
    for context, action, probability in policy.rows:
        place = numbers.get(context)
        if place is None:
            continue
        number = actions.get(action)
        if number is None:
            unsupported[place] += probability
        else:
            table[place, number] += probability
    for name, place in numbers.items():
        total = float(table[place].sum() + unsupported[place])
        if abs(total - 1.0) > _TOLERANCE:
            by = ", ".join(policy.by)
            context = f" for {by} = {name.replace('|', ', ')}" if policy.by else ""
            raise LogError(f"{policy.path}: probabilities{context} sum to {total:.4g}, not to 1")
    return table, unsupported


def _row(tables: Tables, by: Sequence[str], values: Sequence[object]) -> tuple[str, str, float]:
    row, action, probability, *context = values
    where = tables.place(int(str(row)))
    for name, value in zip((ACTION, PROBABILITY, *by), values[1:], strict=True):
        if value is None:
            raise LogError(f"{where}: column {name} is empty")
    try:
        share = float(str(probability))
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise LogError(f"{where} probability: {probability!r} does not lie between 0 and 1")
    return policy_keys([[value] for value in context], 1)[0], name_of(action), share
