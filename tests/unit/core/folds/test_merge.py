"""Two identities become one person: what adds up, what is latest, what is kept."""

from __future__ import annotations

from random import Random

from schemas.records import CustomerEvent, OrderLine
from streams.core.catalogue.values import Timers
from streams.core.folds.attribution import credit_purchase
from streams.core.folds.contacts import record_contact
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState, Pending
from streams.core.state.event_ids import apart
from streams.core.state.layout import (
    CONTACT_WIDTH,
    FAMILY,
    HEAD,
    MAX_CONTACTS,
    MAX_FAMILIES,
    MAX_PENDING,
    PENDING_FOR_SERVICE,
)
from streams.core.units import (
    DAY_MS,
)
from tests.support.events import NOON_MS, Feed


def folded(*events: CustomerEvent) -> CustomerState:
    state = CustomerState()
    for event in events:
        fold(state, event, Timers())
    return state


def both(a: CustomerState, b: CustomerState) -> CustomerState:
    """Merge, and make sure that it does not matter who comes first."""
    one, other = merge(a, b), merge(b, a)
    assert one == other
    return one


def test_a_stranger_adds_nothing() -> None:
    feed = Feed()
    ada = folded(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot", family="tea"),
        feed.support("ada", NOON_MS + 1),
        feed.profile("ada", NOON_MS + 2, "preference", subject="tea", weight=1.0),
    )
    assert both(ada, CustomerState()) == ada


def test_it_does_not_matter_who_comes_first_even_where_sums_have_bits_to_spare() -> None:
    slot = HEAD["views_1h"]
    for seed in range(50):
        chance = Random(seed)
        a, b = CustomerState(), CustomerState()
        a.head[slot], b.head[slot] = chance.random(), chance.random()
        both(a, b)


def test_consent_is_the_latest_and_at_a_tie_a_no() -> None:
    feed = Feed()
    yes = folded(feed.consent("a", NOON_MS, "marketing", granted=True))
    no = folded(feed.consent("b", NOON_MS, "marketing", granted=False))
    later = folded(feed.consent("c", NOON_MS + 1, "marketing", granted=True))
    assert both(yes, no).number("consent_marketing") == -1
    assert both(no, later).number("consent_marketing") == 1
    assert both(no, later).number("consent_marketing_ms") == NOON_MS + 1


def test_a_channel_closed_by_one_is_closed_unless_a_yes_came_after_it() -> None:
    feed = Feed()
    closed = folded(feed.outcome("a", NOON_MS, "unsubscribe", "d", channel="sms"))
    early = folded(feed.consent("b", NOON_MS - 1, "marketing", granted=True))
    late = folded(feed.consent("c", NOON_MS + 1, "marketing", granted=True))
    assert both(closed, early).unsubscribed == {"sms": NOON_MS}
    assert both(closed, late).unsubscribed == {}


def test_a_channel_opened_by_one_is_open_unless_a_no_came_after_it() -> None:
    feed = Feed()
    opened = folded(feed.profile("a", NOON_MS, "channel_setting", channel="sms", granted=True))
    early = folded(feed.outcome("b", NOON_MS - 1, "unsubscribe", "d", channel="sms"))
    late = folded(feed.outcome("c", NOON_MS + 1, "unsubscribe", "d", channel="sms"))
    assert both(opened, early).unsubscribed == {}
    assert both(opened, late).unsubscribed == {"sms": NOON_MS + 1}
    assert both(opened, early).resubscribed == {"sms": NOON_MS}


def test_the_first_sight_is_the_earliest_and_recency_the_latest() -> None:
    feed = Feed()
    one = both(folded(feed.click("a", NOON_MS)), folded(feed.click("b", NOON_MS + DAY_MS)))
    assert one.number("first_seen_ms") == NOON_MS
    assert one.number("latest_seen") == NOON_MS + DAY_MS


def test_quiet_hours_and_zone_are_the_latest_setting() -> None:
    feed = Feed()
    setting = {"quiet_from_minute": 60, "quiet_until_minute": 120}
    a = folded(feed.profile("a", NOON_MS, "contact_setting", time_zone="Asia/Tokyo", **setting))
    b = folded(feed.profile("b", NOON_MS + 1, "contact_setting", time_zone="Europe/Paris"))
    one = both(a, b)
    assert (one.time_zone, one.number("quiet_from_minute")) == ("Europe/Paris", 60)


def test_a_cart_of_one_is_emptied_by_a_later_order_of_the_other() -> None:
    feed = Feed()
    cart = folded(feed.click("a", NOON_MS, "add_to_cart", product="pot"))
    assert list(both(cart, folded(feed.order("b", NOON_MS - 1))).cart) == ["pot"]
    after = both(cart, folded(feed.order("b", NOON_MS + 1)))
    assert (after.cart, after.number("due_cart_left_ms")) == ({}, 0.0)


def test_of_a_cart_only_the_latest_step_is_left_if_the_other_ordered_before_it() -> None:
    feed = Feed()
    cart = folded(
        feed.click("a", NOON_MS, "add_to_cart", product="pot", quantity=3.0),
        feed.click("a", NOON_MS + 9, "add_to_cart", product="pot"),
    )
    one = both(cart, folded(feed.order("b", NOON_MS + 5)))
    assert one.cart["pot"].quantity_milli == 1_000


def test_a_ticket_that_both_know_is_as_the_latest_word_says() -> None:
    feed = Feed()
    a = folded(feed.support("a", NOON_MS, "opened"))
    b = folded(feed.support("b", NOON_MS + 1, "resolved", family="tea"))
    ticket = both(a, b).tickets["ticket"]
    assert (ticket.is_open, ticket.opened_at_ms, ticket.family) == (False, NOON_MS, "tea")


def test_days_on_which_both_bought_count_once() -> None:
    feed = Feed()
    a = folded(feed.order("a", NOON_MS), feed.order("a", NOON_MS + 7 * DAY_MS))
    b = folded(feed.order("b", NOON_MS + 7 * DAY_MS), feed.order("b", NOON_MS + 14 * DAY_MS))
    one = both(a, b)
    tea = one.families["tea"]
    assert (tea[FAMILY["order_days"]], one.products["earl_grey"].days) == (3, 4)
    assert tea[FAMILY["last_order_day"]] - tea[FAMILY["first_order_day"]] == 14


def test_the_strongest_families_and_the_latest_contacts_stay() -> None:
    feed = Feed()
    a, b = CustomerState(), CustomerState()
    for number in range(MAX_FAMILIES):
        line = OrderLine("p", f"bought{number}", 1.0, 1)
        fold(a, feed.order("a", NOON_MS, line), Timers())
        fold(b, feed.click("b", NOON_MS, family=f"viewed{number}"), Timers())
    for number in range(MAX_CONTACTS):
        record_contact(a, NOON_MS + 2 * number, "x", None, "i", "web")
        record_contact(b, NOON_MS + 2 * number + 1, "y", "tea", "i", "sms")
    one = both(a, b)
    assert set(one.families) == set(a.families)
    times = list(one.contacts[::CONTACT_WIDTH])
    assert times == [NOON_MS + number for number in range(MAX_CONTACTS, 2 * MAX_CONTACTS)]


MAX_OFFERS = MAX_PENDING - PENDING_FOR_SERVICE


def awaiting(number: int, *, rewarded: bool = False, service: bool = False) -> Pending:
    return Pending(
        decision_id=f"d{number:02}",
        model="main",
        action="a",
        family=None,
        issue="i",
        channel="web",
        decided_at_ms=NOON_MS,
        window_end_ms=NOON_MS + number,
        settle_at_ms=NOON_MS + number,
        outcomes=["click"],
        family_purchase=False,
        action_probability=0.5,
        feature_version="f",
        features=b"",
        rewarded=rewarded,
        service=service,
    )


def test_the_decisions_that_are_settled_first_stay_and_a_reward_is_not_lost() -> None:
    a, b = CustomerState(), CustomerState()
    a.pending = [awaiting(number) for number in range(0, 12, 2)]
    b.pending = [awaiting(number) for number in range(1, 12, 2)] + [awaiting(2, rewarded=True)]
    one = both(a, b)
    assert [p.decision_id for p in one.pending] == [f"d{n:02}" for n in range(MAX_OFFERS)]
    assert [p.decision_id for p in one.pending if p.rewarded] == ["d02"]
    assert not a.pending[1].rewarded


def test_service_keeps_its_room_among_the_decisions_of_both() -> None:
    a, b = CustomerState(), CustomerState()
    a.pending = [awaiting(number) for number in range(5)]
    b.pending = [awaiting(number) for number in range(5, 9)]
    b.pending += [awaiting(number, service=True) for number in range(20, 24)]
    one = both(a, b).pending
    assert len(one) == MAX_PENDING
    assert sum(pending.service for pending in one) == PENDING_FOR_SERVICE


def test_a_conversion_and_its_money_known_to_one_state_are_kept_once() -> None:
    feed, a, b = Feed(), CustomerState(), CustomerState()
    a.pending, b.pending = [awaiting(50)], [awaiting(50)]
    credit_purchase(a, feed.order("a", NOON_MS + 1, OrderLine("pot", "tea", 2.0, 300)))
    (one,) = both(a, b).pending
    assert (one.converted, one.spent_minor, one.currency) == (True, 600, "EUR")
    (again,) = both(a, a).pending
    assert (again.spent_minor, len(again.orders)) == (600, 1)


def test_orders_of_a_decision_that_each_state_knows_one_of_add_up() -> None:
    feed, a, b = Feed(), CustomerState(), CustomerState()
    a.pending, b.pending = [awaiting(50)], [awaiting(50)]
    credit_purchase(a, feed.order("a", NOON_MS + 1, OrderLine("pot", "tea", 2.0, 300)))
    credit_purchase(b, feed.order("b", NOON_MS + 2, OrderLine("cup", "tea", 1.0, 150)))
    (one,) = both(a, b).pending
    assert (one.spent_minor, len(one.orders)) == (750, 2)


def test_the_moment_that_quiet_hours_end_first_for_waits_on() -> None:
    a, b = CustomerState(), CustomerState()
    due, moment = HEAD["due_quiet_over_ms"], HEAD["waiting_moment"]
    a.head[due], a.head[moment] = NOON_MS + 5, 2.0
    b.head[moment] = 7.0
    one = both(a, b)
    assert (one.head[due], one.head[moment]) == (NOON_MS + 5, 2.0)
    b.head[due] = NOON_MS + 4
    one = both(a, b)
    assert (one.head[due], one.head[moment]) == (NOON_MS + 4, 7.0)


def test_events_and_sources_that_either_saw_stay_known() -> None:
    feed = Feed(partitions=2)
    a = folded(*(feed.click("a", NOON_MS + n) for n in range(6)))
    b = folded(*(feed.click("b", NOON_MS + n) for n in range(6)))
    one = both(a, b)
    assert set(apart(one.recent_ids)) == {*apart(a.recent_ids), *apart(b.recent_ids)}
    assert one.watermarks == b.watermarks


def test_erasure_of_one_keeps_old_events_of_both_away() -> None:
    feed = Feed()
    a, b = folded(feed.profile("a", NOON_MS, "erasure")), folded(feed.click("b", NOON_MS + 1))
    assert both(a, b).head[HEAD["erased_ms"]] == NOON_MS
