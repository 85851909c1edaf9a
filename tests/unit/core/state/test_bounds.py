"""What is full makes room by a rule: the weakest, the closed, the oldest go."""

from __future__ import annotations

from schemas.records import CustomerEvent
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState
from streams.core.state.event_ids import by_name
from streams.core.state.layout import (
    MAX_ANSWERS,
    MAX_CART_ITEMS,
    MAX_FAMILIES,
    MAX_PREFERENCES,
    MAX_TICKETS,
    MAX_WATERMARKS,
)
from streams.core.state.text import shortened
from streams.core.units import (
    DAY_MS,
    MINUTE_MS,
)
from tests.support.events import NOON_MS, Feed

TIMERS = Timers(cart_left_ms=30 * MINUTE_MS, gone_quiet_ms=10 * DAY_MS)


def folded(*events: CustomerEvent, state: CustomerState | None = None) -> CustomerState:
    state = state or CustomerState()
    for event in events:
        fold(state, event, TIMERS)
    return state


def test_closed_tickets_make_room_before_open_ones() -> None:
    feed, state = Feed(), CustomerState()
    for number in range(MAX_TICKETS):
        kind = "resolved" if number == 5 else "opened"
        folded(feed.support("ada", NOON_MS + number, kind, ticket_id=f"t{number}"), state=state)
    folded(feed.support("ada", NOON_MS + 99, ticket_id="new"), state=state)
    assert "t5" not in state.tickets
    assert len(state.tickets) == MAX_TICKETS


def test_the_latest_preference_stands_and_the_oldest_makes_room() -> None:
    feed, state = Feed(), CustomerState()
    for number in range(MAX_PREFERENCES + 1):
        at_ms = NOON_MS + number
        event = feed.profile("ada", at_ms, "preference", subject=f"f{number}", weight=0.5)
        folded(event, state=state)
    assert "f0" not in state.preferences
    late = feed.profile("ada", NOON_MS, "preference", subject="f5", weight=-1.0)
    assert folded(late, state=state).preferences["f5"].weight == 0.5


def test_who_told_their_name_once_is_greeted_by_it_after_however_many_answers() -> None:
    feed, state = Feed(), CustomerState()
    folded(
        feed.profile("ada", NOON_MS, "survey_answer", subject="first_name", value="Ada"),
        state=state,
    )
    for number in range(2 * MAX_ANSWERS):
        at_ms = NOON_MS + 1 + number
        folded(feed.profile("ada", at_ms, "goal", subject=f"q{number}", value="yes"), state=state)
    assert state.answers["first_name"].value == "Ada"
    assert f"q{2 * MAX_ANSWERS - 1}" in state.answers
    assert len(state.answers) == MAX_ANSWERS
    other = folded(feed.profile("eve", NOON_MS + 99, "goal", subject="q", value="no"))
    assert "first_name" in merge(state, other).answers


def test_the_family_of_least_interest_makes_room() -> None:
    feed, state = Feed(), CustomerState()
    for number in range(MAX_FAMILIES):
        views = 1 if number == 3 else 2
        for _ in range(views):
            folded(feed.click("ada", NOON_MS, family=f"f{number}"), state=state)
    folded(feed.click("ada", NOON_MS, family="new"), state=state)
    assert "f3" not in state.families
    assert len(state.families) == MAX_FAMILIES


def test_the_cart_keeps_the_latest_products() -> None:
    feed, state = Feed(), CustomerState()
    for number in range(MAX_CART_ITEMS + 1):
        add = feed.click("ada", NOON_MS + number, "add_to_cart", product=f"p{number}")
        folded(add, state=state)
    assert len(state.cart) == MAX_CART_ITEMS
    assert "p0" not in state.cart


def test_a_source_that_is_silent_the_longest_is_forgotten_first() -> None:
    feed, state = Feed(partitions=MAX_WATERMARKS + 1), CustomerState()
    events = [feed.click("ada", NOON_MS) for _ in range(MAX_WATERMARKS + 1)]
    first = events[0].origin
    folded(*events[:-1], state=state)
    again = Feed(first_offset=50).click("ada", NOON_MS)
    again.origin = type(first)(first.topic, first.partition, 50, NOON_MS)
    folded(again, events[-1], state=state)
    assert by_name(state.watermarks)[f"{first.topic}/{first.partition}"] == 50
    assert len(state.watermarks) == MAX_WATERMARKS


def test_long_texts_are_shortened_and_still_differ() -> None:
    assert shortened("tea", 64) == "tea"
    one, other = shortened("é" * 100, 64), shortened("é" * 99 + "e", 64)
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= 64
    assert shortened("x" * 64, 64) == "x" * 64
