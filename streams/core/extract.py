"""Extracting: the features of a wave, within bounds and consent, for rules and for models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.features import ACTION_FEATURES, CUSTOMER_FEATURES, FEATURES, Feature, Floats
from streams.core.wave import Wave


@dataclass(frozen=True, slots=True)
class Columns:
    """The features of a wave: natural units for rules, model input for scoring and lessons.

    `customer` is (n, c) and `action` (n, a, k), float64 holding float32 values.
    """

    natural: dict[str, Floats]
    customer: Floats
    action: Floats


def extract(wave: Wave, may_personalize: NDArray[np.bool_]) -> Columns:
    """Compute every feature of a wave; shapes as in `Columns`.

    For a customer who withdrew consent to personalization (`may_personalize`, (n,)) the features
    that need it are 0 for rules and models alike.
    """
    customer = _CUSTOMER_BOUNDS.hold(
        np.stack([f.column(wave) for f in CUSTOMER_FEATURES], axis=-1), may_personalize[:, None]
    )
    action = _ACTION_BOUNDS.hold(
        np.stack([f.column(wave) for f in ACTION_FEATURES], axis=-1),
        may_personalize[:, None, None],
    )
    natural = {f.name: customer[:, place] for place, f in enumerate(CUSTOMER_FEATURES)}
    natural |= {f.name: action[:, :, place] for place, f in enumerate(ACTION_FEATURES)}
    return Columns(natural, _model_input(customer), _model_input(action))


class _Bounds:
    """The bounds of features as vectors, so that a whole matrix is held to them at once."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._low = np.array([float(f.low) for f in features])
        self._high = np.array([float(f.high) for f in features])
        self._personal = np.array([f.purpose == "personalization" for f in features])

    def hold(self, matrix: Floats, may_personalize: NDArray[np.bool_]) -> Floats:
        """Return the matrix within bounds; personal features are 0 where they may not be used."""
        np.minimum(np.maximum(matrix, self._low, out=matrix), self._high, out=matrix)
        if not may_personalize.all():
            hidden = self._personal & ~may_personalize
            matrix[np.broadcast_to(hidden, matrix.shape)] = 0.0
        return matrix


_CUSTOMER_BOUNDS = _Bounds(CUSTOMER_FEATURES)
_ACTION_BOUNDS = _Bounds(ACTION_FEATURES)


def _model_input(columns: Floats) -> Floats:
    """Squash long tails: sign(x) * log(1 + |x|), then round to what a lesson stores."""
    squashed = np.copysign(np.log1p(np.abs(columns)), columns)
    return squashed.astype(np.float32).astype(np.float64)


def natural_value(name: str, seen: float) -> float:
    """Return a feature's natural value from the model input it became.

    >>> round(natural_value("orders_lifetime", 1.3862944), 6)
    3.0
    """
    return float(np.copysign(np.expm1(abs(seen)), seen)) if name in FEATURES else seen
