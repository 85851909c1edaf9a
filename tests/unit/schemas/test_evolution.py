"""Reading what a newer or an odd writer wrote."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.avro_writer import write_long
from schemas.bundled import schema_text
from schemas.records import Origin, Rejection
from schemas.wire import WriterSchema, bundled_schemas, decode, encode_event, prepare_writer
from streams.core.admission.admit import admit
from tests.support.example_files import accepted_examples

VIEW = accepted_examples("clickstream")["a_view_with_everything.json"]
SEEN_AT_MS = 1_717_236_000_040
ID = 9_001


class Newer:
    """A source whose clickstream schema was changed by `change`."""

    def __init__(self, change: Callable[[list[Any]], object]) -> None:
        schema = json.loads(schema_text("clickstream"))
        change(schema["fields"])
        self.schema = fastavro.parse_schema(copy.deepcopy(schema))
        self.writer = prepare_writer(json.dumps(schema))

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the newer schema."""
        return self.writer if schema_id == ID else None

    def encode(self, value: dict[str, Any]) -> bytes:
        """Write with the newer schema."""
        stream = BytesIO()
        stream.write(b"\0" + ID.to_bytes(4, "big"))
        fastavro.schemaless_writer(stream, self.schema, value)
        return stream.getvalue()

    def admit(self, payload: bytes) -> object:
        """Admit a click."""
        return admit("clickstream", payload, Origin("clickstream", 0, 0, SEEN_AT_MS), self)


def new_text(fields: list[Any]) -> None:
    fields.append({"name": "campaign", "type": ["null", "string"], "default": None})


def new_double(fields: list[Any]) -> None:
    fields.append({"name": "score", "type": "double", "default": 0.0})


def new_symbol(fields: list[Any]) -> None:
    fields[3]["type"]["symbols"].append("teleport")


def test_a_field_we_do_not_know_is_left_aside() -> None:
    newer = Newer(new_text)
    assert decode("clickstream", newer.encode(VIEW | {"campaign": "may"}), newer) == VIEW


def test_an_optional_field_that_was_removed_is_read_as_its_default() -> None:
    older = Newer(lambda fields: fields.remove(next(f for f in fields if f["name"] == "place")))
    without_place = {key: value for key, value in VIEW.items() if key != "place"}
    assert decode("clickstream", older.encode(without_place), older) == VIEW | {"place": None}


@pytest.mark.parametrize("change", [new_text, new_double])
@pytest.mark.parametrize("missing_bytes", [1, 2, 3])
def test_a_value_that_ends_within_a_field_we_do_not_know_is_truncated(
    change: Callable[[list[Any]], None], missing_bytes: int
) -> None:
    newer = Newer(change)
    payload = newer.encode(VIEW | {"campaign": "a campaign", "score": 0.5})[:-missing_bytes]
    outcome = decode("clickstream", payload, newer)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == "truncated"


def test_a_newer_writers_symbol_is_an_unknown_symbol() -> None:
    newer = Newer(new_symbol)
    outcome = newer.admit(newer.encode(VIEW | {"kind": "teleport"}))
    assert isinstance(outcome, Rejection)
    assert outcome.reason == "unknown_symbol"
    assert "kind" in outcome.detail


def test_a_newer_writers_purpose_inside_a_union_is_an_unknown_symbol() -> None:
    schema = json.loads(schema_text("profile"))
    purpose = next(f for f in schema["fields"] if f["name"] == "purpose")
    purpose["type"][1]["symbols"].append("research")
    newer = Newer(lambda fields: None)
    newer.schema = fastavro.parse_schema(copy.deepcopy(schema))
    newer.writer = prepare_writer(json.dumps(schema))
    consent = accepted_examples("profile")["consent_given.json"] | {"purpose": "research"}
    origin = Origin("profile", 0, 0, SEEN_AT_MS)
    outcome = admit("profile", newer.encode(consent), origin, newer)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == "unknown_symbol"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda fields: fields.pop(1), id="the customer is gone"),
        pytest.param(
            lambda fields: fields[2]["type"].update(logicalType="local-timestamp-millis"),
            id="a time of no zone",
        ),
        pytest.param(lambda fields: fields[0].update(type="long"), id="another type"),
        pytest.param(
            lambda fields: fields.append(
                {"name": "nulls", "type": {"type": "array", "items": "null"}, "default": []}
            ),
            id="an array of nothing",
        ),
        pytest.param(
            lambda fields: fields.append(
                {"name": "next", "type": ["null", "ClickstreamEvent"], "default": None}
            ),
            id="a record within itself",
        ),
    ],
)
def test_a_schema_that_cannot_be_read_safely_is_refused_whatever_the_bytes(
    change: Callable[[list[Any]], object],
) -> None:
    source = Newer(change)
    outcome = decode("clickstream", b"\0" + ID.to_bytes(4, "big") + bytes(100), source)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == "incompatible_schema"


def test_docs_do_not_make_a_schema_another_one() -> None:
    assert Newer(lambda fields: fields[0].update(doc="Other words.")).writer.resolve_to is None


@pytest.mark.parametrize("count", [2**62, 2**31, 10**6, -1, -(2**62), -(2**63), 2**63 - 1])
def test_a_list_longer_than_the_value_is_refused_at_once(count: int) -> None:
    order = accepted_examples("purchases")["an_order_of_two_lines.json"]
    payload = encode_event("purchases", order)
    at = payload.index(b"GBP") + 3
    bad = payload[:at] + write_long(count) + payload[at + 1 :]
    outcome = decode("purchases", bad, bundled_schemas())
    assert isinstance(outcome, Rejection)
    assert outcome.reason in ("truncated", "malformed", "bad_utf8")
