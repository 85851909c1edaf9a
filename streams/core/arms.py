"""Experiment arms: who is decided for in which way, so that the benefit can be proven.

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
from streams.core.catalogue import ArmRatios
from streams.core.chance import uniforms

HOLDOUT, RANDOM, MODEL_ONLY, TREATED = range(len(ARMS))


def arms_of(customers: NDArray[np.uint64], salt: int, ratios: ArmRatios) -> NDArray[np.intp]:
    """Return each customer's arm as its place in `ARMS`, shape (n,); `customers` are id hashes."""
    ends = np.cumsum([ratios.holdout, ratios.random, ratios.model_only])
    return np.searchsorted(ends, uniforms(customers, salt), side="right")
