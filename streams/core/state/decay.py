"""Forward-decayed sums: the order in which events arrive hardly matters.

A sum at half-life h keeps `sum(w * 2**((t - L) / h))` for a landmark L; its value at any later time
is `sum * 2**(-(now - L) / h)` (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009).
Landmarks are on a grid of `ERA_HALF_LIVES` half-lives, common to all customers; when an event falls
into a later era, the sums move to it by an exact power of two.

Of a sum 21 bits are kept, so that the lower half of its float64 is zeros, which take no room in a
stored state: the order of arrival shows from the sixth digit on.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import exp2
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.core.state.layout import (
    ERA_HALF_LIVES,
    FAMILY,
    HALF_LIFE_NAMES,
    HALF_LIVES_MS,
    HEAD,
    SUMS,
)

ERA_MS = tuple(ERA_HALF_LIVES * half_life for half_life in HALF_LIVES_MS)
ERA_SLOTS = tuple(HEAD[f"era_{name}"] for name in HALF_LIFE_NAMES)
(_ERA_1, _ERA_2, _ERA_3), (_ERA_1_MS, _ERA_2_MS, _ERA_3_MS) = ERA_SLOTS, ERA_MS
_LIFE_1_MS, _LIFE_2_MS, _LIFE_3_MS = HALF_LIVES_MS
SUM_SLOTS = tuple(
    tuple(HEAD[f"{name}_{half_life}"] for name in SUMS) for half_life in HALF_LIFE_NAMES
)
FAMILY_SUM_SLOTS = (
    (FAMILY["interest_1h"],),
    (FAMILY["interest_1d"],),
    (FAMILY["interest_30d"], FAMILY["orders_30d"], FAMILY["spend_30d"]),
)

Weights = tuple[float, float, float]
_Value = TypeVar("_Value", float, NDArray[np.float64])
# Rounds to 21 bits of 53 (Veltkamp's splitting; Dekker, Numerische Mathematik 18, 1971).
_SPLIT = 2.0**32 + 1
_RULES_SPLIT = 2.0**36 + 1


def landmark_weights(head: array[float], families: Iterable[array[float]], at_ms: int) -> Weights:
    """Return the weight of an event at `at_ms` per half-life, moving the landmarks if need be."""
    # Three times the same, written out: every event comes by here.
    first = at_ms - head[_ERA_1] * _ERA_1_MS
    if first >= _ERA_1_MS:
        first = _since_moved(head, families, 0, at_ms)
    second = at_ms - head[_ERA_2] * _ERA_2_MS
    if second >= _ERA_2_MS:
        second = _since_moved(head, families, 1, at_ms)
    third = at_ms - head[_ERA_3] * _ERA_3_MS
    if third >= _ERA_3_MS:
        third = _since_moved(head, families, 2, at_ms)
    return exp2(first / _LIFE_1_MS), exp2(second / _LIFE_2_MS), exp2(third / _LIFE_3_MS)


def add(row: array[float], slots: tuple[int, int, int], amount: float, weights: Weights) -> None:
    """Add an amount to a decayed sum at every half-life."""
    (first, second, third), (first_weight, second_weight, third_weight) = slots, weights
    # `rounded`, written out.
    total = row[first] + amount * first_weight
    part = total * _SPLIT
    row[first] = part - (part - total)
    total = row[second] + amount * second_weight
    part = total * _SPLIT
    row[second] = part - (part - total)
    total = row[third] + amount * third_weight
    part = total * _SPLIT
    row[third] = part - (part - total)


def rounded(total: float) -> float:
    """Return a decayed sum as it is kept.

    >>> rounded(1 + 2.0**-20) == 1 + 2.0**-20, rounded(1 + 2.0**-22)
    (True, 1.0)
    """
    part = total * _SPLIT
    return part - (part - total)


def _since_moved(
    head: array[float], families: Iterable[array[float]], number: int, at_ms: int
) -> float:
    """Move a landmark to the era of `at_ms`; return the time since it."""
    _move_landmark(head, families, number, at_ms // ERA_MS[number])
    return at_ms - head[ERA_SLOTS[number]] * ERA_MS[number]


def _move_landmark(
    head: array[float], families: Iterable[array[float]], number: int, era: int
) -> None:
    # exp2 of a whole number is exact; far below the smallest float it is 0, as it should be.
    scale = exp2(-ERA_HALF_LIVES * (era - head[ERA_SLOTS[number]]))
    head[ERA_SLOTS[number]] = era
    for slot in SUM_SLOTS[number]:
        head[slot] *= scale
    for family in families:
        for slot in FAMILY_SUM_SLOTS[number]:
            family[slot] *= scale


def rounded_for_rules(values: _Value) -> _Value:
    """Return the present values of sums as rules and people see them: 17 bits, some five digits.

    An event that has just happened counts as 1 exactly, whatever was rounded: a rule may compare
    it.

    >>> rounded_for_rules(0.9999998), rounded_for_rules(4_999.999), rounded_for_rules(0.5)
    (1.0, 5000.0, 0.5)
    """
    part = values * _RULES_SPLIT
    return part - (part - values)


def decayed_value(total: float, era: float, half_life: int, at_ms: int) -> float:
    """Return the value of a decayed sum at `at_ms`; `half_life` is its number (0, 1, 2).

    A time long before the landmark is taken as `ERA_HALF_LIVES` before it.
    """
    ahead = (era * ERA_MS[half_life] - at_ms) / HALF_LIVES_MS[half_life]
    return rounded_for_rules(total * exp2(min(ahead, ERA_HALF_LIVES)))
