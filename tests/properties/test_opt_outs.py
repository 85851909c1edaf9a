"""Laws of a no: it is admitted and has its effect, whatever its other fields hold."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bundled import bundled_schemas, full_schema
from schemas.records import CustomerEvent, Origin, Rejection
from schemas.wire import encode_event
from streams.core.admission.admit import admit
from streams.core.admission.opt_outs import OPT_OUTS
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HALF_LIFE_NAMES
from tests.support.events import NOON_MS, Feed
from tests.unit.core.admission.test_opt_outs import AT_MS, NOES, SEEN_AT_MS

# What Avro can carry in each type, and an event should not.
_TEXT = st.text(st.characters(codec="utf-8"), max_size=300) | st.sampled_from(
    ["", " ", "null", "x" * 129, "x" * 70_000, "europe/berlin", "\0", "\ufeff"]
)
_LONG = st.integers(-(2**63), 2**63 - 1)
_BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "long": _LONG,
    "int": st.integers(-(2**31), 2**31 - 1),
    "double": st.floats(),
    "boolean": st.booleans(),
}


def _any_of(type_: Any) -> st.SearchStrategy[Any]:
    if isinstance(type_, list):
        return st.one_of([st.none() if part == "null" else _any_of(part) for part in type_])
    if isinstance(type_, dict) and type_["type"] == "enum":
        return st.sampled_from(type_["symbols"])
    return _BY_TYPE[type_ if isinstance(type_, str) else type_["type"]]


def _free_fields(topic: str, kind: str) -> list[Any]:
    bound = {"customer_id", "kind", "granted", *OPT_OUTS[topic, kind].needs}
    return [field for field in full_schema(topic)["fields"] if field["name"] not in bound]


@st.composite
def flawed_noes(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a no of any kind with anything in the fields that it does not need."""
    topic, kind = draw(st.sampled_from(sorted(NOES)))
    value = {
        "event_id": "e",
        "customer_id": "ada",
        "occurred_at": AT_MS,
        "kind": kind,
        **NOES[topic, kind],
    }
    for field in draw(st.lists(st.sampled_from(_free_fields(topic, kind)), max_size=9)):
        value[field["name"]] = draw(_any_of(field["type"]))
    return topic, value


def admitted(topic: str, value: dict[str, Any]) -> CustomerEvent:
    origin = Origin(topic, 0, 0, SEEN_AT_MS)
    event = admit(topic, encode_event(topic, value), origin, bundled_schemas())
    assert not isinstance(event, Rejection), event
    return event


def _said(state: CustomerState, value: dict[str, Any]) -> dict[str, Any]:
    """Return what a no is there to change."""
    found: dict[str, Any] = {
        "consent": state.number("consent_marketing"),
        "erased": state.number("erased_ms") > 0,
        "tea": state.preferences["tea"].weight if "tea" in state.preferences else None,
        "quiet": (state.number("quiet_from_minute"), state.number("quiet_until_minute")),
        "rejects": state.number(f"rejects_{HALF_LIFE_NAMES[0]}") > 0,
    }
    if value["kind"] == "channel_setting":
        found["closed"] = sorted(state.unsubscribed)
    if value["kind"] == "unsubscribe":
        # Of a channel that is not named, or cannot be read, all that reach out are closed.
        found["closed"] = bool(state.unsubscribed)
    return found


@given(flawed_noes())
def test_a_no_is_admitted_and_has_its_effect_whatever_is_put_beside_it(
    drawn: tuple[str, dict[str, Any]],
) -> None:
    topic, value = drawn
    plain = {"event_id": "e", "customer_id": "ada", "occurred_at": AT_MS, "kind": value["kind"]}
    states = []
    for each in (value, plain | NOES[topic, value["kind"]]):
        state = CustomerState()
        fold(state, admitted(topic, each), Timers())
        states.append(_said(state, value))
    assert states[0] == states[1]


@given(flawed_noes(), st.text(st.sampled_from(" \t\n\r\u00a0\u3000"), max_size=4))
def test_blanks_around_a_customer_are_the_same_customer(
    drawn: tuple[str, dict[str, Any]], blanks: str
) -> None:
    topic, value = drawn
    around = value | {"customer_id": f"{blanks}ada{blanks[::-1]}"}
    assert admitted(topic, around) == admitted(topic, value)


# A word on a channel: which, when, and yes, no or an unsubscribe; or consent to marketing.
_WORDS = st.lists(
    st.tuples(
        st.sampled_from(("email", "sms", "other")),
        st.integers(0, 6),
        st.sampled_from(("yes", "no", "unsubscribe", "consent")),
    ),
    max_size=8,
)


def _events(words: Sequence[tuple[str, int, str]]) -> list[CustomerEvent]:
    feed, events = Feed(), list[CustomerEvent]()
    for channel, at, word in words:
        at_ms = NOON_MS + at
        if word == "unsubscribe":
            events.append(feed.outcome("ada", at_ms, word, "d", channel=channel))
        elif word == "consent":
            events.append(feed.consent("ada", at_ms, "marketing", granted=True))
        elif word == "no" or channel != "other":
            granted = word == "yes"
            events.append(
                feed.profile("ada", at_ms, "channel_setting", channel=channel, granted=granted)
            )
    return events


def _folded(events: Sequence[CustomerEvent]) -> CustomerState:
    state = CustomerState()
    for event in events:
        fold(state, event, Timers())
    return state


def _closed(words: Sequence[tuple[str, int, str]]) -> dict[str, int]:
    """Return the closed channels by definition: no yes to a channel is later than its last no."""
    closed = {}
    for channel in ("email", "sms", "call_center"):
        noes = [
            at
            for named, at, word in words
            if word in ("no", "unsubscribe") and named in (channel, "other")
        ]
        yeses = [
            at
            for named, at, word in words
            if word == "consent" or (word == "yes" and named == channel)
        ]
        if noes and max(noes) >= max(yeses, default=0):
            closed[channel] = NOON_MS + max(noes)
    return closed


@given(_WORDS, st.integers(0, 2**32))
def test_the_latest_word_on_a_channel_counts_in_any_order_and_over_two_identities(
    words: list[tuple[str, int, str]], seed: int
) -> None:
    events = _events(words)
    Random(seed).shuffle(events)
    state = _folded(events)
    assert state.unsubscribed == _closed(words)
    assert not state.unsubscribed.keys() & state.resubscribed.keys()
    assert decode_customer(encode_customer(state)) == state
    half = len(events) // 2
    one, other = _folded(events[:half]), _folded(events[half:])
    assert merge(one, other).unsubscribed == state.unsubscribed
    assert merge(other, one).unsubscribed == state.unsubscribed


@pytest.mark.parametrize(("topic", "kind"), sorted(NOES))
def test_the_effects_that_the_law_compares_are_there(topic: str, kind: str) -> None:
    value = {"event_id": "e", "customer_id": "ada", "occurred_at": AT_MS, "kind": kind}
    value |= NOES[topic, kind]
    state = CustomerState()
    fold(state, admitted(topic, value), Timers())
    nothing = _said(CustomerState(), value)
    assert _said(state, value) != nothing
