"""The discovery floor: part of what a customer sees is outside their usual families.

Whoever is only shown what they already like never learns what else there is, and neither do we.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask
from streams.core.features.wave import Wave

Floats = NDArray[np.float64]

# A family with at least this share of a customer's lasting interest is one of their usual ones.
USUAL_SHARE = 0.1


def outside_usual(wave: Wave, family_share: Floats, treated: NDArray[np.bool_]) -> Mask:
    """Tell which actions are about a family that is not usual for the customer, shape (n, a).

    `family_share` (n, a) is the share of interest of each action's family. Nothing is outside for
    customers without a usual family, or not `treated` (n,). An action without a family is not
    outside.
    """
    usual = family_share >= USUAL_SHARE
    about_family = wave.axis.numbered["family"].each > 0
    outside: Mask = ~usual & about_family & (treated & usual.any(axis=1))[:, None]
    return outside


def with_discovery(probabilities: Floats, outside: Mask, share: float) -> Floats:
    """Raise the probability outside to at least `share` of all actions, (n, a + 1) as given.

    `no_action`, the last column, keeps its probability; within the actions outside, and within the
    rest, the proportions stay the same. Nothing changes if there is only one of the two.
    """
    shown = probabilities[:, :-1]
    # Running sums add from left to right in every wave size.
    beyond = np.cumsum(np.where(outside, shown, 0.0), axis=1)[:, -1]
    within = np.cumsum(np.where(outside, 0.0, shown), axis=1)[:, -1]
    wanted = share * (beyond + within)
    short = (beyond > 0) & (within > 0) & (beyond < wanted)
    up = np.divide(wanted, beyond, out=np.ones_like(beyond), where=short)
    down = np.divide(beyond + within - wanted, within, out=np.ones_like(within), where=short)
    raised = probabilities.copy()
    raised[:, :-1] *= np.where(outside, up[:, None], down[:, None])
    return raised
