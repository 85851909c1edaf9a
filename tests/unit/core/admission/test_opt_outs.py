"""A customer's no is admitted whatever is wrong beside it; only what it needs can refuse it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from schemas.bundled import bundled_schemas, full_schema
from schemas.reasons import REASONS
from schemas.records import CustomerEvent, Origin, Outcome, Profile, Rejection
from schemas.wire import encode_event
from streams.core.admission.admit import admit, admit_noting
from streams.core.admission.opt_outs import OPT_OUTS, Dropped
from streams.core.hashing import decision_id

SEEN_AT_MS = 1_717_236_000_040
AT_MS = 1_717_236_000_000
DECISION = decision_id("ada", "browsing", "a click")
NOES: dict[tuple[str, str], dict[str, Any]] = {
    ("profile", "consent"): {"purpose": "marketing", "granted": False},
    ("profile", "channel_setting"): {"channel": "email", "granted": False},
    ("profile", "erasure"): {},
    ("profile", "contact_setting"): {"quiet_from_minute": 1_320, "quiet_until_minute": 480},
    ("profile", "preference"): {"subject": "tea", "weight": -1.0},
    ("outcomes", "unsubscribe"): {"decision_id": DECISION},
    ("outcomes", "objection"): {"decision_id": DECISION},
    ("outcomes", "reject"): {"decision_id": DECISION},
}
PROFILE_NOES = [kind for topic, kind in NOES if topic == "profile"]
OUTCOME_NOES = [kind for topic, kind in NOES if topic == "outcomes"]


def judged(topic: str, kind: str, **more: Any) -> tuple[CustomerEvent | Rejection, list[Dropped]]:
    value = {"event_id": "e", "customer_id": "ada", "occurred_at": AT_MS, "kind": kind}
    payload = encode_event(topic, value | NOES.get((topic, kind), {}) | more)
    origin = Origin(topic, 3, 17, SEEN_AT_MS)
    found, dropped = admit_noting(topic, payload, origin, bundled_schemas())
    return found, list(dropped)


def taken(topic: str, kind: str, **more: Any) -> tuple[Any, list[Dropped]]:
    found, dropped = judged(topic, kind, **more)
    assert not isinstance(found, Rejection), found
    assert all(each.reason in REASONS for each in dropped)
    return found, dropped


def refused(topic: str, kind: str, **more: Any) -> str:
    found, dropped = judged(topic, kind, **more)
    assert isinstance(found, Rejection), found
    assert dropped == []
    return found.reason


def test_every_kind_that_is_a_no_is_tried_here() -> None:
    assert NOES.keys() == OPT_OUTS.keys()
    for (topic, _), rule in OPT_OUTS.items():
        assert set(rule.needs) <= {field["name"] for field in full_schema(topic)["fields"]}


FLAWS_OF_A_PROFILE = (
    ("time_zone", "", "unknown_symbol"),
    ("time_zone", "europe/berlin", "unknown_symbol"),
    ("weight", math.nan, "not_finite"),
    ("weight", 7.0, "value_out_of_range"),
    ("value", "x" * 257, "value_out_of_range"),
    ("quiet_until_minute", 1_440, "value_out_of_range"),
    # Half of the quiet hours.
    ("quiet_from_minute", 1_320, "missing_field"),
    ("channel", "unknown", "unknown_symbol"),
    ("purpose", "unknown", "unknown_symbol"),
    ("subject", "null", "placeholder_id"),
)


@pytest.mark.parametrize(
    ("kind", "field", "value", "reason"),
    [
        (kind, *flaw)
        for kind in PROFILE_NOES
        for flaw in FLAWS_OF_A_PROFILE
        if flaw[0] not in NOES["profile", kind]
    ],
)
def test_a_wrong_field_that_a_no_of_the_profile_does_not_need_is_left_out(
    kind: str, field: str, value: object, reason: str
) -> None:
    right = judged("profile", kind)[0]
    assert taken("profile", kind, **{field: value}) == (right, [Dropped(field, reason)])


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("channel", "unknown", "unknown_symbol"),
        ("reason", "x" * 257, "value_out_of_range"),
        ("value_minor", -1, "value_out_of_range"),
    ],
)
@pytest.mark.parametrize("kind", OUTCOME_NOES)
def test_a_wrong_field_that_a_no_to_an_action_does_not_need_is_left_out(
    kind: str, field: str, value: object, reason: str
) -> None:
    right = judged("outcomes", kind)[0]
    assert taken("outcomes", kind, **{field: value}) == (right, [Dropped(field, reason)])


@pytest.mark.parametrize("at_ms", [0, -1, AT_MS // 1_000, AT_MS * 1_000, 2**62])
@pytest.mark.parametrize(("topic", "kind"), NOES)
def test_a_no_of_no_real_time_counts_from_its_arrival(topic: str, kind: str, at_ms: int) -> None:
    found, dropped = taken(topic, kind, occurred_at=at_ms)
    assert found.at_ms == SEEN_AT_MS
    assert [each.field for each in dropped] == ["occurred_at"]


@pytest.mark.parametrize("event_id", ["", "  ", "null", "x" * 129])
@pytest.mark.parametrize(("topic", "kind"), NOES)
def test_a_no_without_an_event_id_is_known_by_its_place(
    topic: str, kind: str, event_id: str
) -> None:
    found, dropped = taken(topic, kind, event_id=event_id)
    assert found.event_id == f"{topic}/3/17"
    assert [each.field for each in dropped] == ["event_id"]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("", "missing_field"),
        ("undefined", "placeholder_id"),
        ("x" * 129, "value_out_of_range"),
        (decision_id("bob", "browsing", "a click"), "foreign_decision"),
    ],
)
def test_unsubscribing_needs_no_decision_and_an_objection_does(named: str, reason: str) -> None:
    found, dropped = taken("outcomes", "unsubscribe", decision_id=named, channel="sms")
    assert isinstance(found, Outcome)
    assert (found.channel, found.decision_id) == ("sms", "")
    assert dropped == [Dropped("decision_id", reason)]
    for kind in ("objection", "reject"):
        assert refused("outcomes", kind, decision_id=named) == reason


@pytest.mark.parametrize(
    ("kind", "wrong", "reason"),
    [
        ("consent", {"purpose": None}, "missing_field"),
        ("consent", {"purpose": "unknown"}, "unknown_symbol"),
        ("channel_setting", {"channel": None}, "missing_field"),
        ("channel_setting", {"channel": "unknown"}, "unknown_symbol"),
        ("preference", {"subject": None}, "missing_field"),
        ("preference", {"subject": "x" * 257}, "value_out_of_range"),
        ("preference", {"weight": -1.5}, "value_out_of_range"),
        ("contact_setting", {"quiet_from_minute": 1_440}, "value_out_of_range"),
        ("contact_setting", {"quiet_until_minute": None}, "missing_field"),
    ],
)
def test_a_no_is_refused_for_what_it_needs(kind: str, wrong: dict[str, Any], reason: str) -> None:
    assert refused("profile", kind, **wrong) == reason
    # And is not saved by a flaw beside it.
    assert isinstance(judged("profile", kind, **wrong, time_zone="")[0], Rejection)


@pytest.mark.parametrize("customer", ["", " ", "null", "NaN", "x" * 129, "a\0b"])
@pytest.mark.parametrize(("topic", "kind"), NOES)
def test_a_no_without_a_customer_is_refused(topic: str, kind: str, customer: str) -> None:
    refused(topic, kind, customer_id=customer)


@pytest.mark.parametrize(
    ("kind", "yes"),
    [
        ("consent", {"granted": True}),
        ("channel_setting", {"granted": True}),
        ("preference", {"weight": 1.0}),
        ("signed_up", {}),
    ],
)
def test_a_yes_with_a_flaw_beside_it_is_refused(kind: str, yes: dict[str, Any]) -> None:
    assert refused("profile", kind, **yes, time_zone="europe/berlin") == "unknown_symbol"
    assert refused("profile", kind, **yes, occurred_at=0) == "event_time_too_old"


def test_nothing_is_left_out_of_what_is_right() -> None:
    for topic, kind in NOES:
        assert judged(topic, kind)[1] == []


def test_a_text_that_is_not_utf_8_is_left_out_of_a_no_and_refuses_the_rest() -> None:
    origin = Origin("profile", 0, 0, SEEN_AT_MS)

    def with_bad_text(field: str, **more: Any) -> bytes:
        value = {"event_id": "e", "customer_id": "ada", "occurred_at": AT_MS, field: "swordfish"}
        return encode_event("profile", value | more).replace(b"swordfish", b"sw\xff\xferdfish"[:9])

    no = {"kind": "consent", "purpose": "marketing", "granted": False}
    event, dropped = admit_noting(
        "profile", with_bad_text("value", **no), origin, bundled_schemas()
    )
    assert isinstance(event, Profile)
    assert (event.value, event.granted) == (None, False)
    assert list(dropped) == [Dropped("value", "bad_utf8")]
    for payload in (
        with_bad_text("customer_id", **no),
        with_bad_text("value", **{**no, "granted": True}),
        with_bad_text("subject", kind="preference", weight=-1.0),
    ):
        found = admit("profile", payload, origin, bundled_schemas())
        assert isinstance(found, Rejection)
        assert found.reason == "bad_utf8"
