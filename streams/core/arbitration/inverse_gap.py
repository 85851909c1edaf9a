"""Arbitration: which candidate wins, and with exactly what probability.

`priority = propensity * context weight * value * lever`. Inverse-gap weighting (Foster, Rakhlin:
Beyond UCB, ICML 2020) turns priorities into probabilities in closed form: each of K candidates
that is behind the best by a share `gap` of it gets `1 / (K + gamma * gap)`, the best the rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask

Floats = NDArray[np.float64]

# A gamma that grew for ever would try nothing any more in a world that changes after all.
MOST_GROWN_LESSONS = 10_000


def grown_gamma(gamma: float, growth: float, lessons: int | Floats) -> Floats:
    """Return gamma after so many lessons: `growth` times their root, and never below `gamma`.

    With what is known the price of trying falls, and so must its share: the regret of inverse-gap
    weighting is bounded for a gamma that grows with the root of the lessons (Foster and Rakhlin
    2020, theorem 1; Simchi-Levi and Xu: Bypassing the monster, 2022, algorithm 1).
    """
    found: Floats = np.maximum(gamma, growth * np.sqrt(np.minimum(lessons, MOST_GROWN_LESSONS)))
    return found


def priorities_of(
    propensities: Floats, context_weights: Floats, values: Floats, no_action: Floats
) -> Floats:
    """Return propensity x context weight x value x lever, `no_action` last, (n, a + 1).

    `propensities` and `context_weights` are (n, a), `values` (a,) is value x lever, `no_action`
    (n,) the priority of doing nothing.
    """
    return with_no_action(propensities * context_weights * values, no_action)


def with_no_action(of_actions: Floats, of_no_action: Floats) -> Floats:
    """Append a column (n,) for doing nothing to those of the actions: (n, a) to (n, a + 1)."""
    return np.concatenate([of_actions, of_no_action[:, None]], axis=1)


def probabilities_of(
    priorities: Floats,
    candidates: Mask,
    gamma: Floats,
    drift_boost: Floats | None = None,
    owed: NDArray[np.bool_] | None = None,
) -> Floats:
    """Return the probability of each candidate, (n, a + 1); 0 for those that were dropped.

    `priorities` is (n, a + 1), `candidates` (n, a): the last column, doing nothing, always
    competes, except in the rows of `owed` (n,), which must have a candidate. `gamma` broadcasts to
    (n, a + 1); where it is 0, all candidates are equally likely. Each row sums to 1; equal
    priorities are equally likely but for the first of them, the best. `drift_boost` (a + 1,) says
    how many times more an action should be explored: a gap is as doubtful as the more doubtful of
    its two ends, so a drift boost of the best one holds for all others.
    """
    silent = np.ones((len(candidates), 1), bool) if owed is None else ~owed[:, None]
    competing = np.concatenate([candidates, silent], axis=1)
    ranked = np.where(competing, priorities, -np.inf)
    best = ranked.argmax(axis=1)
    rows = np.arange(len(ranked))
    top = ranked[rows, best][:, None]
    gap = np.where(competing, (top - np.where(competing, priorities, 0.0)), 0.0)
    gap = np.divide(gap, top, out=np.zeros_like(gap), where=top > 0)
    count = competing.sum(axis=1, keepdims=True)
    if drift_boost is not None:
        gamma = gamma / np.maximum(drift_boost, drift_boost[best][:, None])
    shares = np.where(competing, 1.0 / (count + gamma * gap), 0.0)
    shares[rows, best] = 0.0
    # A running sum adds from left to right in every wave size, as a plain sum need not.
    shares[rows, best] = 1.0 - np.cumsum(shares, axis=1)[:, -1]
    return shares


def with_floor(probabilities: Floats, floor: float) -> Floats:
    """Give every candidate at least `floor`, by mixing in equal probabilities; (n, a + 1) as given.

    Where so many compete that floors would take more than half, they take half. A candidate that
    competes with nothing keeps its exact 1.
    """
    competing = probabilities > 0
    count = competing.sum(axis=1, keepdims=True)
    least = np.minimum(floor, 0.5 / count)
    mixed = least + (1.0 - count * least) * probabilities
    return np.where(competing & (count > 1), mixed, probabilities)


def choose(probabilities: Floats, draws: Floats) -> NDArray[np.intp]:
    """Choose one column per customer by its probability, (n,); `draws` are uniform in [0, 1)."""
    reached = np.cumsum(probabilities, axis=1) > draws[:, None]
    chosen: NDArray[np.intp] = reached.argmax(axis=1)
    if not reached[:, -1].all():
        # Rounding may leave the last running sum just below a draw: then it is the last column
        # that has a probability at all (`no_action` has none where service is owed).
        last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
        chosen = np.where(reached[:, -1], chosen, last)
    return chosen
