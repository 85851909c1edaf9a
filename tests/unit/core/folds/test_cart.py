"""The cart: how many of each product, and when it counts as left."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.records import CustomerEvent, OrderLine
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    MAX_CART_BYTES,
    MAX_PRODUCT_BYTES,
)
from streams.core.state.timers import fire
from streams.core.units import (
    MINUTE_MS,
)
from tests.support.events import NOON_MS, Feed

HALF_HOUR_MS = 30 * MINUTE_MS
TIMERS = Timers(cart_left_ms=HALF_HOUR_MS)
FEED = Feed()


def step(out: bool, minute: float, quantity: float | None = None) -> CustomerEvent:
    kind = "remove_from_cart" if out else "add_to_cart"
    at_ms = NOON_MS + int(minute * MINUTE_MS)
    return FEED.click("ada", at_ms, kind, product="cup", quantity=quantity)


def put(minute: float, quantity: float | None = None) -> CustomerEvent:
    return step(False, minute, quantity)


def take(minute: float, quantity: float | None = None) -> CustomerEvent:
    return step(True, minute, quantity)


def folded(*events: CustomerEvent, state: CustomerState | None = None) -> CustomerState:
    state = state or CustomerState()
    for event in events:
        fold(state, event, TIMERS)
    return state


def cups(state: CustomerState) -> float:
    item = state.cart.get("cup")
    return 0.0 if item is None else item.quantity_milli / 1_000


def due_minute(state: CustomerState) -> float | None:
    due_ms = state.number("due_cart_left_ms")
    return (due_ms - NOON_MS) / MINUTE_MS if due_ms else None


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ((put(0), put(1), take(2)), 1),
        ((put(0, 3), take(1, 1), take(2)), 1),
        ((put(0), put(1), take(2), take(3)), 0),
        ((put(0, 2), take(1, 1_000)), 0),
        ((put(0, 2), take(1, 1_000), put(2)), 1),
        ((take(0), put(1)), 1),
        ((put(0, 0.75), put(1, 0.5)), 1.25),
    ],
)
def test_what_was_put_in_and_taken_out_is_counted(
    events: tuple[CustomerEvent, ...], left: float
) -> None:
    assert cups(folded(*events)) == left


@pytest.mark.parametrize("arrival", list(permutations(range(4))))
def test_how_many_are_left_does_not_depend_on_the_order_of_arrival(
    arrival: tuple[int, ...],
) -> None:
    events = [put(0), put(1, 2), take(2), put(3)]
    assert cups(folded(*(events[place] for place in arrival))) == 3


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_what_was_taken_out_stays_out_whatever_is_heard_of_first(arrival: tuple[int, ...]) -> None:
    events = [put(0), put(1), take(2, 2)]
    state = folded(*(events[place] for place in arrival))
    assert (cups(state), due_minute(state)) == (0, None)


def test_an_order_heard_of_late_leaves_what_was_put_in_last() -> None:
    """Of clicks read before the order, which were ordered is not known; the last one was not."""
    line = OrderLine("cup", None, 2, 100)
    late = FEED.order("ada", NOON_MS + 2 * MINUTE_MS, line)
    assert cups(folded(put(0), put(1), put(3), late)) == 1
    assert cups(folded(put(0), put(3), take(4), late)) == 0


def test_a_cart_that_is_too_small_for_long_ids_keeps_the_latest() -> None:
    state = CustomerState()
    for number in range(20):
        product = f"{number:02}" + "x" * (MAX_PRODUCT_BYTES - 2)
        folded(FEED.click("ada", NOON_MS + number, "add_to_cart", product=product), state=state)
    assert len(state.cart) == MAX_CART_BYTES // MAX_PRODUCT_BYTES
    assert min(state.cart).startswith("10")


@pytest.mark.parametrize("kind", ["view", "search", "wishlist", "page_leave"])
def test_any_click_puts_off_when_the_cart_counts_as_left(kind: str) -> None:
    state = folded(put(0))
    assert due_minute(state) == 30
    folded(FEED.click("ada", NOON_MS + 20 * MINUTE_MS, kind, product="pot"), state=state)
    assert due_minute(state) == 50


def test_a_late_click_puts_nothing_off() -> None:
    state = folded(put(10))
    folded(FEED.click("ada", NOON_MS, "view"), state=state)
    assert due_minute(state) == 40


def test_a_step_of_the_cart_heard_of_late_does_not_shorten_a_visit() -> None:
    state = folded(put(0), FEED.click("ada", NOON_MS + 20 * MINUTE_MS, "view"), put(5))
    assert due_minute(state) == 50


def test_a_reminder_that_was_given_comes_again_only_after_a_step_of_the_cart() -> None:
    state = folded(put(0))
    fire(state, "cart_left")
    folded(FEED.click("ada", NOON_MS + 40 * MINUTE_MS, "view"), state=state)
    assert due_minute(state) is None
    folded(put(45), state=state)
    assert due_minute(state) == 75


def test_the_carts_of_two_identities_are_one() -> None:
    a, b = folded(put(0), put(1)), folded(put(2), take(3))
    one, other = merge(a, b), merge(b, a)
    assert one.cart == other.cart
    assert cups(one) == 2
