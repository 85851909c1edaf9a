"""Framing: what the first bytes of a value decide, and that ids are the caller's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.bundled import schema_text
from schemas.records import Rejection
from schemas.wire import (
    BUNDLED_IDS,
    WriterSchema,
    bundled_schemas,
    decode,
    decode_action,
    encode_action,
    encode_event,
    prepare_writer,
    schema_id,
)
from tests.support.example_files import accepted_examples

VIEW = accepted_examples("clickstream")["a_view_with_everything.json"]
ACTION = accepted_examples("next-best-actions")["a_discount_on_the_web.json"]


class Registry:
    """A source with one schema, as a registry would hand it over."""

    def __init__(self, number: int, schema: Any) -> None:
        self.number = number
        self.schema = prepare_writer(json.dumps(schema))

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the one schema for its id."""
        return self.schema if schema_id == self.number else None


def reason(outcome: object) -> str:
    assert isinstance(outcome, Rejection), outcome
    return outcome.reason


def test_a_frame_is_a_zero_byte_and_the_id_in_big_endian() -> None:
    payload = encode_event("clickstream", VIEW, {"clickstream": 0x01020304})
    assert payload[:5] == b"\x00\x01\x02\x03\x04"
    assert schema_id(payload) == 0x01020304


@pytest.mark.parametrize("payload", [None, b"", b"\0\0\0\0", b"{ json }"])
def test_a_value_without_a_frame_names_no_schema(payload: bytes | None) -> None:
    assert schema_id(payload) is None


def test_fields_left_out_are_read_as_their_defaults() -> None:
    value = accepted_examples("clickstream")["a_bare_search.json"]
    decoded = decode("clickstream", encode_event("clickstream", value), bundled_schemas())
    assert isinstance(decoded, dict)
    assert decoded["channel"] == "other"
    assert decoded["product_id"] is None
    assert decoded["dwell_ms"] == 0


def test_times_stay_plain_milliseconds_even_in_the_year_300000() -> None:
    far = VIEW | {"occurred_at": 9_400_000_000_000_000}
    decoded = decode("clickstream", encode_event("clickstream", far), bundled_schemas())
    assert isinstance(decoded, dict)
    assert decoded["occurred_at"] == 9_400_000_000_000_000


def test_an_id_of_another_installation_is_unknown() -> None:
    payload = encode_event("clickstream", VIEW, {"clickstream": 4_000_000_000})
    assert reason(decode("clickstream", payload, bundled_schemas())) == "unknown_schema_id"


def test_a_registry_gives_our_own_schema_another_id() -> None:
    source = Registry(100_042, json.loads(schema_text("clickstream")))
    assert source.schema.resolve_to is None
    payload = encode_event("clickstream", VIEW, {"clickstream": 100_042})
    assert decode("clickstream", payload, source) == VIEW


def test_a_field_that_the_schema_does_not_have_is_the_writers_mistake() -> None:
    with pytest.raises(ValueError, match="custmer"):
        encode_event("clickstream", VIEW | {"custmer": "c"})


def test_a_symbol_that_the_schema_does_not_have_is_the_writers_mistake() -> None:
    with pytest.raises(ValueError, match=r"kind is 'teleport', and not one of unknown, view"):
        encode_event("clickstream", VIEW | {"kind": "teleport"})


def test_reading_an_action_from_bad_bytes_says_what_is_wrong() -> None:
    action = decode_action(encode_event("next-best-actions", ACTION))
    with pytest.raises(ValueError, match="next-best-actions: truncated"):
        decode_action(encode_action(action)[:-1])


def test_an_action_is_written_under_the_id_that_is_asked_for() -> None:
    action = decode_action(encode_event("next-best-actions", ACTION))
    ids = dict.fromkeys(BUNDLED_IDS, 77)
    assert schema_id(encode_action(action, ids)) == 77


@pytest.mark.parametrize(
    "text", ["", "null", "7", "[]", "{}", '"long"', '{"type": "record"}', "[" * 10_000]
)
def test_a_schema_that_is_none_is_a_problem_and_no_crash(text: str) -> None:
    writer = prepare_writer(text)
    assert writer.name is None


def test_a_schema_that_is_not_avro_makes_its_records_unreadable() -> None:
    source = Registry(5, {"$schema": "https://json-schema.org/draft/2020-12/schema"})
    payload = encode_event("clickstream", VIEW, {"clickstream": 5})
    assert reason(decode("clickstream", payload, source)) == "incompatible_schema"


def test_a_foreign_record_under_a_valid_schema_is_the_wrong_record() -> None:
    invoice = {"type": "record", "name": "Invoice", "fields": [{"name": "id", "type": "string"}]}
    payload = b"\0\0\0\0\5" + b"\x04ab"
    assert reason(decode("purchases", payload, Registry(5, invoice))) == "wrong_record_type"
