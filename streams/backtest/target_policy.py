"""A further policy to evaluate: a CSV with the probability of each action, perhaps by context."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streams.backtest.columns import name_of
from streams.backtest.fields import LogError
from streams.backtest.log import Floats, Log
from streams.backtest.log_map import TargetPolicy
from streams.demo.mapping import Source
from streams.demo.sources import Rows

# A distribution may miss 1 by so much, for files that were rounded.
_TOLERANCE = 1e-3


def read_target_policy(policy: TargetPolicy, beside: Path, log: Log) -> tuple[Floats, Floats]:
    """Return the policy by context and action, and its mass on actions the log never shows.

    Shapes (contexts, actions) and (contexts,), contexts as in `log.policy_key`. LogError names
    file and line of what cannot be used.
    """
    path = beside.parent / policy.file
    numbers = {key: place for place, key in enumerate(log.policy_key.names)}
    actions = {key.action: place for place, key in enumerate(log.actions)}
    table = np.zeros((len(numbers), len(actions)))
    unsupported = np.zeros(len(numbers))
    wanted = (*policy.by, "action", "probability")
    with Rows(path, Source()) as rows:
        for line, values, problem in rows:
            missing = [name for name in wanted if values.get(name) is None]
            if problem or missing:
                raise LogError(f"{path}:{line}: {problem or f'column {missing[0]} is empty'}")
            place = numbers.get("|".join(name_of(values[name]) for name in policy.by))
            if place is None:
                continue
            probability = _probability(path, line, values["probability"])
            number = actions.get(name_of(values["action"]))
            if number is None:
                unsupported[place] += probability
            else:
                table[place, number] += probability
    for name, place in numbers.items():
        total = float(table[place].sum() + unsupported[place])
        if abs(total - 1.0) > _TOLERANCE:
            context = (
                f" for {', '.join(policy.by)} = {name.replace('|', ', ')}" if policy.by else ""
            )
            raise LogError(f"{path}: probabilities{context} sum to {total:.4g} instead of 1")
    return table, unsupported


def _probability(path: Path, line: int, value: object) -> float:
    try:
        probability = float(str(value))
    except ValueError:
        probability = -1.0
    if not 0.0 <= probability <= 1.0:
        raise LogError(f"{path}:{line} probability: {value!r} does not lie between 0 and 1")
    return probability
