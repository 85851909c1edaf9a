"""Uplift: how much more the treated do than the control group, with its interval.

    uplift = (CR_with - CR_without) / CR_without

A ratio of two noisy rates has no mean of its own for an interval. Fieller (1954) asks instead, for
each candidate u, whether `CR_with - (1 + u) CR_without` can be 0: a plain difference with a known
error. With the factor of a confidence sequence in place of a normal quantile, the u that are not
refuted form a confidence sequence for the uplift, without a union bound. If the rate without cannot
be distinguished from 0, the interval is open above.

The clock of the sequence is the number of conversions in the arm that has fewer (of money: the
effective number, (sum v)^2 / sum v^2, since a few large orders say little), which is what such a
comparison learns from; below `MIN_CONVERSIONS` nothing is claimed. Each end is that of the arms
with one more conversion of the largest size where it hurts: what has not come yet has no spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.evaluation.confidence_sequences import ALPHA, Interval, factors
from models.evaluation.ledger import BUCKETS, HOLDOUT, TREATED, ArmSums, Ledger, Scope

Floats = NDArray[np.float64]

# Fewer are no normal limit: with 20, heavy-tailed orders raised .057 false alarms at level .05.
MIN_CONVERSIONS = 30
# A spread of fewer groups is not known well enough.
MIN_BUCKETS = 30
TUNED_FOR_CONVERSIONS = 100.0
_NOTHING = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Rate:
    """An arm's mean per decision; `variance` is that of the mean, over customers.

    `effective` is the number of equal conversions that would tell as much, `unseen` what one more
    of the largest size would add to the mean.
    """

    decisions: int
    conversions: int
    mean: float
    variance: float
    buckets: int
    effective: float
    unseen: float


@dataclass(frozen=True, slots=True)
class Uplift:
    """Two arms compared for one scope; nan and a `reason` where nothing can be claimed yet.

    `relative` is the uplift (0.1 is 10 % more), `difference` the gap of the rates themselves.
    """

    kind: str
    name: str
    treated: Rate
    without: Rate
    relative: Interval
    difference: Interval
    evaluable: bool
    reason: str


def conversion_rate(sums: ArmSums) -> Rate:
    """Return conversions per decision.

    The variance is that of random groups, and never below the binomial one: 128 groups may by
    chance be closer together than independent decisions would be.
    """
    total, converted = float(sums.decisions.sum()), float(sums.conversions.sum())
    mean = converted / total if total else math.nan
    return _rate(sums, sums.conversions, mean * (1.0 - mean), converted, 1.0)


def value_rate(sums: ArmSums) -> Rate:
    """Return value per decision, likewise."""
    total, value = float(sums.decisions.sum()), float(sums.value.sum())
    squares = float(sums.value_squares.sum())
    mean = value / total if total else math.nan
    spread = squares / total - mean**2 if total else math.nan
    effective = value**2 / squares if squares > 0 else 0.0
    return _rate(sums, sums.value, spread, effective, float(sums.largest_value.max()))


def _rate(sums: ArmSums, amounts: Floats, spread: float, effective: float, largest: float) -> Rate:
    total, converted = float(sums.decisions.sum()), int(sums.conversions.sum())
    used = int(np.count_nonzero(sums.decisions))
    if not total:
        return Rate(0, 0, math.nan, math.nan, 0, 0.0, math.nan)
    mean = float(amounts.sum()) / total
    residuals = amounts - mean * sums.decisions
    grouped = float(residuals @ residuals) * BUCKETS / (BUCKETS - 1) / total**2
    variance = max(grouped, spread / total)
    return Rate(
        int(total), converted, mean, variance, used, min(effective, converted), largest / total
    )


def ratio_bounds(
    treated: Floats, treated_variance: Floats, without: Floats, without_variance: Floats, k: Floats
) -> tuple[Floats, Floats]:
    """Return the ends of (treated - without) / without at `k` standard errors, each as the input.

    Means and variances of means, elementwise; -1 <= low <= high <= inf. (Fieller: Some problems
    in interval estimation, 1954.)
    """
    squared = k * k
    a = without**2 - squared * without_variance
    b = treated * without
    c = treated**2 - squared * treated_variance
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # The smaller root in the form that does not cancel; it also serves where a <= 0 < c.
        low = np.where(c > 0, c / (b + root), 0.0)
        high = np.where(a > 0, (b + root) / a, np.inf)
    return np.maximum(low, 0.0) - 1.0, high - 1.0


def compare(treated: Rate, without: Rate, kind: str, name: str, alpha: float = ALPHA) -> Uplift:
    """Compare two arms of one scope."""
    reason = _why_not(treated, without)
    if reason:
        return Uplift(kind, name, treated, without, _NOTHING, _NOTHING, False, reason)
    k = factors(np.array(min(treated.effective, without.effective)), alpha, TUNED_FOR_CONVERSIONS)
    low, _ = _bounds(treated, _with_one_more(without), k)
    _, high = _bounds(_with_one_more(treated), without, k)
    gap = treated.mean - without.mean
    below = float(k) * math.sqrt(treated.variance + _with_one_more(without).variance)
    above = float(k) * math.sqrt(_with_one_more(treated).variance + without.variance)
    relative = Interval(gap / without.mean, low, high)
    difference = Interval(gap, gap - without.unseen - below, gap + treated.unseen + above)
    return Uplift(kind, name, treated, without, relative, difference, True, "")


def _with_one_more(rate: Rate) -> Rate:
    return replace(rate, mean=rate.mean + rate.unseen, variance=rate.variance + rate.unseen**2)


def _bounds(treated: Rate, without: Rate, k: Floats) -> tuple[float, float]:
    means_and_variances = (treated.mean, treated.variance, without.mean, without.variance)
    mean_t, variance_t, mean_w, variance_w = (np.array(x) for x in means_and_variances)
    low, high = ratio_bounds(mean_t, variance_t, mean_w, variance_w, k)
    return float(low), float(high)


def _why_not(treated: Rate, without: Rate) -> str:
    for rate, arm in ((treated, "with"), (without, "without")):
        if rate.effective < MIN_CONVERSIONS:
            return (
                f"{rate.effective:.0f} conversions {arm} personalization, "
                f"{MIN_CONVERSIONS} are needed"
            )
        if rate.buckets < MIN_BUCKETS:
            return f"too few customers {arm} personalization"
    return ""


def uplift_of(
    ledger: Ledger,
    scope: Scope,
    arm: str = TREATED,
    without: str = HOLDOUT,
    rate_of: Callable[[ArmSums], Rate] = conversion_rate,
    alpha: float = ALPHA,
) -> Uplift:
    """Return the uplift of an arm's rate over that of those left alone.

    `rate_of` is `conversion_rate` or, for money, `value_rate`.
    """
    return compare(
        rate_of(ledger.sums(scope, arm)),
        rate_of(ledger.sums(scope, without)),
        *scope,
        alpha=alpha,
    )


def withheld(found: Uplift, reason: str) -> Uplift:
    """Return a comparison of which nothing may be claimed, for a reason beyond its numbers."""
    return replace(found, relative=_NOTHING, difference=_NOTHING, evaluable=False, reason=reason)
