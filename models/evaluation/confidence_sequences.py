"""Confidence sequences: intervals that hold at every look, however often one looks.

A fixed-sample interval that is looked at every minute is wrong sooner or later. These are
asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: Time-uniform central
limit theory and asymptotic confidence sequences, Annals of Statistics 2024, theorem 2.2), built on
the normal mixture of Robbins (1970) and Howard et al. (2021): `estimate +- k(n) * standard error`
with

    k(n)^2 = (1 + 1 / (n r)) * log((n r + 1) / alpha^2)

`n` is any clock that runs in proportion to the information gathered. `r` sets for which n the
sequence is tightest, and must not depend on the data; so `tuned_for` is a constant, not the n at
hand. Coverage is asymptotic: it asks for enough data at the first look, so those who call this
look only past a stated floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA = 0.05
# No decision is made below it; from here to a million the factor stays between 3.0 and 4.0.
TUNED_FOR = 1_000.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its interval, which holds at every look with probability 1 - alpha."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Tell whether an effect was found."""
        return self.low > 0.0 or self.high < 0.0


def factor(n: float, alpha: float = ALPHA, tuned_for: float = TUNED_FOR) -> float:
    """Return how many standard errors wide the sequence is at n, to either side.

    `alpha` in (0, 1), `tuned_for` > 0. A fixed-sample interval would say 1.96 for alpha = .05.

    >>> round(factor(1_000), 2), round(factor(100_000), 2), factor(0)
    (3.04, 3.58, inf)
    """
    if n <= 0:
        return math.inf
    scaled = float(n) * _ratio(alpha, tuned_for)
    return math.sqrt((1.0 + 1.0 / scaled) * (math.log1p(scaled) - 2.0 * math.log(alpha)))


def factors(n: Floats, alpha: float = ALPHA, tuned_for: float = TUNED_FOR) -> Floats:
    """Return `factor` for each n > 0, shape (n,)."""
    scaled = np.asarray(n, np.float64) * _ratio(alpha, tuned_for)
    widths: Floats = np.sqrt((1.0 + 1.0 / scaled) * (np.log1p(scaled) - 2.0 * math.log(alpha)))
    return widths


def _ratio(alpha: float, tuned_for: float) -> float:
    # Waudby-Smith et al., equation (10): narrowest at n = tuned_for, nearly.
    spread = -2.0 * math.log(alpha)
    return (spread + math.log(spread) + 1.0) / tuned_for


def mean(
    values: Floats,
    alpha: float = ALPHA,
    tuned_for: float = TUNED_FOR,
    clusters: NDArray[np.int64] | None = None,
) -> Interval:
    """Return the mean of `values` (n,), n >= 1, and its sequence at n.

    Values of one cluster (a customer) may depend on one another: then whole clusters count as the
    independent units.
    """
    value = float(np.mean(values))
    half = half_width(values - value, alpha, tuned_for, clusters)
    return Interval(value, value - half, value + half)


def half_width(
    deviations: Floats,
    alpha: float = ALPHA,
    tuned_for: float = TUNED_FOR,
    clusters: NDArray[np.int64] | None = None,
    unseen: float = 0.0,
) -> float:
    """Return the sequence's half width for the mean of n influence values around 0, (n,).

    `unseen` is added as one more deviation: the size of what may well come and has not yet.
    """
    n = len(deviations)
    sums = deviations if clusters is None else _sums(deviations, clusters)
    units = len(sums)
    if units < 2:
        return math.inf
    # The sandwich of cluster sums; with clusters of one it is the plain variance.
    error = math.sqrt(float(sums @ sums) * units / (units - 1) + unseen * unseen) / n
    return factor(units, alpha, tuned_for) * error


def _sums(values: Floats, clusters: NDArray[np.int64]) -> Floats:
    _, place = np.unique(clusters, return_inverse=True)
    return np.bincount(place, weights=values).astype(np.float64)
