"""What the gate lets through arrives whole, and no field of an input goes unchecked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.bundled import full_schema
from schemas.records import (
    ENCODER,
    TIMELINE_DECODER,
    OrderLine,
    Origin,
    Outcome,
    Profile,
    Purchase,
    Rejection,
    Support,
)
from schemas.topics import INPUTS
from schemas.wire import bundled_schemas, encode_event
from streams.core.admission.admit import admit
from streams.core.admission.field_rules import RULES
from streams.core.size_limits import MAX_LINES, AdmitLimits
from tests.support.example_files import accepted_examples

SEEN_AT_MS = 1_717_236_000_040
INPUT_TOPICS = [topic.name for topic in INPUTS]


def admitted(topic: str, example: str, **changes: object) -> Any:
    value = accepted_examples(topic)[f"{example}.json"] | changes
    origin = Origin(topic, 1, 2, SEEN_AT_MS)
    return admit(topic, encode_event(topic, value), origin, bundled_schemas())


def test_a_purchase_arrives_with_its_lines() -> None:
    assert admitted("purchases", "an_order_of_two_lines") == Purchase(
        event_id="order-536365",
        customer="c-1042",
        at_ms=1_717_236_000_000,
        origin=Origin("purchases", 1, 2, SEEN_AT_MS),
        kind="order",
        order_id="536365",
        currency="GBP",
        lines=[
            OrderLine("85123A", "candle holders", 6.0, 255),
            OrderLine("71053", None, 6.0, 339, 100),
        ],
        channel="web",
    )


def test_a_ticket_arrives_whole() -> None:
    ticket = admitted("support", "opened")
    assert isinstance(ticket, Support)
    assert (ticket.topic, ticket.severity, ticket.product) == ("delivery", "high", "22423")


def test_quiet_hours_and_consent_arrive_whole() -> None:
    quiet = admitted("profile", "quiet_hours_over_midnight")
    assert isinstance(quiet, Profile)
    assert (quiet.quiet_from_minute, quiet.quiet_until_minute) == (1260, 480)
    consent = admitted("profile", "consent_withdrawn")
    assert (consent.purpose, consent.granted) == ("personalization", False)


def test_an_outcome_arrives_whole() -> None:
    outcome = admitted("outcomes", "accepted_with_value")
    assert isinstance(outcome, Outcome)
    assert (outcome.decision_id, outcome.value_minor) == ("c71c90b4900d6ed08c8cb7ed", 2550)


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_what_is_admitted_crosses_the_timeline_unchanged(topic: str) -> None:
    for example in accepted_examples(topic):
        event = admitted(topic, example.removesuffix(".json"))
        assert TIMELINE_DECODER.decode(ENCODER.encode(event)) == event


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_no_field_of_an_input_goes_unchecked(topic: str) -> None:
    rules = RULES[topic]
    checked = {
        "occurred_at",
        "lines",
        "granted",
        "time_zone",
        *rules.ids,
        *rules.symbols,
    }
    checked |= {name for name, _ in rules.texts} | set(rules.optional_ids)
    checked |= {name for name, _, _ in rules.numbers}
    checked |= {name for name, _, _ in rules.shapes}
    assert {field["name"] for field in full_schema(topic)["fields"]} <= checked
    kinds = full_schema(topic)["fields"][3]["type"]["symbols"]
    assert set(rules.needs) <= set(kinds)


def test_every_input_has_rules_and_nothing_else_has() -> None:
    assert set(RULES) == set(INPUT_TOPICS)


def test_an_order_may_have_so_many_lines_and_not_one_more() -> None:
    one = {"product_id": "p", "quantity": 1.0, "unit_price_minor": 1}
    assert len(admitted("purchases", "a_refund", lines=[one] * MAX_LINES).lines) == MAX_LINES
    refused = admitted("purchases", "a_refund", lines=[one] * (MAX_LINES + 1))
    assert isinstance(refused, Rejection)
    assert refused.reason == "value_out_of_range"


def test_a_refused_line_is_named() -> None:
    good = {"product_id": "p", "quantity": 1.0, "unit_price_minor": 1}
    refused = admitted("purchases", "a_refund", lines=[good, good | {"discount_minor": -5}])
    assert refused.detail == "lines[1].discount_minor is -5, not in 0 to 10,000,000,000"


def test_a_sentence_for_people_never_repeats_what_a_customer_wrote() -> None:
    secret = "my password is swordfish " * 20
    refused = admitted("clickstream", "a_view_with_everything", place=secret)
    assert "swordfish" not in refused.detail
    refused = admitted("purchases", "a_refund", currency="swordfish")
    assert "swordfish" not in refused.detail


def test_the_limits_are_the_callers() -> None:
    strict = AdmitLimits(oldest_event_ms=SEEN_AT_MS - 10, future_ms=0)
    value = encode_event("clickstream", accepted_examples("clickstream")["a_bare_search.json"])
    origin = Origin("clickstream", 0, 0, SEEN_AT_MS)
    refused = admit("clickstream", value, origin, bundled_schemas(), strict)
    assert isinstance(refused, Rejection)
    assert refused.reason == "event_time_too_old"


def test_an_unprefixed_input_topic_is_expected() -> None:
    with pytest.raises(KeyError):
        admit("no-such-topic", b"\0\0\0\0\1", Origin("x", 0, 0, 0), bundled_schemas())


def test_origins_are_kept_as_they_are() -> None:
    event = admitted("clickstream", "a_bare_search")
    assert msgspec.structs.astuple(event.origin) == ("clickstream", 1, 2, SEEN_AT_MS, False, 0)


@pytest.mark.parametrize("zone", ["America", "Etc", "Foo/Bar", "../../etc/passwd"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    only_a_zone = {"quiet_from_minute": None, "quiet_until_minute": None, "time_zone": zone}
    refused = admitted("profile", "quiet_hours_over_midnight", **only_a_zone)
    assert isinstance(refused, Rejection)
    assert refused.reason == "unknown_symbol"


def test_an_event_of_a_fast_clock_counts_as_done_on_arrival() -> None:
    event = admitted("clickstream", "a_view_with_everything", occurred_at=SEEN_AT_MS + 60_000)
    assert event.at_ms == SEEN_AT_MS
