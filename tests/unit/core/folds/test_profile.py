"""A product that a customer dislikes is not proposed to them, and the dislike is kept."""

from __future__ import annotations

from schemas.records import CustomerEvent, OrderLine
from streams.core.catalogue.values import ITEMS, Timers, Treatment
from streams.core.decision.personalisation import items_for, personalised
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState
from streams.core.state.layout import MAX_PREFERENCES
from streams.core.units import DAY_MS
from tests.support.events import NOON_MS, Feed

POT = OrderLine("pot", "tea", 1.0, 900)
CUP = OrderLine("blue_cup", "tea", 1.0, 450)


def regular(**likings: float) -> CustomerState:
    """Return a customer who ordered two products twice, has both in the cart, and said a word."""
    feed, state = Feed(), CustomerState()
    events: list[CustomerEvent] = [
        feed.order("ada", NOON_MS, POT, CUP),
        feed.order("ada", NOON_MS + DAY_MS, POT, CUP),
        feed.order("ada", NOON_MS + 2 * DAY_MS, POT),
    ]
    at_ms = NOON_MS + 3 * DAY_MS
    for product in ("pot", "blue_cup"):
        at_ms += 1
        add = feed.click("ada", at_ms, "add_to_cart", product=product, family="tea")
        events.append(add)
    for subject, weight in likings.items():
        events.append(feed.profile("ada", at_ms, "preference", subject=subject, weight=weight))
    for event in events:
        fold(state, event, Timers())
    return state


def proposed(state: CustomerState, kind: str) -> list[str]:
    items = items_for(Treatment("basket", "app", "Again?", kind), "tea", state)
    return [product for product, _ in items]


def product_of(state: CustomerState) -> str:
    return personalised(Treatment("note", "app", "{product|nothing}"), "tea", state, may=True)


def test_a_disliked_product_is_in_no_list_of_items() -> None:
    liked, disliked = regular(), regular(blue_cup=-0.1)
    for kind in ITEMS:
        assert "pot" in proposed(liked, kind)
        assert proposed(disliked, kind) == [p for p in proposed(liked, kind) if p != "blue_cup"]
    assert "blue_cup" in proposed(liked, "usual")


def test_a_disliked_product_is_not_named_in_a_message() -> None:
    assert product_of(regular()) == "blue cup"
    assert product_of(regular(blue_cup=-1.0)) == "pot"
    assert product_of(regular(blue_cup=-1.0, pot=-1.0)) == "nothing"


def test_a_customer_who_likes_it_after_all_is_offered_it_again() -> None:
    state = regular(blue_cup=-1.0)
    later = Feed().profile(
        "ada", NOON_MS + 9 * DAY_MS, "preference", subject="blue_cup", weight=0.2
    )
    fold(state, later, Timers())
    assert "blue_cup" in proposed(state, "cart")


def test_a_dislike_makes_room_only_for_other_dislikes() -> None:
    feed, state = Feed(), CustomerState()
    fold(state, feed.profile("ada", NOON_MS, "preference", subject="pot", weight=-0.5), Timers())
    for number in range(2 * MAX_PREFERENCES):
        at_ms = NOON_MS + 1 + number
        liked = feed.profile("ada", at_ms, "preference", subject=f"f{number}", weight=0.5)
        fold(state, liked, Timers())
    assert state.preferences["pot"].weight == -0.5
    assert f"f{2 * MAX_PREFERENCES - 1}" in state.preferences
    assert len(state.preferences) == MAX_PREFERENCES
    other = CustomerState()
    fold(other, Feed().profile("eve", NOON_MS + 99, "preference", subject="x", weight=1), Timers())
    assert "pot" in merge(state, other).preferences
