"""Presence: what is shown where a customer comes by is shown where the customer is."""

from __future__ import annotations

import pytest

from schemas.records import CustomerEvent, NextBestAction
from schemas.symbols import CHANNELS
from streams.core.channels import PASSIVE
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.scenarios.runner import catalogue
from tests.support.contacts import ADA, Answer, Ways
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions

EVERYWHERE = """
name: Everywhere
currency: EUR
holdout_ratio: 0
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
timers: {cart_left_minutes: 30}
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 12
    actions:
      - {id: shown, moments: [browsing, refunded, cart_left, signed_up], value: 2,
         treatments: [{id: banner, channel: web, message: "Look"},
                      {id: card, channel: app, message: "Look"},
                      {id: poster, channel: store, message: "Look"}]}
      - {id: shown_or_sent, moments: [searching, order_placed], value: 1,
         treatments: [{id: card, channel: app, message: "Look"},
                      {id: letter, channel: email, message: "Read"}]}
  - id: owed
    purpose: service
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 12
    actions:
      - {id: answer, moments: [ticket_opened], value: 1,
         treatments: [{id: banner, channel: web, message: "We have it"},
                      {id: note, channel: app, message: "We have it"},
                      {id: letter, channel: email, message: "We have it"}]}
"""


def one(ways: Ways, event: CustomerEvent) -> Answer:
    (answer,) = ways.write(event)
    return answer


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_passive_treatment_is_used_only_on_the_channel_of_the_event(channel: str) -> None:
    ways = Ways("", EVERYWHERE)
    answer = one(ways, ways.feed.click(ADA, NOON_MS, channel=channel))
    if channel in PASSIVE:
        assert answer.action is not None
        assert answer.action.channel == channel
    elif channel == "other":
        # Where the customer is is not known, so nothing speaks against the first.
        assert answer.decision.treatment == "banner"
    else:
        assert answer.chosen == "no_action"
        assert answer.fate("shown") == "contact:customer_elsewhere"


@pytest.mark.parametrize(
    ("channel", "treatment"),
    [("web", "letter"), ("app", "card"), ("email", "letter"), ("other", "card")],
)
def test_what_reaches_out_reaches_customers_wherever_they_are(channel: str, treatment: str) -> None:
    ways = Ways("", EVERYWHERE)
    answer = one(ways, ways.feed.click(ADA, NOON_MS, "search", channel=channel))
    assert answer.decision.treatment == treatment


@pytest.mark.parametrize(
    ("channel", "treatment"),
    [
        *(("web", "banner"), ("app", "note"), ("email", "letter"), ("call_center", "letter")),
        # A desk that does not tell: a note in an app that they may never open is not sent.
        ("other", "letter"),
    ],
)
def test_what_is_owed_is_shown_where_the_customer_is_or_sent(channel: str, treatment: str) -> None:
    ways = Ways("", EVERYWHERE)
    (answer,) = ways.ticket(NOON_MS, channel=channel)
    assert (answer.chosen, answer.decision.treatment) == ("answer", treatment)


def test_what_is_owed_is_shown_where_nothing_else_is_open() -> None:
    """The letter is refused for good, and it is not known where they are."""
    ways = Ways("service_after_unsubscribe: false", EVERYWHERE)
    no = ways.feed.profile(ADA, NOON_MS, "channel_setting", channel="email", granted=False)
    ways.write(no)
    (answer,) = ways.ticket(NOON_MS + 1, channel="other")
    assert answer.decision.treatment == "banner"


@pytest.mark.parametrize("pack", ["shop", "grocer", "streaming", "bank", "saas"])
@pytest.mark.parametrize(("channel", "used"), [("other", "email"), ("app", "app")])
def test_every_pack_acknowledges_a_ticket_where_it_is_read(
    pack: str, channel: str, used: str
) -> None:
    log, feed = Log(MemoryVersions(catalogue(pack))), Feed()
    ticket = feed.support(ADA, NOON_MS, channel=channel)
    out = log.play(numbered([use(catalogue(pack)), ticket]))
    assert [(a.action, a.channel) for a in out.actions] == [("we_are_on_it", used)]


def test_without_an_event_or_a_channel_there_is_no_presence_to_contradict() -> None:
    ways = Ways("", EVERYWHERE)
    assert ways.sign_up(NOON_MS).decision.treatment == "banner"
    ways.write(ways.feed.click(ADA, NOON_MS + 1, "add_to_cart", product="p", channel="app"))
    (answer,) = ways.tick(NOON_MS + HOUR_MS)
    assert answer.decision.moment == "cart_left"
    assert answer.decision.treatment == "banner"


def test_the_reason_names_what_keeps_the_treatment_back_that_could_have_reached_them() -> None:
    limit = "contact_limits: [{id: one_mail, scope: channel, name: email, max_contacts: 1,"
    ways = Ways(f"{limit} window_days: 1}}]", EVERYWHERE)
    assert one(ways, ways.feed.click(ADA, NOON_MS, "search", channel="web")).chosen != "no_action"
    again = one(ways, ways.feed.click(ADA, NOON_MS + 1, "search", channel="web"))
    assert again.fate("shown_or_sent") == "contact:one_mail"


@pytest.mark.parametrize(("then", "chosen"), [("wait", "no_action"), ("discard", "no_action")])
def test_quiet_hours_look_at_the_first_treatment_that_is_where_the_customer_is(
    then: str, chosen: str
) -> None:
    """The app's card cannot be shown on the web, so the letter is what would disturb."""
    hours = f'quiet_hours: {{from: "20:00", until: "08:00", then: {then}, unknown_zone: UTC}}'
    ways = Ways(hours, EVERYWHERE)
    late_ms = NOON_MS + 10 * HOUR_MS
    order = ways.feed.order(ADA, late_ms)
    order.channel = "web"
    answer = one(ways, order)
    assert (answer.chosen, answer.fate("shown_or_sent")) == (chosen, "contact:quiet_hours")
    # In the morning no event says where they are: the first treatment is used.
    later = ways.tick(NOON_MS + 20 * HOUR_MS)
    assert [each.decision.treatment for each in later] == (["card"] if then == "wait" else [])


def test_presence_holds_for_every_position_of_a_slate() -> None:
    streaming = catalogue("streaming")
    for channel in ("web", "app"):
        log, feed = Log(MemoryVersions(streaming)), Feed()
        views = [
            feed.click("eve", NOON_MS + n * 30 * MINUTE_MS, family=family, channel=channel)
            for n, family in enumerate(("drama", "comedy", "crime", "drama"))
        ]
        out = log.play(numbered([use(streaming), *views]))
        assert max(decision.position for decision in out.decisions) >= 2
        assert {action.channel for action in out.actions} == {channel}


@pytest.mark.parametrize("pack", ["shop", "grocer", "streaming", "bank", "saas"])
@pytest.mark.parametrize("channel", ["web", "app"])
def test_visitors_of_every_pack_see_something_where_they_are(pack: str, channel: str) -> None:
    used = catalogue(pack)
    passive = {t.channel for a in used.actions for t in a.treatments} & set(PASSIVE)
    feed, log = Feed(), Log(MemoryVersions(used))
    families = used.families or (None,)
    records: list[CustomerEvent] = []
    for who in range(40):
        name = f"c{who}"
        records.append(feed.consent(name, NOON_MS, "marketing", granted=True))
        records.append(feed.consent(name, NOON_MS + 1, "personalization", granted=True))
        for n in range(6):
            family = families[(who + n) % len(families)]
            at_ms = NOON_MS + n * DAY_MS
            records.append(feed.click(name, at_ms, family=family, channel=channel))
    out = log.play(numbered([use(used), *records]))
    shown: list[NextBestAction] = [a for a in out.actions if a.channel in PASSIVE]
    assert {action.channel for action in shown} == {channel} & passive
    assert shown
