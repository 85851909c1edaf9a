"""The few verbs that every fold is written in.

Maxima and earliest times do not depend on the order of arrival, sums only behind the fifth digit.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Mapping

from streams.core.catalogue.values import Timers
from streams.core.state.customer import CustomerState, new_family
from streams.core.state.decay import Weights, add
from streams.core.state.layout import (
    FAMILY,
    HALF_LIFE_NAMES,
    HEAD,
    LATEST,
    MAX_FAMILIES,
    MAX_NAME_BYTES,
    MAX_PRODUCT_BYTES,
    MAX_TEXT_BYTES,
    SUMS,
    TOTALS,
)
from streams.core.state.text import shortened

LATEST_SLOT = {name: HEAD[f"latest_{name}"] for name in LATEST}
TOTAL_SLOT = {name: HEAD[f"total_{name}"] for name in TOTALS}


def _at_each_half_life(layout: Mapping[str, int], name: str) -> tuple[int, int, int]:
    first, second, third = (layout[f"{name}_{half_life}"] for half_life in HALF_LIFE_NAMES)
    return first, second, third


_SUM = {name: _at_each_half_life(HEAD, name) for name in SUMS}
_INTEREST = _at_each_half_life(FAMILY, "interest")
_LAST_SEEN = FAMILY["last_seen_ms"]
_SEEN, _GONE_QUIET = HEAD["latest_seen"], HEAD["due_gone_quiet_ms"]
_CART_LEFT = HEAD["due_cart_left_ms"]


def kept_product(known: Container[str], product: str) -> str:
    """Return a product's id as a habit or a cart keeps it.

    Earlier releases shortened long ones to fewer bytes: what is `known` under such a name keeps it.
    """
    if len(product) > MAX_TEXT_BYTES:
        before = shortened(product, MAX_TEXT_BYTES)
        if before in known:
            return before
    return shortened(product, MAX_PRODUCT_BYTES)


def bump(head: array[float], name: str, amount: float, weights: Weights) -> None:
    """Add an amount to a decayed sum at every half-life."""
    add(head, _SUM[name], amount, weights)


def raise_latest(head: array[float], name: str, at_ms: int) -> None:
    """Raise the time a kind of event was last seen."""
    slot = LATEST_SLOT[name]
    if at_ms > head[slot]:
        head[slot] = at_ms


def mark_seen(state: CustomerState, at_ms: int, timers: Timers) -> None:
    """The customer did something themselves: they are here, and not quiet."""
    head = state.head
    if at_ms > head[_SEEN]:
        head[_SEEN] = at_ms
        head[_GONE_QUIET] = at_ms + timers.gone_quiet_ms


def family_of(state: CustomerState, name: str) -> array[float]:
    """Return a family's row, new if need be; the weakest makes room when all are taken."""
    name = shortened(name, MAX_NAME_BYTES)
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
    add(family, _INTEREST, amount, weights)
    if at_ms > family[_LAST_SEEN]:
        family[_LAST_SEEN] = at_ms


def cart_waits(state: CustomerState) -> bool:
    """Return whether anything is in the cart."""
    return any(item.quantity_milli > 0 for item in state.cart.values())


def stay_with_cart(state: CustomerState, at_ms: int, timers: Timers) -> None:
    """The customer still clicks, so the cart is not abandoned yet: restart its timer."""
    due_ms = state.head[_CART_LEFT]
    if due_ms and at_ms + timers.cart_left_ms > due_ms:
        state.head[_CART_LEFT] = at_ms + timers.cart_left_ms
