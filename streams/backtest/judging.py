"""Judge what was replayed: how well the model predicted, and what each policy is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.evaluation import confidence
from models.evaluation.estimators import (
    MIN_EFFECTIVE_SAMPLES,
    MIN_VARYING_REWARDS,
    Estimate,
    Evaluation,
    dr,
    ips,
    snips,
)
from models.quality import Quality
from streams.backtest.log import Flags, Floats, Log
from streams.backtest.policies import LOGGED, OURS, Course, Courses

METHODS = ("replay", "ips", "snips", "dr")
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Progressive:
    """How well labels were predicted before they were known; None where both kinds are missing."""

    rows: int
    positives: int
    auc: float | None
    log_loss: float | None
    ece: float | None
    quality: Quality


@dataclass(frozen=True)
class Beaten:
    """When ours was first surely above the logged policy: judged rows, labels known by then."""

    rows: int
    lessons: int


def auc(scores: Floats, labels: Flags) -> float | None:
    """Return the area under the ROC curve, exactly; ties count half. None without both labels.

    >>> auc(np.array([0.1, 0.4, 0.4]), np.array([False, True, False]))
    0.75
    """
    positives = int(labels.sum())
    if not 0 < positives < len(labels):
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2.0
    above = float(ranks[place][labels].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * (len(labels) - positives))


def calibration_error(scores: Floats, labels: Flags) -> float | None:
    """Return the expected calibration error, in [0, 1]; None without rows.

    The interval from 0 to 1 is parted into fifteen bins of equal width: the mean over rows of
    |predicted - observed| of the row's bin (Guo, Pleiss, Sun, Weinberger: On calibration of modern
    neural networks, ICML 2017, equation 3 with M = 15; the default of torchmetrics, too). Where
    outcomes are rare nearly all rows share the first bin, and it says little more than whether
    their mean is right; a worker, which tells one in a thousand from one in a hundred, counts in
    bins of the log-odds instead (`models.quality`).

    >>> calibration_error(np.full(20, 0.5), np.arange(20) % 2 == 0)
    0.0
    """
    if not len(scores):
        return None
    bins = np.minimum((scores * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)
    away = np.bincount(bins, scores - labels, CALIBRATION_BINS)
    return float(np.abs(away).sum()) / len(scores)


def judge_predictions(log: Log, propensity: Floats) -> Progressive:
    """Judge the propensities of the logged actions, in the rows that are judged."""
    judged = log.judged
    scores, labels = propensity[judged], log.label[judged]
    quality = Quality()
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        quality.update(score, label)
    return Progressive(
        rows=len(labels),
        positives=int(labels.sum()),
        auc=auc(scores, labels),
        log_loss=quality.log_loss(),
        ece=calibration_error(scores, labels),
        quality=quality,
    )


def judge_policies(log: Log, courses: Courses) -> dict[str, dict[str, Estimate]]:
    """Estimate every policy by every method, in the rows that are judged."""
    judged = log.judged
    how = _how(log, judged, None)
    rewards = log.reward[judged]
    ones = np.ones(len(rewards))
    logged = ips(rewards, ones, ones, how)
    found = {LOGGED: dict.fromkeys(METHODS, logged)}
    for name, course in courses.by_policy.items():
        found[name] = _estimates(log, judged, course, courses.rewards)
    return found


def _estimates(log: Log, judged: Flags, course: Course, predicted: Floats) -> dict[str, Estimate]:
    how = _how(log, judged, course.unsupported)
    rewards, logged = log.reward[judged], log.probability[judged]
    target, expected = course.target[judged], course.expected[judged]
    return {
        "replay": _replay(log, judged & course.matched),
        "ips": ips(rewards, logged, target, how),
        "snips": snips(rewards, logged, target, how),
        "dr": dr(rewards, logged, target, predicted[judged], expected, how),
    }


def _how(log: Log, judged: Flags, unsupported: Floats | None) -> Evaluation:
    return Evaluation(
        clusters=log.customer[judged] if log.has_customers else None,
        unsupported=None if unsupported is None else unsupported[judged],
    )


def _replay(log: Log, rows: Flags) -> Estimate:
    """Return the mean reward of the rows where the policy chose what the log shows."""
    rewards = log.reward[rows]
    ones = np.ones(len(rewards))
    found = ips(rewards, ones, ones, _how(log, rows, None))
    if len(rewards) >= MIN_EFFECTIVE_SAMPLES:
        return found
    what = f"the policy chose what the log shows in {len(rewards)} rows, below "
    return replace(found, reason=f"{what}{MIN_EFFECTIVE_SAMPLES:.0f}")


def rows_to_beat_logged(log: Log, courses: Courses) -> Beaten | None:
    """Return when the sequence of ours minus logged first lay above 0; None if it never did.

    The gain of a row is its doubly robust reward less the logged one. The interval is a confidence
    sequence, so looking after every row is allowed.
    """
    judged = log.judged
    if not judged.any():
        return None
    course = courses.by_policy[OURS]
    weights = course.target[judged] / log.probability[judged]
    rewards = log.reward[judged]
    gains = course.expected[judged] + weights * (rewards - courses.rewards[judged]) - rewards
    n = np.arange(1.0, len(gains) + 1.0)
    mean = np.cumsum(gains) / n
    variance = np.maximum(np.cumsum(gains * gains) / n - mean * mean, 0.0)
    low = mean - confidence.factors(n) * np.sqrt(variance / n)
    varying = np.cumsum((weights > 0.0) & (rewards != np.median(rewards)))
    total, squares = np.cumsum(weights), np.cumsum(weights * weights)
    # The same floors as for any estimate: before, a model's guess would pass for a gain.
    enough = (varying >= MIN_VARYING_REWARDS) & (total**2 >= MIN_EFFECTIVE_SAMPLES * squares)
    above = np.flatnonzero((low > 0.0) & enough)
    if not len(above):
        return None
    first = int(above[0])
    return Beaten(first + 1, int(courses.predicted.lessons[judged][first]))
