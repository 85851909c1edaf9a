"""Timers: due times in the state, fired by ticks, each once."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from schemas.records import CustomerEvent, OrderLine, Tick, TimelineRecord
from streams.core.engine.timer_index import TimerIndex
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, load

CATALOGUE = load(SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0"))
CART_LEFT_MS, GONE_QUIET_MS = 30 * MINUTE_MS, 3 * DAY_MS


def moments(*records: TimelineRecord) -> list[tuple[str, int]]:
    """Return what timers made due, and when."""
    out = Log(MemoryVersions(CATALOGUE)).play(numbered([use(CATALOGUE), *records]))
    return [(d.moment, d.decided_at_ms) for d in out.decisions if d.trigger.topic == "timeline"]


def test_a_cart_is_left_when_nothing_happened_to_it_for_a_while() -> None:
    feed = Feed()
    last_ms = NOON_MS + 20 * MINUTE_MS
    assert moments(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
        feed.click("ada", last_ms, "add_to_cart", product="cup"),
        Tick(NOON_MS + CART_LEFT_MS),
        Tick(last_ms + CART_LEFT_MS - 1),
        Tick(last_ms + CART_LEFT_MS),
        Tick(last_ms + CART_LEFT_MS + HOUR_MS),
    ) == [("cart_left", last_ms + CART_LEFT_MS)]


def test_an_empty_cart_is_not_left() -> None:
    feed = Feed()
    assert not moments(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
        feed.click("ada", NOON_MS + 5, "remove_from_cart", product="pot"),
        Tick(NOON_MS + DAY_MS),
    )


def test_late_news_do_not_bring_up_a_timer_that_has_fired() -> None:
    feed = Feed()
    fired_ms = NOON_MS + CART_LEFT_MS
    assert moments(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
        Tick(fired_ms),
        feed.click("ada", NOON_MS - 5, "add_to_cart", product="cup"),
        feed.order("ada", NOON_MS - 10),
        Tick(fired_ms + HOUR_MS),
    ) == [("cart_left", fired_ms)]


def test_a_late_add_to_a_cart_that_was_empty_is_noticed() -> None:
    feed = Feed()
    assert moments(
        feed.click("ada", NOON_MS, "remove_from_cart", product="pot"),
        feed.click("ada", NOON_MS - 5, "add_to_cart", product="cup"),
        Tick(NOON_MS + DAY_MS),
    ) == [("cart_left", NOON_MS + DAY_MS)]


def test_whoever_is_not_seen_for_days_has_gone_quiet_once() -> None:
    feed = Feed()
    back_ms = NOON_MS + 10 * DAY_MS
    assert moments(
        feed.click("ada", NOON_MS),
        feed.support("ada", NOON_MS + DAY_MS, "resolved"),
        Tick(NOON_MS + GONE_QUIET_MS),
        Tick(NOON_MS + 2 * GONE_QUIET_MS),
        feed.click("ada", back_ms),
        Tick(back_ms + GONE_QUIET_MS),
    ) == [("gone_quiet", NOON_MS + GONE_QUIET_MS), ("gone_quiet", back_ms + GONE_QUIET_MS)]


def test_replenishment_comes_with_each_family_s_own_rhythm() -> None:
    feed = Feed()
    coffee = OrderLine("beans", "coffee", 1.0, 900)
    orders = [feed.order("ada", NOON_MS + week * 7 * DAY_MS) for week in range(3)]
    orders += [feed.order("ada", NOON_MS + 14 * DAY_MS + d * DAY_MS, coffee) for d in (1, 2, 3)]
    due = moments(*orders, *(Tick(NOON_MS + day * DAY_MS) for day in range(17, 40)))
    replenishment = [at_ms for moment, at_ms in due if moment == "replenishment_due"]
    assert replenishment == [NOON_MS + 18 * DAY_MS, NOON_MS + 21 * DAY_MS]


def test_two_purchases_are_no_rhythm() -> None:
    feed = Feed()
    orders = [feed.order("ada", NOON_MS + week * 7 * DAY_MS) for week in range(2)]
    due = moments(*orders, Tick(NOON_MS + 30 * DAY_MS))
    assert [moment for moment, _ in due] == ["gone_quiet"]


def test_one_tick_fires_all_that_is_due_earliest_first() -> None:
    feed = Feed()
    due = moments(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
        feed.click("bob", NOON_MS, "add_to_cart", product="pot"),
        Tick(NOON_MS + 5 * DAY_MS),
    )
    assert [moment for moment, _ in due] == ["cart_left", "gone_quiet"] * 2


def test_the_index_finds_whoever_is_due_and_nobody_else() -> None:
    chance, index = Random(4), TimerIndex()
    due: dict[str, int] = {}
    for now_ms in range(0, 4_000, 10):
        for _ in range(5):
            customer, due_ms = f"c{chance.randrange(40)}", chance.choice((0, now_ms + 500))
            due_ms = due_ms and chance.randrange(now_ms + 1, now_ms + 900)
            index.arm(customer, due_ms)
            due.pop(customer, None)
            if due_ms:
                due[customer] = due_ms
        expected = sorted(customer for customer, due_ms in due.items() if due_ms <= now_ms)
        assert index.take_due(now_ms) == expected
        for customer in expected:
            del due[customer]
        assert len(index) == len(due)


def test_the_index_finds_at_any_distance_who_was_put_off_or_forward() -> None:
    chance, index = Random(5), TimerIndex()
    due: dict[str, int] = {}
    for now_ms in range(0, 20 * DAY_MS, 7 * HOUR_MS // 20):
        for _ in range(3):
            customer = f"c{chance.randrange(200)}"
            due[customer] = now_ms + chance.choice((1, HOUR_MS // 2, HOUR_MS, 5 * DAY_MS))
            index.arm(customer, due[customer])
        expected = sorted(customer for customer, due_ms in due.items() if due_ms <= now_ms)
        assert index.take_due(now_ms) == expected
        for customer in expected:
            del due[customer]


@pytest.mark.parametrize("away_ms", [HOUR_MS // 2, 45 * DAY_MS])
def test_the_index_does_not_grow_with_events_that_put_a_timer_off_or_forward(away_ms: int) -> None:
    index = TimerIndex()
    assert index.take_due(0) == []
    for now_ms in range(1, 50_000):
        index.arm("ada", now_ms + away_ms)
        index.arm("ada", away_ms)
    assert len(index) == 1
    assert len(index._soon) < 2_000
    assert index.take_due(away_ms) == ["ada"]


def late(event: CustomerEvent) -> CustomerEvent:
    """Return the event as one that arrived years after it was done."""
    event.origin = msgspec.structs.replace(event.origin, seen_at_ms=NOON_MS, stale=True)
    return event


def test_history_that_arrives_late_brings_no_moment_of_its_own() -> None:
    """An order, a cart and a silence of two years ago are remembered, and not answered today."""
    feed, log = Feed(), Log(MemoryVersions(CATALOGUE))
    records: list[TimelineRecord] = [use(CATALOGUE)]
    for days in (700, 690, 680, 670):
        records.append(late(feed.order("ada", NOON_MS - days * DAY_MS)))
    records.append(late(feed.click("ada", NOON_MS - 660 * DAY_MS, "add_to_cart", product="p")))
    records += [Tick(NOON_MS + 1_000), Tick(NOON_MS + 2 * DAY_MS)]
    assert log.play(numbered(records)).decisions == []
    assert log.store.states["ada"].number("total_orders") == 4


def test_what_history_leads_us_to_expect_is_waited_for() -> None:
    feed = Feed()
    ordered = late(feed.order("bob", NOON_MS - 2 * DAY_MS))
    found = moments(ordered, Tick(NOON_MS), Tick(NOON_MS - 2 * DAY_MS + GONE_QUIET_MS))
    assert [moment for moment, _ in found] == ["gone_quiet"]
