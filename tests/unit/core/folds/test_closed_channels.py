"""The latest word on a channel: closed by an outcome or setting, opened by setting or consent."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.records import CustomerEvent
from streams.feed.topic_fields import problem_of, topic_fields
from tests.support.events import NOON_MS, Feed, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load
from tests.unit.core.folds.test_fold import folded


def test_a_yes_to_marketing_opens_channels_that_were_closed_before() -> None:
    feed = Feed()
    state = folded(
        feed.outcome("ada", NOON_MS, "unsubscribe", "d", channel="email"),
        feed.outcome("ada", NOON_MS + 20, "unsubscribe", "d", channel="sms"),
        feed.consent("ada", NOON_MS + 10, "marketing", granted=True),
    )
    assert state.unsubscribed == {"sms": NOON_MS + 20}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_channel_is_closed_by_what_was_said_last_in_whichever_order_it_is_heard(
    order: tuple[int, ...],
) -> None:
    feed = Feed()
    events: list[CustomerEvent] = [
        feed.outcome("ada", NOON_MS, "unsubscribe", "d", channel="email"),
        feed.consent("ada", NOON_MS + 10, "marketing", granted=True),
        feed.outcome("ada", NOON_MS + 20, "unsubscribe", "d", channel="sms"),
    ]
    assert folded(*(events[place] for place in order)).unsubscribed == {"sms": NOON_MS + 20}


def test_who_unsubscribes_without_saying_from_what_is_not_reached_out_to() -> None:
    state = folded(Feed().outcome("ada", NOON_MS, "unsubscribe", "unknown"))
    assert sorted(state.unsubscribed) == ["call_center", "email", "sms"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_latest_word_on_a_channel_counts_in_whichever_order_it_is_heard(
    order: tuple[int, ...],
) -> None:
    feed = Feed()

    def setting(at_ms: int, channel: str, *, granted: bool) -> CustomerEvent:
        return feed.profile("ada", at_ms, "channel_setting", channel=channel, granted=granted)

    events: list[CustomerEvent] = [
        setting(NOON_MS, "email", granted=False),
        setting(NOON_MS + 10, "email", granted=True),
        setting(NOON_MS + 10, "sms", granted=True),
        feed.outcome("ada", NOON_MS + 20, "unsubscribe", "d", channel="sms"),
    ]
    assert folded(*(events[place] for place in order)).unsubscribed == {"sms": NOON_MS + 20}


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_of_a_yes_and_a_no_to_a_channel_at_the_same_time_the_no_counts(
    order: tuple[int, ...],
) -> None:
    feed = Feed()
    events = [
        feed.profile("ada", NOON_MS, "channel_setting", channel="sms", granted=granted)
        for granted in (True, False)
    ]
    assert folded(*(events[place] for place in order)).unsubscribed == {"sms": NOON_MS}


def test_a_no_to_all_channels_is_taken_back_one_by_one() -> None:
    feed = Feed()
    state = folded(
        feed.profile("ada", NOON_MS, "channel_setting", channel="other", granted=False),
        feed.profile("ada", NOON_MS + 1, "channel_setting", channel="sms", granted=True),
    )
    assert sorted(state.unsubscribed) == ["call_center", "email"]


def test_erasure_keeps_a_closed_channel_and_forgets_an_opened_one() -> None:
    feed = Feed()
    state = folded(
        feed.profile("ada", NOON_MS, "channel_setting", channel="email", granted=False),
        feed.profile("ada", NOON_MS, "channel_setting", channel="sms", granted=True),
        feed.profile("ada", NOON_MS + 1, "erasure"),
    )
    assert (state.unsubscribed, state.resubscribed) == ({"email": NOON_MS}, {})


def test_a_feed_may_write_the_settings_of_channels() -> None:
    assert {"channel", "granted"} <= set(topic_fields("profile").types)
    event = {
        "event_id": "e",
        "customer_id": "ada",
        "occurred_at": NOON_MS,
        "kind": "channel_setting",
        "channel": "email",
        "granted": False,
    }
    assert problem_of("profile", event, NOON_MS) is None
    assert problem_of("profile", event | {"channel": None}, NOON_MS) == (
        "missing_field: channel_setting needs channel"
    )


def test_a_no_is_not_lost_by_an_event_id_that_was_used_before() -> None:
    """As by a channel that gives one id to all outcomes of a decision."""
    feed = Feed()
    events: list[CustomerEvent] = [
        feed.outcome("ada", NOON_MS, "click", "d", channel="email"),
        feed.consent("ada", NOON_MS, "personalization", granted=True),
        feed.outcome("ada", NOON_MS + 1, "unsubscribe", "d", channel="email"),
        feed.profile("ada", NOON_MS + 1, "channel_setting", channel="sms", granted=False),
        feed.consent("ada", NOON_MS + 2, "personalization", granted=False),
    ]
    for event in events:
        event.event_id = "d"
    log = Log(MemoryVersions(load()))
    log.play([(0, use(load())), *enumerate(events, 1)])
    state = log.store.states["ada"]
    assert state.unsubscribed == {"email": NOON_MS + 1, "sms": NOON_MS + 1}
    assert state.number("consent_personalization") == -1


def test_an_erasure_is_not_lost_by_an_event_id_that_was_used_before() -> None:
    feed = Feed()
    told = feed.profile("ada", NOON_MS, "preference", subject="tea", weight=1.0)
    asked = feed.profile("ada", NOON_MS + 1, "erasure")
    later = feed.profile("ada", NOON_MS + 2, "preference", subject="coffee", weight=1.0)
    asked.event_id = told.event_id
    again = feed.profile("ada", NOON_MS + 1, "erasure")
    again.event_id = asked.event_id
    log = Log(MemoryVersions(load()))
    log.play([(0, use(load())), *enumerate([told, asked, later, again], 1)])
    state = log.store.states["ada"]
    assert state.number("erased_ms") == NOON_MS + 1
    # The erasure that is sent again takes nothing of what came after it.
    assert list(state.preferences) == ["coffee"]


def test_a_no_that_is_sent_again_closes_nothing_that_was_opened_since() -> None:
    feed = Feed()
    no = feed.outcome("ada", NOON_MS, "unsubscribe", "d", channel="email")
    yes = feed.consent("ada", NOON_MS + 1, "marketing", granted=True)
    no_more = feed.consent("ada", NOON_MS + 2, "marketing", granted=False)
    again = feed.outcome("ada", NOON_MS, "unsubscribe", "d", channel="email")
    again.event_id = no.event_id
    events: list[CustomerEvent] = [no, yes, no_more, again]
    log = Log(MemoryVersions(load()))
    log.play([(0, use(load())), *enumerate(events, 1)])
    assert log.store.states["ada"].unsubscribed == {}
