"""An event counts once, however often it is sent and however long a history is."""

from __future__ import annotations

import pytest

from schemas.records import OrderLine
from streams.core.folds.merge import merge
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.counted_ids import CART, MOST_IDS, PURCHASES, SUPPORT, entries
from streams.core.state.layout import (
    MAX_PURCHASE_IDS,
)
from streams.core.units import (
    DAY_MS,
    MINUTE_MS,
    SECOND_MS,
)
from tests.support.desk import Desk
from tests.support.events import NOON_MS, Feed
from tests.support.histories import CUP, again, days_of, heard, shuffled


def test_a_history_of_orders_that_is_fed_twice_counts_once() -> None:
    feed = Feed()
    history = days_of(feed, 20, ("order", "order", "return", "refund", "subscription_change"))
    once, _ = heard(*history)
    twice, counted = heard(*history, *again(feed, history))
    assert counted == 20
    for name in ("total_orders", "total_refunds", "total_spend", "orders_30d", "refunds_30d"):
        assert twice.number(name) == once.number(name), name


@pytest.mark.parametrize("seed", range(5))
def test_up_to_what_is_remembered_neither_order_nor_number_of_feeds_matters(seed: int) -> None:
    feed = Feed()
    history = days_of(feed, MAX_PURCHASE_IDS)
    fed = [*shuffled(history, seed), *again(feed, shuffled(history, seed + 9)), *history[::-1]]
    state, counted = heard(*fed)
    assert (counted, state.number("total_orders")) == (MAX_PURCHASE_IDS, MAX_PURCHASE_IDS)
    assert len(entries(state.known_ids[PURCHASES])) == MAX_PURCHASE_IDS


def test_a_history_of_any_length_that_is_fed_in_its_order_counts_once() -> None:
    feed = Feed()
    history = days_of(feed, 5 * MAX_PURCHASE_IDS)
    state, counted = heard(*history, *again(feed, history), *again(feed, history))
    assert counted == state.number("total_orders") == 5 * MAX_PURCHASE_IDS
    # And today's order is none of them.
    today = feed.order("ada", NOON_MS + 5 * MAX_PURCHASE_IDS * DAY_MS, CUP)
    assert heard(today, state=state)[1] == 1


def test_beyond_what_is_remembered_an_older_event_never_counts_twice() -> None:
    """It may not count at all: too little rather than too much, as the docs of the schema say."""
    feed = Feed()
    history = days_of(feed, MAX_PURCHASE_IDS + 30)
    state, counted = heard(*history[::-1], *again(feed, history))
    assert MAX_PURCHASE_IDS <= counted <= len(history)
    assert state.number("total_orders") == counted


def test_all_purchases_of_a_till_that_books_its_customers_on_one_count_once() -> None:
    feed = Feed()
    history = [feed.order("ada", NOON_MS + n * SECOND_MS, CUP) for n in range(2 * MAX_PURCHASE_IDS)]
    state, counted = heard(*history, *again(feed, history), *again(feed, history[::-1]))
    assert (counted, state.number("total_orders")) == (2 * MAX_PURCHASE_IDS, 2 * MAX_PURCHASE_IDS)


def test_an_event_that_is_older_than_a_full_memory_counts_once() -> None:
    feed = Feed()
    newest = [feed.order("ada", NOON_MS + n * SECOND_MS, CUP) for n in range(MAX_PURCHASE_IDS)]
    old = [feed.order("ada", NOON_MS - 3 * DAY_MS + n * SECOND_MS, CUP) for n in range(30)]
    state, _ = heard(*newest, *old)
    orders = state.number("total_orders")
    # The first of them finds room for nothing behind it: what it drops is its own id.
    state, counted = heard(*again(feed, old), *again(feed, newest), state=state)
    assert (counted, state.number("total_orders")) == (0, orders)


def test_nothing_is_refused_for_its_time_before_something_was_dropped() -> None:
    feed = Feed()
    newest = days_of(feed, MAX_PURCHASE_IDS)
    late = feed.order("ada", NOON_MS - 9 * DAY_MS, CUP)
    later = feed.order("ada", NOON_MS - 8 * DAY_MS, CUP)
    assert heard(*newest, late, later)[1] == MAX_PURCHASE_IDS + 2


def test_a_step_of_the_cart_that_comes_seconds_late_counts() -> None:
    """More steps than are remembered lie shortly before it, and none of its own time."""
    feed = Feed()
    adds = [
        feed.click("ada", NOON_MS - MINUTE_MS + n * SECOND_MS, "add_to_cart", product=f"p{n}")
        for n in range(MOST_IDS[CART])
    ]
    steps = [
        feed.click("ada", NOON_MS + ms, "add_to_cart", product=f"late{ms}")
        for ms in (SECOND_MS, -SECOND_MS)
    ]
    assert heard(*adds, *steps)[1] == MOST_IDS[CART] + 2


def test_a_list_that_is_put_into_the_cart_at_once_counts_as_a_whole() -> None:
    feed = Feed()
    adds = [feed.click("ada", NOON_MS, "add_to_cart", product="cup") for _ in range(40)]
    state, counted = heard(*adds)
    assert (counted, state.cart["cup"].quantity_milli) == (40, 40_000)


@pytest.mark.parametrize("late_ms", [1_500, DAY_MS])
def test_a_ticket_is_answered_however_many_newer_support_events_are_known(late_ms: int) -> None:
    desk = Desk()
    desk.write(
        *[
            desk.feed.support("ada", NOON_MS - MINUTE_MS + n * SECOND_MS, "message", ticket_id="x")
            for n in range(MOST_IDS[SUPPORT] + 5)
        ]
    )
    message = desk.feed.support("ada", NOON_MS, "message", ticket_id="x")
    ticket = desk.feed.support("ada", NOON_MS - late_ms, ticket_id="new")
    answers = desk.write(message, ticket)
    state = desk.log.store.states["ada"]
    assert (state.number("total_tickets"), "new" in state.tickets) == (1, True)
    # Of a day ago nothing is answered today, but it is known.
    assert len(answers) == (late_ms < DAY_MS)
    desk.write(desk.feed.again(ticket), desk.feed.again(ticket))
    assert desk.log.store.states["ada"].number("total_tickets") == 1


def test_a_thousand_clicks_do_not_push_out_an_order() -> None:
    feed = Feed()
    order = feed.order("ada", NOON_MS, CUP)
    clicks = [feed.click("ada", NOON_MS + MINUTE_MS * n) for n in range(1_000)]
    state, _ = heard(order, *clicks, feed.again(order))
    assert state.number("total_orders") == 1


def test_an_order_and_its_return_are_two_events() -> None:
    feed = Feed()
    order = feed.order("ada", NOON_MS, CUP, order_id="o1")
    parts = [feed.order("ada", NOON_MS + n, CUP, kind="return", order_id="o1") for n in (5, 6)]
    state, counted = heard(order, *parts)
    assert (counted, state.number("total_orders"), state.number("total_refunds")) == (3, 1, 2)


def test_an_order_that_two_events_tell_of_counts_once_also_when_both_are_fed_again() -> None:
    """A shop's systems say `created` and `paid` and give each an id of its own."""
    feed = Feed()
    told = []
    for day in range(20):
        for minute in range(2):
            at_ms = NOON_MS + day * DAY_MS + minute * MINUTE_MS
            told.append(feed.order("ada", at_ms, CUP, order_id=f"o{day}"))
    state, counted = heard(*told, *again(feed, told))
    assert (counted, state.number("total_orders")) == (20, 20)


def test_events_for_each_line_of_an_order_all_count() -> None:
    feed = Feed()
    lines = [OrderLine(product, "tea", 1.0, 900) for product in ("cup", "pot", "tin")]
    told = [feed.order("ada", NOON_MS, line, order_id="o1") for line in lines]
    state, _ = heard(*told, *again(feed, told))
    assert (state.number("total_spend"), len(state.products)) == (2_700, 3)


def test_steps_of_the_cart_that_are_fed_twice_count_once_also_after_it_was_ordered() -> None:
    feed = Feed()
    adds = [feed.click("ada", NOON_MS + n, "add_to_cart", product="cup") for n in range(3)]
    views = [feed.click("ada", NOON_MS + n) for n in range(20)]
    state, _ = heard(*adds, *views, *again(feed, adds))
    assert state.cart["cup"].quantity_milli == 3_000
    state, _ = heard(feed.order("ada", NOON_MS + DAY_MS, CUP), state=state)
    added = state.number("cart_adds_30d")
    state, _ = heard(*again(feed, adds), state=state)
    assert (state.cart, state.number("cart_adds_30d")) == ({}, added)


def test_two_states_that_become_one_know_what_either_knew() -> None:
    feed = Feed()
    a, b = days_of(feed, 100), days_of(feed, 60)
    one = merge(heard(*a)[0], heard(*b)[0])
    other = merge(heard(*b)[0], heard(*a)[0])
    assert one.known_ids == other.known_ids
    newest = sorted([*a[40:], *b], key=lambda event: event.at_ms)[-MAX_PURCHASE_IDS:]
    one.applied_offset = -1
    assert heard(*again(feed, newest), state=one)[1] == 0


def test_of_two_states_that_become_one_the_higher_floor_holds() -> None:
    feed = Feed()
    many, few = days_of(feed, 3 * MAX_PURCHASE_IDS), days_of(feed, 2)
    one = merge(heard(*many)[0], heard(*few)[0])
    other = merge(heard(*few)[0], heard(*many)[0])
    assert one.known_ids == other.known_ids
    one.applied_offset = -1
    assert heard(*again(feed, [*many, *few]), state=one)[1] == 0


def test_what_is_remembered_is_stored_and_forgotten_with_the_person() -> None:
    feed = Feed()
    state, _ = heard(*days_of(feed, 3))
    assert decode_customer(encode_customer(state)) == state
    assert list(state.known_ids) == [PURCHASES]
    state, _ = heard(feed.profile("ada", NOON_MS + 9 * DAY_MS, "erasure"), state=state)
    assert state.known_ids == {}
    old = feed.order("ada", NOON_MS + DAY_MS, CUP)
    assert heard(old, state=state)[1] == 0


def test_every_kind_has_room_for_as_many_as_a_week_brings() -> None:
    assert min(MOST_IDS.values()) >= 20
