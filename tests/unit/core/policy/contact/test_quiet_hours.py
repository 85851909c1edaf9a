"""Quiet hours: another channel, nothing at all, or the same moment again when they are over."""

from __future__ import annotations

import pytest

from streams.analysis.state_view import view
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.contacts import ADA, SHOP, Ways, ms
from tests.support.events import NOON_MS

NIGHT = "quiet_hours: {from: 22:00, until: 08:00%s}"
BERLIN = "Europe/Berlin"


def night(more: str = "") -> str:
    return NIGHT % more


def test_at_night_the_next_channel_is_used() -> None:
    ways = Ways(night())
    answer = ways.refund(ms("2024-01-15T23:00"))
    assert answer.action is not None
    assert answer.action.channel == "app"


@pytest.mark.parametrize("then", ["discard", "wait"])
def test_at_night_no_other_channel_is_used_where_the_catalogue_says_so(then: str) -> None:
    ways = Ways(night(f", then: {then}"))
    assert ways.refund(ms("2024-01-15T23:00")).fate("letter_or_note") == "contact:quiet_hours"


def test_what_is_discarded_does_not_come_back() -> None:
    ways = Ways(night(", then: discard"))
    assert ways.order(ms("2024-01-15T23:00")).chosen == "no_action"
    assert ways.tick(ms("2024-01-16T08:00")) == []


def test_what_waits_is_decided_anew_when_the_night_is_over() -> None:
    ways = Ways(night(", then: wait"))
    assert ways.order(ms("2024-01-15T23:00")).chosen == "no_action"
    assert view(ways.state, ms("2024-01-15T23:00"))["waiting"] == "order_placed"
    assert ways.tick(ms("2024-01-16T07:59:59")) == []
    (answer,) = ways.tick(ms("2024-01-16T08:00"))
    assert (answer.decision.moment, answer.chosen) == ("order_placed", "letter")
    assert ways.tick(ms("2024-01-17T08:00")) == []


def test_who_waits_is_decided_for_under_the_state_of_the_morning() -> None:
    ways = Ways(night(", then: wait"))
    ways.order(ms("2024-01-15T23:00"))
    ways.ticket(ms("2024-01-15T23:30"))
    (answer,) = ways.tick(ms("2024-01-16T08:00"))
    assert answer.fate("letter") == "contact:ticket"


def test_a_morning_that_comes_late_waits_for_the_next_one() -> None:
    """The worker was away all day: its first tick falls into the next night."""
    ways = Ways(night(", then: wait"))
    ways.order(ms("2024-01-15T23:00"))
    (answer,) = ways.tick(ms("2024-01-16T23:30"))
    assert answer.fate("letter") == "contact:quiet_hours"
    (answer,) = ways.tick(ms("2024-01-17T08:00"))
    assert answer.chosen == "letter"


def test_a_cart_that_was_bought_or_emptied_overnight_is_not_waited_for() -> None:
    for kind in ("order", "remove_from_cart"):
        ways = Ways(night(", then: wait") + "\ntimers: {cart_left_minutes: 30}")
        ways.write(ways.feed.click(ADA, ms("2024-01-15T22:00"), "add_to_cart", product="pot"))
        (answer,) = ways.tick(ms("2024-01-15T22:30"))
        assert answer.fate("letter") == "contact:quiet_hours"
        if kind == "order":
            answered = ways.order(ms("2024-01-16T07:59"))
            assert answered.fate("letter") == "contact:quiet_hours"
            # The order itself now waits, in place of the cart.
            assert [a.decision.moment for a in ways.tick(ms("2024-01-16T08:00"))] == [
                "order_placed"
            ]
        else:
            ways.write(ways.feed.click(ADA, ms("2024-01-16T07:00"), kind, product="pot"))
            assert ways.tick(ms("2024-01-16T08:00")) == []


def test_somebody_gone_quiet_who_came_back_overnight_is_not_missed() -> None:
    ways = Ways(night(", then: wait") + "\ntimers: {gone_quiet_days: 3}")
    ways.browse(ms("2024-01-15T23:00"))
    (answer,) = ways.tick(ms("2024-01-18T23:00"))
    assert answer.decision.moment == "gone_quiet"
    ways.browse(ms("2024-01-19T07:00"))
    assert ways.tick(ms("2024-01-19T08:00")) == []


def test_one_tick_that_brings_a_moment_twice_decides_once() -> None:
    """After an outage the night of an older cart and the silence of a newer one end together."""
    ways = Ways(night(", then: wait") + "\ntimers: {cart_left_minutes: 30}")
    ways.write(ways.feed.click(ADA, ms("2024-01-15T22:00"), "add_to_cart", product="pot"))
    assert len(ways.tick(ms("2024-01-15T22:30"))) == 1
    ways.write(ways.feed.click(ADA, ms("2024-01-16T07:45"), "add_to_cart", product="cup"))
    (answer,) = ways.tick(ms("2024-01-16T09:00"))
    assert (answer.decision.moment, answer.chosen) == ("cart_left", "letter")
    assert ways.tick(ms("2024-01-17T09:00")) == []


def test_a_tick_of_the_next_night_decides_once_and_keeps_waiting() -> None:
    ways = Ways(night(", then: wait") + "\ntimers: {cart_left_minutes: 30}")
    ways.write(ways.feed.click(ADA, ms("2024-01-15T22:00"), "add_to_cart", product="pot"))
    ways.tick(ms("2024-01-15T22:30"))
    ways.write(ways.feed.click(ADA, ms("2024-01-16T07:00"), "add_to_cart", product="cup"))
    (answer,) = ways.tick(ms("2024-01-16T22:30"))
    assert answer.fate("letter") == "contact:quiet_hours"
    (answer,) = ways.tick(ms("2024-01-17T08:00"))
    assert answer.chosen == "letter"


def test_who_is_here_now_is_not_waited_for() -> None:
    """A visit is over by the morning, and so is what would have been said in it."""
    shop = SHOP.replace("channel: web", "channel: sms")
    ways = Ways(night(", then: wait"), shop)
    assert ways.browse(ms("2024-01-15T23:00")).fate("tea_shelf") == "contact:quiet_hours"
    assert ways.tick(ms("2024-01-16T08:00")) == []


@pytest.mark.parametrize("then", ["other_channel", "discard", "wait"])
def test_service_is_owed_at_night_too(then: str) -> None:
    ways = Ways(night(f", then: {then}"))
    (answer,) = ways.ticket(ms("2024-01-15T23:00"))
    assert answer.chosen == "answer"


def test_what_a_customer_set_goes_before_the_catalogues_hours() -> None:
    ways = Ways(night(", then: wait"))
    own = ways.feed.profile(
        ADA, 1_000, "contact_setting", quiet_from_minute=12 * 60, quiet_until_minute=14 * 60
    )
    ways.write(own)
    assert ways.order(ms("2024-01-15T23:00")).chosen == "letter"
    assert ways.order(ms("2024-01-16T13:00")).chosen == "no_action"
    assert [a.chosen for a in ways.tick(ms("2024-01-16T14:00"))] == ["letter"]


def test_whose_zone_is_not_known_is_assumed_where_the_catalogue_says() -> None:
    ways = Ways(night(", unknown_zone: Asia/Tokyo"))
    assert ways.order(ms("2024-01-15T12:59")).chosen == "letter"
    assert ways.order(ms("2024-01-15T13:00")).fate("letter") == "contact:quiet_hours"
    assert ways.order(ms("2024-01-15T23:00")).chosen == "letter"


def test_whose_zone_is_not_known_may_always_be_left_in_peace() -> None:
    ways = Ways(night(", then: wait, unknown_zone: always_quiet"))
    assert ways.order(ms("2024-01-15T12:00")).fate("letter") == "contact:quiet_hours"
    assert ways.tick(ms("2024-01-17T12:00")) == []
    ways.lives_in(BERLIN, ms("2024-01-17T12:00"))
    assert ways.order(ms("2024-01-17T12:01")).chosen == "letter"


@pytest.mark.parametrize(
    ("hours", "asked", "over"),
    [
        # Clocks go from 2:00 to 3:00 on 2024-03-31, at 1:00 UTC: the night is an hour shorter.
        (("22:00", "08:00"), "2024-03-30T22:00", "2024-03-31T06:00"),
        (("01:00", "03:30"), "2024-03-31T00:10", "2024-03-31T01:30"),
        # An end within the hour that does not exist: no later than an hour after it.
        (("22:00", "02:30"), "2024-03-30T22:00", "2024-03-31T01:30"),
        # And from 3:00 back to 2:00 on 2024-10-27, at 1:00 UTC: an hour longer.
        (("22:00", "08:00"), "2024-10-26T21:00", "2024-10-27T07:00"),
        (("01:00", "03:30"), "2024-10-27T00:10", "2024-10-27T02:30"),
        # An end within the hour that comes twice: the first time, and in the second the second.
        (("22:00", "02:30"), "2024-10-26T21:00", "2024-10-27T00:30"),
        (("22:00", "02:30"), "2024-10-27T01:10", "2024-10-27T01:30"),
    ],
)
def test_on_days_when_clocks_change_the_night_ends_by_the_clock_on_the_wall(
    hours: tuple[str, str], asked: str, over: str
) -> None:
    ways = Ways(f"quiet_hours: {{from: {hours[0]}, until: {hours[1]}, then: wait}}")
    ways.lives_in(BERLIN)
    assert ways.order(ms(asked)).fate("letter") == "contact:quiet_hours"
    assert ways.tick(ms(over) - SECOND_MS) == []
    assert [a.chosen for a in ways.tick(ms(over))] == ["letter"]


@pytest.mark.parametrize("day", ["2024-03-30", "2024-03-31", "2024-10-26", "2024-10-27"])
@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe"])
def test_whatever_is_asked_during_a_night_is_answered_in_the_day_that_follows(
    day: str, zone: str
) -> None:
    start = ms(f"{day}T00:00")
    for minute in range(0, 24 * 60, 97):
        ways = Ways("quiet_hours: {from: 21:30, until: 07:15, then: wait}")
        ways.lives_in(zone)
        asked_ms = start + minute * MINUTE_MS
        if ways.order(asked_ms).chosen == "letter":
            continue
        later = [
            answer
            for step in range(1, 16 * 4)
            for answer in ways.tick(asked_ms + step * HOUR_MS // 4)
        ]
        assert [answer.chosen for answer in later] == ["letter"]
        assert later[0].decision.decided_at_ms < asked_ms + DAY_MS // 2


def test_nobody_is_decided_for_in_the_morning_for_an_action_on_trial() -> None:
    on_trial = SHOP.replace(
        "{id: letter, moments: [order", "{id: letter, shadow: true, moments: [order"
    )
    quieter = on_trial.replace("[browsing, searching]", "[browsing, order_placed]")
    ways = Ways(night(", then: wait") + "\nno_action: {priority: 9}", quieter)
    assert ways.order(ms("2024-01-15T23:00")).fate("letter") == "contact:quiet_hours"
    assert ways.tick(ms("2024-01-16T08:00")) == []


def test_what_quiet_hours_alone_close_is_waited_for_where_the_first_way_is_closed() -> None:
    """The text is refused for good; the call only has to wait for the morning."""
    ways = Ways(night(", then: wait"))
    ways.write(ways.feed.profile(ADA, NOON_MS, "channel_setting", channel="sms", granted=False))
    answer = ways.sign_up(ms("2024-01-15T23:00"))
    assert (answer.chosen, answer.fate("letter_or_call")) == ("no_action", "contact:quiet_hours")
    (answer,) = ways.tick(ms("2024-01-16T08:00"))
    assert answer.action is not None
    assert answer.action.channel == "call_center"


def test_of_several_ways_that_only_quiet_hours_close_the_first_to_open_is_waited_for() -> None:
    shop = SHOP.replace(
        '{id: call, channel: call_center, message: "Call"}',
        '{id: call, channel: call_center, message: "Call"},\n'
        '                      {id: mail, channel: email, message: "Read"}',
    )
    calls = ", then: wait, channels: {call_center: {from: 22:00, until: 10:00}}"
    ways = Ways(night(calls), shop)
    ways.write(ways.feed.profile(ADA, NOON_MS, "channel_setting", channel="sms", granted=False))
    assert ways.sign_up(ms("2024-01-15T23:00")).chosen == "no_action"
    (answer,) = ways.tick(ms("2024-01-16T08:00"))
    assert answer.action is not None
    assert answer.action.channel == "email"


def test_what_is_closed_for_good_is_not_waited_for() -> None:
    ways = Ways(night(", then: wait"))
    for channel in ("sms", "call_center"):
        setting = ways.feed.profile(ADA, NOON_MS, "channel_setting", channel=channel, granted=False)
        ways.write(setting)
    answer = ways.sign_up(ms("2024-01-15T23:00"))
    assert answer.fate("letter_or_call") == "contact:no_open_channel"
    assert ways.tick(ms("2024-01-16T08:00")) == []
