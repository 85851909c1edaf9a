"""Tickets without an end, and what a desk says that they are about."""

from __future__ import annotations

from itertools import permutations

import pytest

from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState, Ticket
from streams.core.state.layout import (
    MAX_TICKETS,
    MAX_TOPIC_BYTES,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
)
from tests.support.contacts import SHOP as CONTACTS_SHOP
from tests.support.contacts import Ways
from tests.support.events import NOON_MS, Feed
from tests.support.shops import load


def told(*steps: tuple[str, float, dict[str, str]], state: CustomerState | None = None) -> Ticket:
    feed, state = Feed(), state or CustomerState()
    for kind, day, more in steps:
        fold(state, feed.support("ada", NOON_MS + int(day * DAY_MS), kind, **more), Timers())
    return state.tickets["ticket"]


@pytest.mark.parametrize("first", ["message", "escalated", "reopened", "opened"])
def test_a_ticket_silences_until_nothing_was_heard_of_it_for_the_term(first: str) -> None:
    ways = Ways("tickets: {closes_after_days: 3}")
    ways.write(ways.feed.support("ada", NOON_MS, first, ticket_id="t"))
    assert ways.browse(NOON_MS + 3 * DAY_MS - 1).fate("tea_shelf") == "contact:ticket"
    ways.write(ways.feed.support("ada", NOON_MS + DAY_MS, "message", ticket_id="t"))
    assert ways.browse(NOON_MS + 3 * DAY_MS).fate("tea_shelf") == "contact:ticket"
    assert ways.browse(NOON_MS + 4 * DAY_MS).chosen == "tea_shelf"


def test_a_month_is_the_term_where_the_catalogue_names_none() -> None:
    for rules in ("", "tickets: {least_severity: normal}", "tickets: {after_resolved_days: 60}"):
        ways = Ways(rules)
        ways.write(ways.feed.support("ada", NOON_MS, "opened", ticket_id="t"))
        assert ways.browse(NOON_MS + 30 * DAY_MS - 1).fate("tea_shelf") == "contact:ticket"
        # It was not resolved, so what follows a resolution does not begin.
        assert ways.browse(NOON_MS + 30 * DAY_MS).chosen == "tea_shelf"


def test_rules_count_no_ticket_that_was_not_heard_of_for_the_term() -> None:
    shop = CONTACTS_SHOP.replace(
        "id: tea_shelf,", "id: tea_shelf, rules: {eligibility: [calm: open_tickets == 0]},", 1
    )
    ways = Ways("tickets: {silence: false, closes_after_hours: 5}", shop)
    ways.write(ways.feed.support("ada", NOON_MS, "message", ticket_id="t"))
    assert ways.browse(NOON_MS + 5 * HOUR_MS - 1).fate("tea_shelf") == "eligibility:calm"
    assert ways.browse(NOON_MS + 5 * HOUR_MS).chosen == "tea_shelf"


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("closes_after_minutes: 5", "closes_after_minutes"),
        ("closes_after_days: 400", "closes_after_days"),
        ("closes_afer_days: 4", "did you mean"),
    ],
)
def test_a_term_that_makes_no_sense_is_refused_with_its_place(term: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        load(CONTACTS_SHOP.rstrip() + f"\ntickets: {{{term}}}\n")


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_topic_and_product_are_the_latest_that_the_desk_named(arrival: tuple[int, ...]) -> None:
    steps = [
        ("opened", 0.0, {"topic": "delivery", "product": "teapot"}),
        ("message", 1.0, {}),
        ("escalated", 2.0, {"topic": "damaged"}),
    ]
    ticket = told(*(steps[place] for place in arrival))
    assert (ticket.topic, ticket.product) == ("damaged", "teapot")
    assert ticket.heard_ms == NOON_MS + 2 * DAY_MS


def test_a_rating_does_not_open_a_silent_ticket_again() -> None:
    ways = Ways()
    ways.ticket(NOON_MS)
    assert ways.browse(NOON_MS + 40 * DAY_MS).chosen == "tea_shelf"
    ways.ticket(NOON_MS + 50 * DAY_MS, "rated", satisfaction=5)
    assert ways.browse(NOON_MS + 51 * DAY_MS).chosen == "tea_shelf"
    # A message does: the customer is still waiting.
    ways.ticket(NOON_MS + 52 * DAY_MS, "message")
    assert ways.browse(NOON_MS + 53 * DAY_MS).fate("tea_shelf") == "contact:ticket"


def test_a_rating_names_only_what_no_other_event_named() -> None:
    ticket = told(
        ("opened", 0, {"topic": "delivery"}), ("rated", 5, {"topic": "x", "product": "p"})
    )
    assert (ticket.topic, ticket.product, ticket.heard_ms) == ("delivery", "p", NOON_MS)


def test_what_a_desk_says_takes_no_more_room_than_it_may() -> None:
    ticket = told(("opened", 0, {"topic": "t" * 200, "product": "é" * 100}))
    for text in (ticket.topic, ticket.product):
        assert text is not None
        assert len(text.encode()) <= MAX_TOPIC_BYTES


def test_a_ticket_of_a_year_ago_makes_room_before_one_that_was_resolved_today() -> None:
    feed, state = Feed(), CustomerState()
    year_ms = 365 * DAY_MS
    for number in range(MAX_TICKETS):
        fold(state, feed.support("ada", NOON_MS + number, ticket_id=f"old{number}"), Timers())
    for kind in ("opened", "resolved"):
        fold(state, feed.support("ada", NOON_MS + year_ms, kind, ticket_id="today"), Timers())
    assert "old0" not in state.tickets
    fold(state, feed.support("ada", NOON_MS + year_ms + 1, ticket_id="next"), Timers())
    assert {"today", "next"} <= state.tickets.keys()
    assert "old1" not in state.tickets


def test_of_two_identities_a_ticket_was_heard_of_when_the_later_one_did() -> None:
    a, b = CustomerState(), CustomerState()
    told(("opened", 0, {"topic": "delivery"}), state=a)
    told(("message", 9, {"product": "teapot"}), state=b)
    one, other = merge(a, b), merge(b, a)
    assert one.tickets == other.tickets
    ticket = one.tickets["ticket"]
    assert (ticket.heard_ms, ticket.topic, ticket.product) == (
        NOON_MS + 9 * DAY_MS,
        "delivery",
        "teapot",
    )
