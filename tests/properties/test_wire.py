"""Laws of the wire: bytes never raise, values round-trip, the fast writer equals fastavro."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import records as r
from schemas import symbols
from schemas.avro_writer import write_long
from schemas.outputs import action_to_public, decision_to_public
from schemas.reasons import REASONS
from schemas.topics import INPUTS
from schemas.wire import (
    bundled_schemas,
    decode,
    decode_action,
    decode_decision,
    encode_action,
    encode_decision,
    encode_event,
)
from streams.core.admission.admit import admit
from tests.support.example_files import accepted_examples

TOPICS = [topic.name for topic in INPUTS]
SEEDS = {
    topic: [encode_event(topic, value) for value in accepted_examples(topic).values()]
    for topic in TOPICS
}
SEEN_AT_MS = 1_717_236_000_040

texts = st.text(max_size=12)
words = st.text(min_size=1, max_size=12)
longs = st.integers(-(2**63), 2**63 - 1)
doubles = st.floats(allow_nan=False)
singles = st.floats(allow_nan=False, width=32)


def check_fate(topic: str, payload: bytes) -> None:
    """The bytes end as an event or as a declared reason with a sentence."""
    origin = r.Origin(topic, 0, 0, SEEN_AT_MS)
    outcome = admit(topic, payload, origin, bundled_schemas())
    if isinstance(outcome, r.Rejection):
        assert outcome.reason in REASONS
        assert 0 < len(outcome.detail) <= 600
    else:
        assert r.TIMELINE_DECODER.decode(r.ENCODER.encode(outcome)) == outcome


@given(st.sampled_from(TOPICS), st.binary(max_size=300))
def test_any_bytes_have_a_fate(topic: str, payload: bytes) -> None:
    check_fate(topic, payload)


@given(st.sampled_from(TOPICS), st.integers(0, 9), st.binary(max_size=300))
def test_any_bytes_behind_a_valid_frame_have_a_fate(topic: str, number: int, body: bytes) -> None:
    check_fate(topic, b"\0" + number.to_bytes(4, "big") + body)


@settings(max_examples=400)
@given(st.data())
def test_a_mutated_record_has_a_fate(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(TOPICS))
    payload = bytearray(data.draw(st.sampled_from(SEEDS[topic])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload)))
        cut = data.draw(st.integers(0, 3))
        payload[at : at + cut] = data.draw(st.binary(max_size=3))
    check_fate(topic, bytes(payload))


@settings(max_examples=400)
@given(st.data())
def test_a_length_of_any_size_anywhere_has_a_fate(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(TOPICS))
    payload = data.draw(st.sampled_from(SEEDS[topic]))
    at = data.draw(st.integers(5, len(payload) - 1))
    check_fate(topic, payload[:at] + write_long(data.draw(longs)) + payload[at + 1 :])


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


lines = st.fixed_dictionaries(
    {
        "product_id": texts,
        "family": optional(texts),
        "quantity": doubles,
        "unit_price_minor": longs,
        "discount_minor": longs,
    }
)
heads = {"event_id": texts, "customer_id": texts, "occurred_at": longs}
channels = st.sampled_from(symbols.CHANNELS)
values: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "clickstream": st.fixed_dictionaries(
        {
            **heads,
            "kind": st.sampled_from(symbols.CLICK_KINDS),
            "product_id": optional(texts),
            "family": optional(texts),
            "channel": channels,
            "device": optional(texts),
            "place": optional(texts),
            "session_id": optional(texts),
            "dwell_ms": longs,
            "price_minor": longs,
            "quantity": optional(doubles),
        }
    ),
    "purchases": st.fixed_dictionaries(
        {
            **heads,
            "kind": st.sampled_from(symbols.PURCHASE_KINDS),
            "order_id": texts,
            "currency": texts,
            "lines": st.lists(lines, max_size=4),
            "channel": channels,
        }
    ),
    "profile": st.fixed_dictionaries(
        {
            **heads,
            "kind": st.sampled_from(symbols.PROFILE_KINDS),
            "subject": optional(texts),
            "value": optional(texts),
            "weight": optional(doubles),
            "purpose": optional(st.sampled_from(symbols.PURPOSES)),
            "granted": optional(st.booleans()),
            "time_zone": optional(texts),
            "quiet_from_minute": optional(st.integers(-(2**31), 2**31 - 1)),
            "quiet_until_minute": optional(st.integers(-(2**31), 2**31 - 1)),
            "channel": optional(channels),
        }
    ),
}


@given(st.data())
def test_an_event_is_read_as_it_was_written(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(sorted(values)))
    value = data.draw(values[topic])
    assert decode(topic, encode_event(topic, value), bundled_schemas()) == value


triggers = st.builds(
    r.Trigger, id=texts, topic=texts, partition=st.integers(0, 999), offset=longs, seen_at_ms=longs
)
actions = st.builds(
    r.NextBestAction,
    decision_id=texts,
    customer=texts,
    moment=texts,
    action=texts,
    issue=texts,
    family=optional(texts),
    treatment=texts,
    channel=channels,
    message=texts,
    decided_at_ms=longs,
    valid_until_ms=longs,
    propensity=doubles,
    context_weight=doubles,
    value=doubles,
    lever=doubles,
    priority=doubles,
    action_probability=doubles,
    arm=texts,
    why=st.lists(words, max_size=3),
    model_version=texts,
    catalogue_version=texts,
    feature_version=texts,
    trigger=triggers,
    items=st.lists(texts, max_size=3),
    history=st.lists(texts, max_size=3),
    slate_id=optional(texts),
    position=st.integers(1, 9),
    no_action_priority=doubles,
)
decisions = st.builds(
    r.Decision,
    decision_id=texts,
    customer=texts,
    moment=texts,
    decided_at_ms=longs,
    arm=texts,
    chosen=texts,
    treatment=optional(texts),
    published=st.booleans(),
    action_probability=doubles,
    draw=doubles,
    actions=st.lists(words, max_size=5),
    fates=st.lists(words, max_size=5),
    propensities=st.lists(doubles, max_size=5),
    priorities=st.lists(doubles, max_size=5),
    probabilities=st.lists(doubles, max_size=5),
    features=st.lists(singles, max_size=70),
    action_features=st.lists(singles, max_size=70),
    why=st.lists(texts, max_size=3),
    model_version=texts,
    catalogue_version=texts,
    feature_version=texts,
    trigger=triggers,
    slate_id=optional(texts),
    position=st.integers(1, 9),
    shadow=optional(words),
    challenger=optional(
        st.builds(
            r.Challenge,
            model=words,
            model_version=words,
            chosen=words,
            propensities=st.lists(doubles, max_size=5),
            probabilities=st.lists(doubles, max_size=5),
        )
    ),
)


@given(actions)
def test_an_action_is_written_as_fastavro_would_and_read_back(action: r.NextBestAction) -> None:
    payload = encode_action(action)
    assert payload == encode_event("next-best-actions", action_to_public(action))
    assert decode_action(payload) == action


@given(decisions)
def test_a_decision_is_written_as_fastavro_would_and_read_back(decision: r.Decision) -> None:
    payload = encode_decision(decision)
    assert payload == encode_event("decisions", decision_to_public(decision))
    assert decode_decision(payload) == decision
