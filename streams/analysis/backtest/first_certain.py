"""When ours was first certain to be better than what was done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.evaluation import confidence_sequences as confidence
from models.evaluation.estimators import MIN_EFFECTIVE_SAMPLES, MIN_VARYING_REWARDS
from streams.analysis.backtest.campaign_log import Floats, Ints, Log
from streams.analysis.backtest.claims import Claims
from streams.analysis.backtest.judge import weights_reason
from streams.analysis.backtest.policies import OURS, PolicyRuns


@dataclass(frozen=True)
class FirstCertain:
    """When ours was first certainly above the logged policy: rows judged, labels known."""

    rows: int
    lessons: int


def rows_to_beat_logged(log: Log, courses: PolicyRuns, claims: Claims) -> FirstCertain | None:
    """Return when the sequence of ours minus logged first lay above 0; None if it never did.

    The gain of a row is its doubly robust reward less the logged one. The interval is a confidence
    sequence over customers, so looking after every row is allowed.
    """
    rows = log.evidence
    if claims.policies or not rows.any():
        return None
    course = courses.by_policy[OURS]
    weights = course.target[rows] / log.probability[rows]
    rewards = log.reward[rows]
    gains = course.expected[rows] + weights * (rewards - courses.rewards[rows]) - rewards
    n = np.arange(1.0, len(gains) + 1.0)
    mean = np.cumsum(gains) / n
    customer = log.customer[rows] if log.has_customers else np.arange(len(gains))
    units, squares = _running_clusters(gains, mean, customer)
    error = np.sqrt(squares * units / np.maximum(units - 1.0, 1.0)) / n
    low = mean - confidence.factors(units) * error
    varying = np.cumsum((weights > 0.0) & (rewards != np.median(rewards)))
    total, squared = np.cumsum(weights), np.cumsum(weights * weights)
    # The same floors as for any estimate: before, a model's guess would pass for a gain.
    enough = (varying >= MIN_VARYING_REWARDS) & (total**2 >= MIN_EFFECTIVE_SAMPLES * squared)
    enough &= np.maximum.accumulate(weights) <= n / MIN_EFFECTIVE_SAMPLES
    above = np.flatnonzero((low > 0.0) & enough)
    if not len(above) or weights_reason(log, rows, course):
        return None
    first = int(above[0])
    return FirstCertain(first + 1, int(courses.predicted.lessons[rows][first]))


def _running_clusters(gains: Floats, mean: Floats, customer: Ints) -> tuple[Floats, Floats]:
    """Return, after every row, how many customers there were, and the sum over customers of
    (their gains - mean x their rows)^2.
    """
    order = np.argsort(customer, kind="stable")
    starts = np.flatnonzero(np.diff(customer[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    # What a customer had gained, and in how many rows, before each of its rows.
    running = np.cumsum(gains[order]) - gains[order]
    gained, rows = np.empty(len(gains)), np.empty(len(gains))
    gained[order] = running - np.repeat(running[starts], sizes)
    rows[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    of_gains = np.cumsum(gains * (2.0 * gained + gains))
    of_both = np.cumsum(gained + (rows + 1.0) * gains)
    of_rows = np.cumsum(2.0 * rows + 1.0)
    squares = of_gains - 2.0 * mean * of_both + mean * mean * of_rows
    return np.cumsum(rows == 0.0).astype(np.float64), np.maximum(squares, 0.0)
