"""The examples beside the schemas say the truth, and a wrong example file is found out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.reasons import REASONS
from schemas.records import Origin, Rejection
from schemas.topics import INPUTS, TOPICS
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
from tests.support.example_files import (
    EXAMPLES,
    RejectedExample,
    accepted_examples,
    payload_of,
    rejected_examples,
)

AVRO_TOPICS = [topic.name for topic in TOPICS if topic.schema is not None]
INPUT_TOPICS = [topic.name for topic in INPUTS]
ACCEPTED = [(t, name, v) for t in AVRO_TOPICS for name, v in accepted_examples(t).items()]
REJECTED = [(t, name, e) for t in AVRO_TOPICS for name, e in rejected_examples(t).items()]
SEEN_AT_MS = 1_717_236_000_040


def origin(topic: str) -> Origin:
    return Origin(topic, 0, 17, SEEN_AT_MS)


def test_every_avro_topic_has_examples_and_no_folder_is_orphaned() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(AVRO_TOPICS)
    for topic in AVRO_TOPICS:
        folders = {path.name for path in (EXAMPLES / topic).iterdir()}
        assert folders == {"accepted", "rejected"}
        assert accepted_examples(topic)
        assert rejected_examples(topic)


@pytest.mark.parametrize(("topic", "file", "value"), ACCEPTED)
def test_an_accepted_example_round_trips(topic: str, file: str, value: dict[str, Any]) -> None:
    decoded = decode(topic, encode_event(topic, value), bundled_schemas())
    assert isinstance(decoded, dict), decoded
    assert encode_event(topic, decoded) == encode_event(topic, value)
    assert value.items() <= decoded.items() or "lines" in value


@pytest.mark.parametrize(("topic", "file", "value"), [a for a in ACCEPTED if a[0] in INPUT_TOPICS])
def test_an_accepted_input_is_admitted(topic: str, file: str, value: dict[str, Any]) -> None:
    event = admit(topic, encode_event(topic, value), origin(topic), bundled_schemas())
    assert not isinstance(event, Rejection), event
    assert (event.customer, event.kind) == (value["customer_id"], value["kind"])


@pytest.mark.parametrize(("topic", "file", "example"), REJECTED)
def test_a_rejected_example_is_refused_for_its_reason(
    topic: str, file: str, example: RejectedExample
) -> None:
    payload = payload_of(topic, example)
    if topic in INPUT_TOPICS:
        outcome: object = admit(topic, payload, origin(topic), bundled_schemas())
    else:
        outcome = decode(topic, payload, bundled_schemas())
    assert isinstance(outcome, Rejection), outcome
    assert outcome.reason == example.reason, outcome
    assert outcome.detail


def test_output_examples_survive_our_own_structs() -> None:
    for value in accepted_examples("next-best-actions").values():
        payload = encode_event("next-best-actions", value)
        assert encode_action(decode_action(payload)) == payload
    for value in accepted_examples("decisions").values():
        payload = encode_event("decisions", value)
        assert encode_decision(decode_decision(payload)) == payload


def test_examples_show_every_reason_but_those_that_need_a_foreign_schema() -> None:
    shown = {example.reason for _, _, example in REJECTED}
    assert set(REASONS) - shown == {"oversized", "incompatible_schema"}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ('{"reasn": "truncated", "because": "x", "payload_hex": "00"}', "reasn"),
        ('{"reason": "truncatd", "because": "x", "payload_hex": "00"}', r"\$.reason"),
        ('{"reason": "truncated", "because": "x"}', "payload_hex"),
        ('{"reason": "truncated", "because": "x", "value": {}, "payload_hex": "00"}', "one of"),
        ('{"reason": "truncated", "because": "x", "payload_hex": 7}', r"\$.payload_hex"),
        ('{"reason": "truncated"', "wrong.json"),
    ],
)
def test_a_wrong_example_file_is_found_out(tmp_path: Path, wrong: str, place: str) -> None:
    folder = tmp_path / "clickstream" / "rejected"
    folder.mkdir(parents=True)
    (folder / "wrong.json").write_text(wrong)
    with pytest.raises(ValueError, match=place):
        rejected_examples("clickstream", tmp_path)


def test_an_accepted_example_with_a_misspelt_field_is_found_out(tmp_path: Path) -> None:
    value = next(iter(accepted_examples("clickstream").values()))
    folder = tmp_path / "clickstream" / "accepted"
    folder.mkdir(parents=True)
    (folder / "wrong.json").write_text(json.dumps(value | {"custmer_id": "c"}))
    wrong = accepted_examples("clickstream", tmp_path)["wrong.json"]
    with pytest.raises(ValueError, match="custmer_id"):
        encode_event("clickstream", wrong)
