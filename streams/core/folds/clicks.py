"""Folding the clickstream: interest, recency, dwell and the cart.

The quantity of a product in the cart is the sum of what was added and removed, so late events count
as well. A removal beyond the known quantity is kept as owed: an add that arrives late is set off
against it, an add in time is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.records import Click
from streams.core.catalogue.values import Timers
from streams.core.folds.updates import (
    LATEST_SLOT,
    add_interest,
    bump,
    cart_waits,
    kept_product,
    mark_seen,
    raise_latest,
    stay_with_cart,
)
from streams.core.hashing import family_number
from streams.core.state.baskets import MAX_CART_MILLI, CartItem, milli_of
from streams.core.state.customer import CustomerState
from streams.core.state.decay import Weights
from streams.core.state.layout import (
    HEAD,
    MAX_CART_BYTES,
    MAX_CART_ITEMS,
)
from streams.core.units import (
    SECOND_MS,
)

# Click kind -> (the sum it adds to, the interest it shows in its family).
_CLICKS = {
    "view": ("views", 1.0),
    "search": ("searches", 1.0),
    "add_to_cart": ("cart_adds", 3.0),
    "remove_from_cart": ("cart_removes", 0.0),
    "wishlist": ("wishlists", 2.0),
    "page_leave": (None, 0.0),
}
_CART_LEFT = HEAD["due_cart_left_ms"]


def fold_click(state: CustomerState, event: Click, weights: Weights, timers: Timers) -> None:
    """Apply a clickstream event."""
    total, interest = _CLICKS[event.kind]
    if total is not None:
        bump(state.head, total, 1.0, weights)
    if event.dwell_ms:
        bump(state.head, "dwell_s", event.dwell_ms / SECOND_MS, weights)
    if interest and event.family is not None:
        add_interest(state, event.family, interest, event.at_ms, weights)
    mark_seen(state, event.at_ms, timers)
    raise_latest(state.head, "browsed", event.at_ms)
    if event.kind in ("add_to_cart", "remove_from_cart") and event.product is not None:
        _cart(state, event, timers)
    else:
        stay_with_cart(state, event.at_ms, timers)


def cart_after_order(cart: Mapping[str, CartItem], ordered_ms: float) -> dict[str, CartItem]:
    """Return what an order at `ordered_ms` leaves of a cart: the products touched after it.

    Steps before and after the order are in one sum, so only the latest step of each is kept.
    """
    return {
        product: msgspec.structs.replace(
            item, quantity_milli=max(item.latest_milli, 0), owed_milli=0
        )
        for product, item in cart.items()
        if item.at_ms > ordered_ms
    }


def _cart(state: CustomerState, event: Click, timers: Timers) -> None:
    assert event.product is not None
    head, product = state.head, kept_product(state.cart, event.product)
    carted_ms = head[LATEST_SLOT["carted"]]
    if event.at_ms <= head[LATEST_SLOT["ordered"]]:
        return
    waited = cart_waits(state)
    known = state.cart.get(product)
    if known is None:
        _make_room(state, product)
        known = state.cart[product] = CartItem(0, 0, event.at_ms)
    _count(known, event)
    raise_latest(head, "carted", event.at_ms)
    if not cart_waits(state):
        head[_CART_LEFT] = 0.0
    elif event.at_ms >= carted_ms or not waited:
        # A late event about a cart that already waited must not bring up a timer that has fired.
        head[_CART_LEFT] = head[LATEST_SLOT["browsed"]] + timers.cart_left_ms


def _count(item: CartItem, event: Click) -> None:
    milli = milli_of(1.0 if event.quantity is None else event.quantity)
    in_time = event.at_ms >= item.at_ms
    if event.kind == "remove_from_cart":
        there = min(item.quantity_milli, milli)
        item.quantity_milli -= there
        item.owed_milli = min(item.owed_milli + milli - there, MAX_CART_MILLI)
        step = -milli
    else:
        owed = 0 if in_time else min(item.owed_milli, milli)
        item.owed_milli -= owed
        item.quantity_milli = min(item.quantity_milli + milli - owed, MAX_CART_MILLI)
        step = milli
    if in_time:
        item.at_ms = event.at_ms
        item.latest_milli = step
        item.family = family_number(event.family) or item.family


def _make_room(state: CustomerState, product: str) -> None:
    """Drop the products that were touched the longest ago until one more fits."""
    cart = state.cart
    size = len(product.encode()) + sum(len(name.encode()) for name in cart)
    while len(cart) >= MAX_CART_ITEMS or size > MAX_CART_BYTES:
        oldest = min(cart, key=lambda name: (cart[name].at_ms, name))
        size -= len(oldest.encode())
        del cart[oldest]
