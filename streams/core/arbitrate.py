"""Arbitration: which candidate wins, and with exactly what probability.

`priority = propensity * context weight * value * lever`. Inverse-gap weighting (Foster, Rakhlin:
Beyond UCB, ICML 2020) turns priorities into probabilities in closed form: each of K candidates
that is behind the best by a share `gap` of it gets `1 / (K + gamma * gap)`, the best the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.funnel import Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for each of n customers among a actions and, last, `no_action`."""

    probabilities: Floats
    chosen: NDArray[np.intp]


def with_no_action(priorities: Floats, no_action_priority: float) -> Floats:
    """Append the priority of doing nothing as the last column: (n, a) to (n, a + 1)."""
    silence = np.full((len(priorities), 1), no_action_priority)
    return np.concatenate([priorities, silence], axis=1)


def probabilities_of(priorities: Floats, candidates: Mask, gamma: float) -> Floats:
    """Return the probability of each candidate, (n, a + 1); 0 for those that were dropped.

    `priorities` is (n, a + 1), `candidates` (n, a): the last column always competes. Each row
    sums to 1; equal priorities are equally likely but for the first of them, the best.
    """
    competing = np.concatenate([candidates, np.ones((len(candidates), 1), bool)], axis=1)
    ranked = np.where(competing, priorities, -np.inf)
    best = ranked.argmax(axis=1)
    rows = np.arange(len(ranked))
    top = ranked[rows, best][:, None]
    gap = np.where(competing, (top - np.where(competing, priorities, 0.0)), 0.0)
    gap = np.divide(gap, top, out=np.zeros_like(gap), where=top > 0)
    count = competing.sum(axis=1, keepdims=True)
    shares = np.where(competing, 1.0 / (count + gamma * gap), 0.0)
    shares[rows, best] = 0.0
    # A running sum adds from left to right in every wave size, as a plain sum need not.
    shares[rows, best] = 1.0 - np.cumsum(shares, axis=1)[:, -1]
    return shares


def choose(priorities: Floats, candidates: Mask, gamma: float, draws: Floats) -> Choices:
    """Choose one column per customer; `draws` (n,) are uniform in [0, 1)."""
    probabilities = probabilities_of(priorities, candidates, gamma)
    reached = np.cumsum(probabilities, axis=1) > draws[:, None]
    # Rounding may leave the last running sum just below a draw: then the last candidate it is,
    # `no_action`, which always competes.
    chosen = np.where(reached.any(axis=1), reached.argmax(axis=1), priorities.shape[1] - 1)
    return Choices(probabilities, chosen)
