"""Estimate what each policy would have earned, as far as the log can carry it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from models.evaluation.estimators import (
    MIN_EFFECTIVE_SAMPLES,
    Estimate,
    Evaluation,
    dr,
    effective_samples,
    ips,
    snips,
)
from streams.analysis.backtest.campaign_log import Flags, Floats, Log
from streams.analysis.backtest.claims import MAX_AWAY, MISFIT_Z, Claims
from streams.analysis.backtest.policies import LOGGED, PolicyRun, PolicyRuns

METHODS = ("replay", "ips", "snips", "dr")
# A spread over fewer customers is not known well enough.
MIN_CUSTOMERS = 30


def judge_policies(log: Log, courses: PolicyRuns, claims: Claims) -> dict[str, dict[str, Estimate]]:
    """Estimate every policy by every method, in the rows that are evidence.

    The value of the logged policy is the mean of its rewards and needs no probability; all others
    do. An estimate and its interval stay within the rewards of the log: a mean cannot be outside.
    """
    rows = log.evidence
    how = _how(log, rows, None)
    rewards = log.reward[rows]
    ones = np.ones(len(rewards))
    logged = _within(ips(rewards, ones, ones, how), rewards)
    found = {LOGGED: dict.fromkeys(METHODS, logged)}
    for name, course in courses.by_policy.items():
        estimates = _estimates(log, rows, course, courses.rewards)
        reason = claims.policies or weights_reason(log, rows, course)
        found[name] = {
            method: _not_evaluable(estimate, reason) if reason else _within(estimate, rewards)
            for method, estimate in estimates.items()
        }
    return found


def _estimates(log: Log, rows: Flags, course: PolicyRun, predicted: Floats) -> dict[str, Estimate]:
    how = _how(log, rows, course.unsupported)
    rewards, logged = log.reward[rows], log.probability[rows]
    target, expected = course.target[rows], course.expected[rows]
    return {
        "replay": _replay(log, rows & course.matched),
        "ips": ips(rewards, logged, target, how),
        "snips": snips(rewards, logged, target, how),
        "dr": dr(rewards, logged, target, predicted[rows], expected, how),
    }


def weights_reason(log: Log, rows: Flags, course: PolicyRun) -> str:
    """Return why the rows carry no estimate of a policy: customers too few, or their weights.

    A weight is the policy's probability of the logged action divided by the logged probability.
    No row may weigh more than a fiftieth of the log: below fifty rows no estimate is given either.
    And weights are 1 on average, wherever the logged probabilities are right and the log could
    have taken every action that the policy takes.
    """
    places = np.flatnonzero(rows)
    if log.has_customers:
        customers = len(np.unique(log.customer[places]))
        if customers < min(MIN_CUSTOMERS, len(places)):
            return f"the log has {customers} customers, {MIN_CUSTOMERS} are needed"
    weights = course.target[rows] / log.probability[rows]
    n, effective = len(weights), effective_samples(weights)
    heavy = np.flatnonzero(weights > n / MIN_EFFECTIVE_SAMPLES)
    if len(heavy) and n >= MIN_EFFECTIVE_SAMPLES:
        first = places[heavy[0]]
        return (
            f"{len(heavy):,} rows have so small a logged probability that each weighs more than "
            f"1/{MIN_EFFECTIVE_SAMPLES:.0f} of the log (the first: row {log.row[first]:,}, "
            f"probability {log.probability[first]:.3g}); the log equals {effective:,.0f} decisions "
            "of this policy"
        )
    if effective < MIN_EFFECTIVE_SAMPLES:
        # The estimators say what is wrong there.
        return ""
    expected = 1.0 if course.unsupported is None else 1.0 - float(course.unsupported[rows].mean())
    away = weights - expected
    sums = np.bincount(log.customer[rows], away) if log.has_customers else away
    error = float(np.sqrt(sums @ sums)) / n
    mean = float(weights.mean())
    if abs(mean - expected) <= max(MAX_AWAY, MISFIT_Z * error):
        return ""
    return (
        f"by the logged probabilities its choices make up {mean:.0%} of the log where "
        f"{expected:.0%} is expected: the probabilities are wrong, or the log could not take some "
        "of its choices"
    )


def _not_evaluable(estimate: Estimate, reason: str) -> Estimate:
    nothing = math.nan
    return replace(
        estimate, value=nothing, low=nothing, high=nothing, evaluable=False, reason=reason
    )


def _within(estimate: Estimate, rewards: Floats) -> Estimate:
    if not estimate.evaluable:
        return estimate
    least, most = float(rewards.min()), float(rewards.max())
    value, low, high = (
        min(max(end, least), most) for end in (estimate.value, estimate.low, estimate.high)
    )
    return replace(estimate, value=value, low=low, high=high)


def _how(log: Log, rows: Flags, unsupported: Floats | None) -> Evaluation:
    return Evaluation(
        clusters=log.customer[rows] if log.has_customers else None,
        unsupported=None if unsupported is None else unsupported[rows],
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
