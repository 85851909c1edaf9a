"""Experiment arms: which customers get which kind of decision, so that uplift can be measured.

A customer's arm is a salted hash of their id: it never changes while the ratios stay, and a
replay finds the same one.

- `holdout`: gets nothing. What they would have got is decided, logged and settled all the same.
- `random`: gets any candidate, each as likely as the other.
- `model_only`: gets what they respond to best; value, lever and context weight do not count.
- `treated`: gets what Concierge decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import ARMS
from streams.core.catalogue.values import ArmRatios

HOLDOUT, RANDOM, MODEL_ONLY, TREATED = range(len(ARMS))


def arm_ends(ratios: ArmRatios) -> NDArray[np.float64]:
    """Return where on [0, 1) each arm but the last ends, (arms - 1,)."""
    return np.cumsum([ratios.holdout, ratios.random, ratios.model_only])


def arms_of(drawn: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return each customer's arm as its place in `ARMS`, shape (n,).

    `drawn` (n,) is what `uniforms` makes of the hash of a customer's id under the salt of the
    arms, `ends` comes from `arm_ends`.
    """
    return ends.searchsorted(drawn, side="right")
