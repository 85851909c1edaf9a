"""Extracting: the features of a wave, within bounds and consent, for rules and for models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from streams.core.features.columns import Block, Column, Floats, Matrix
from streams.core.features.definitions import (
    CUSTOMER_FEATURES,
    FAMILY_FEATURES,
    FEATURES,
    OWN_FEATURES,
    Feature,
)
from streams.core.features.wave import Wave


@dataclass(frozen=True, slots=True)
class Columns:
    """The features of a wave: natural units for rules, model input for scoring and lessons.

    `customer` is (n, c) and `action` (n, a, k), float64 holding float32 values.
    """

    natural: Mapping[str, Floats]
    customer: Floats
    action: Floats


def extract(wave: Wave, may_personalize: NDArray[np.bool_]) -> Columns:
    """Compute every feature of a wave; shapes as in `Columns`.

    For a customer who withdrew consent to personalization (`may_personalize`, (n,)) the features
    that need it are 0 for rules and models alike.
    """
    may = None if may_personalize.all() else may_personalize
    customer = _CUSTOMER_BOUNDS.hold(_CUSTOMER.of(wave), may)
    family = _FAMILY_BOUNDS.hold(_stacked(_FAMILY, wave), may)
    own = _OWN_BOUNDS.hold(_stacked(_OWN, wave), may)
    # Squashed by family, before it is spread over the actions: there are fewer families.
    return Columns(
        Natural(customer, _spread(wave, family, own)),
        _model_input(customer),
        _spread(wave, _model_input(family), _model_input(own)),
    )


class Natural(Mapping[str, Floats]):
    """The features in natural units by name: customers' as (n,), actions' as (n, a)."""

    def __init__(self, customer: Floats, action: Floats) -> None:
        self._customer = customer
        self._action = action

    def __getitem__(self, name: str) -> Floats:
        place = _PLACES[name]
        if place < len(CUSTOMER_FEATURES):
            return self._customer[:, place]
        return self._action[:, :, place - len(CUSTOMER_FEATURES)]

    def __iter__(self) -> Iterator[str]:
        return iter(FEATURES)

    def __len__(self) -> int:
        return len(FEATURES)


class _Bounds:
    """The bounds of features as vectors, so that a whole matrix is held to them at once."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._low = np.array([float(f.low) for f in features])
        self._high = np.array([float(f.high) for f in features])
        self._personal = np.array([f.purpose == "personalization" for f in features])

    def hold(self, matrix: Floats, may_personalize: NDArray[np.bool_] | None) -> Floats:
        """Return the matrix, features last, within bounds.

        Personal features are 0 for whom they may not be used, (n,); None where all may.
        """
        np.minimum(np.maximum(matrix, self._low, out=matrix), self._high, out=matrix)
        if may_personalize is not None:
            shape = (-1,) + (1,) * (matrix.ndim - 1)
            hidden = self._personal & ~may_personalize.reshape(shape)
            matrix[np.broadcast_to(hidden, matrix.shape)] = 0.0
        return matrix


_PLACES = {name: place for place, name in enumerate(FEATURES)}
_CUSTOMER = Matrix([cast(Column, f.column) for f in CUSTOMER_FEATURES])
_FAMILY = [cast(Block, f.column) for f in FAMILY_FEATURES]
_OWN = [cast(Block, f.column) for f in OWN_FEATURES]
_CUSTOMER_BOUNDS = _Bounds(CUSTOMER_FEATURES)
_FAMILY_BOUNDS = _Bounds(FAMILY_FEATURES)
_OWN_BOUNDS = _Bounds(OWN_FEATURES)


def _stacked(columns: Sequence[Block], wave: Wave) -> Floats:
    """Return columns of one shape as one array, features last."""
    first = columns[0](wave)
    stacked = np.empty((*first.shape, len(columns)))
    stacked[..., 0] = first
    for place, column in enumerate(columns[1:], 1):
        stacked[..., place] = column(wave)
    return stacked


def _spread(wave: Wave, family: Floats, own: Floats) -> Floats:
    """Return the features of every action, (n, a, k): those of its family, then its own."""
    return np.concatenate([wave.of_action(family), own], axis=2)


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
