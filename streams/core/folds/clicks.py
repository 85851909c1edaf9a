"""Folding the clickstream: interest, recency, dwell and the cart."""

from __future__ import annotations

from schemas.records import Click
from streams.core.catalogue import Timers
from streams.core.decay import Weights
from streams.core.folds.verbs import (
    LATEST_SLOT,
    add_interest,
    bump,
    latest,
    seen,
    set_cart_timer,
)
from streams.core.layout import MAX_CART_ITEMS, SECOND_MS
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
    known = state.cart.get(event.product)
    ordered_ms = state.head[LATEST_SLOT["ordered"]]
    if event.at_ms <= ordered_ms or (known is not None and event.at_ms < known.at_ms):
        return
    quantity = 1.0 if event.kind == "add_to_cart" else 0.0
    if known is None and len(state.cart) >= MAX_CART_ITEMS:
        del state.cart[min(state.cart, key=lambda p: (state.cart[p].at_ms, p))]
    state.cart[event.product] = CartItem(event.family, quantity, event.at_ms)
    latest(state.head, "carted", event.at_ms)
    set_cart_timer(state, timers)
