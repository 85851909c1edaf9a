"""The few verbs that every fold is written in.

Sums, maxima and earliest times do not depend on the order of arrival.
"""

from __future__ import annotations

from array import array

from streams.core.catalogue import Timers
from streams.core.decay import Weights
from streams.core.layout import (
    FAMILY,
    HALF_LIFE_NAMES,
    HEAD,
    LATEST,
    MAX_FAMILIES,
    SUMS,
    TOTALS,
)
from streams.core.state import CustomerState, new_family

LATEST_SLOT = {name: HEAD[f"latest_{name}"] for name in LATEST}
TOTAL_SLOT = {name: HEAD[f"total_{name}"] for name in TOTALS}
_SUM = {name: tuple(HEAD[f"{name}_{h}"] for h in HALF_LIFE_NAMES) for name in SUMS}
_INTEREST = tuple(FAMILY[f"interest_{h}"] for h in HALF_LIFE_NAMES)


def bump(head: array[float], name: str, amount: float, weights: Weights) -> None:
    """Add an amount to a decayed sum at every half-life."""
    first, second, third = _SUM[name]
    head[first] += amount * weights[0]
    head[second] += amount * weights[1]
    head[third] += amount * weights[2]


def latest(head: array[float], name: str, at_ms: int) -> None:
    """Raise the time a kind of event was last seen."""
    slot = LATEST_SLOT[name]
    if at_ms > head[slot]:
        head[slot] = at_ms


def seen(state: CustomerState, at_ms: int, timers: Timers) -> None:
    """The customer did something themselves: they are here, and not quiet."""
    if at_ms > state.head[LATEST_SLOT["seen"]]:
        state.head[LATEST_SLOT["seen"]] = at_ms
        state.head[HEAD["due_gone_quiet_ms"]] = at_ms + timers.gone_quiet_ms


def family_of(state: CustomerState, name: str) -> array[float]:
    """Return a family's row, new if need be; the weakest makes room when all are taken."""
    family = state.families.get(name)
    if family is None:
        if len(state.families) >= MAX_FAMILIES:
            # The one with the least lasting interest; by name where interest is equal.
            weakest = min(state.families, key=lambda n: (state.families[n][_INTEREST[2]], n))
            del state.families[weakest]
        family = state.families[name] = new_family()
    return family


def add_interest(
    state: CustomerState, name: str, amount: float, at_ms: int, weights: Weights
) -> None:
    """Add to the interest in a family at every half-life."""
    family = family_of(state, name)
    for slot, weight in zip(_INTEREST, weights, strict=True):
        family[slot] += amount * weight
    family[FAMILY["last_seen_ms"]] = max(family[FAMILY["last_seen_ms"]], at_ms)


def set_cart_timer(state: CustomerState, timers: Timers) -> None:
    """Set when a cart counts as left: never while nothing is in it."""
    waiting = any(item.quantity > 0 for item in state.cart.values())
    due_ms = state.head[LATEST_SLOT["carted"]] + timers.cart_left_ms
    state.head[HEAD["due_cart_left_ms"]] = due_ms if waiting else 0.0
