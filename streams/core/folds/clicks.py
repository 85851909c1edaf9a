"""Folding the clickstream: interest, recency, dwell and the cart."""

from __future__ import annotations

from schemas.records import Click
from streams.core.catalogue import Timers
from streams.core.decay import Weights
from streams.core.folds.verbs import (
    LATEST_SLOT,
    add_interest,
    bump,
    cart_waits,
    family_name,
    latest,
    seen,
    shortened,
)
from streams.core.layout import HEAD, MAX_CART_ITEMS, MAX_TEXT_BYTES, SECOND_MS
from streams.core.state import CartItem, CustomerState

# Click kind -> (the sum it adds to, the interest it shows in its family).
_CLICKS = {
    "view": ("views", 1.0),
    "search": ("searches", 1.0),
    "add_to_cart": ("cart_adds", 3.0),
    "remove_from_cart": ("cart_removes", 0.0),
    "wishlist": ("wishlists", 2.0),
    "page_leave": (None, 0.0),
}


def fold_click(state: CustomerState, event: Click, weights: Weights, timers: Timers) -> None:
    """Apply a clickstream event."""
    total, interest = _CLICKS[event.kind]
    if total is not None:
        bump(state.head, total, 1.0, weights)
    if event.dwell_ms:
        bump(state.head, "dwell_s", event.dwell_ms / SECOND_MS, weights)
    if interest and event.family is not None:
        add_interest(state, event.family, interest, event.at_ms, weights)
    seen(state, event.at_ms, timers)
    latest(state.head, "browsed", event.at_ms)
    if event.kind in ("add_to_cart", "remove_from_cart") and event.product is not None:
        _cart(state, event, timers)


def _cart(state: CustomerState, event: Click, timers: Timers) -> None:
    assert event.product is not None
    head, product = state.head, shortened(event.product, MAX_TEXT_BYTES)
    known = state.cart.get(product)
    ordered_ms, carted_ms = head[LATEST_SLOT["ordered"]], head[LATEST_SLOT["carted"]]
    if event.at_ms <= ordered_ms or (known is not None and event.at_ms < known.at_ms):
        return
    waited = cart_waits(state)
    quantity = 1.0 if event.kind == "add_to_cart" else 0.0
    while known is None and len(state.cart) >= MAX_CART_ITEMS:
        del state.cart[min(state.cart, key=lambda p: (state.cart[p].at_ms, p))]
    state.cart[product] = CartItem(family_name(event.family), quantity, event.at_ms)
    latest(head, "carted", event.at_ms)
    if not cart_waits(state):
        head[HEAD["due_cart_left_ms"]] = 0.0
    elif event.at_ms >= carted_ms or not waited:
        # A late event about a cart that already waited must not bring up a timer that has fired.
        head[HEAD["due_cart_left_ms"]] = head[LATEST_SLOT["carted"]] + timers.cart_left_ms
