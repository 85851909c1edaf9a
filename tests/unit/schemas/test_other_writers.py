"""Writers that made their own schema of ours: other namespaces, numbers, units and nulls."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.bundled import schema_text
from schemas.records import Origin, Rejection
from schemas.wire import WriterSchema, decode, prepare_writer
from streams.core.admission.admit import admit
from tests.support.example_files import accepted_examples

SEEN_AT_MS = 1_717_236_000_040
ID = 9_001
VIEW = accepted_examples("clickstream")["a_view_with_everything.json"]
RATED = accepted_examples("support")["rated.json"]
ERASURE = accepted_examples("profile")["an_erasure_request.json"]
Fields = dict[str, dict[str, Any]]


class Writer:
    """A source of one schema: that of a topic after `change` of its fields and of the whole."""

    def __init__(
        self, topic: str, change: Callable[[Fields], object], namespace: str = "concierge"
    ) -> None:
        self.topic = topic
        schema = json.loads(schema_text(topic)) | {"namespace": namespace}
        change({field["name"]: field for field in schema["fields"]})
        self.schema = fastavro.parse_schema(copy.deepcopy(schema))
        self.writer = prepare_writer(json.dumps(schema))

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the writer's schema."""
        return self.writer if schema_id == ID else None

    def encode(self, value: dict[str, Any]) -> bytes:
        """Write with the writer's schema, times as the numbers they are."""
        stream = BytesIO()
        stream.write(b"\0" + ID.to_bytes(4, "big"))
        fastavro.schemaless_writer(stream, self.schema, value, strict_allow_default=True)
        return stream.getvalue()

    def decode(self, value: dict[str, Any]) -> dict[str, Any] | Rejection:
        return decode(self.topic, self.encode(value), self)

    def refusal(self, value: dict[str, Any]) -> tuple[str, str]:
        found = admit(self.topic, self.encode(value), Origin(self.topic, 0, 0, SEEN_AT_MS), self)
        assert isinstance(found, Rejection), found
        return found.reason, found.detail


def unchanged(fields: Fields) -> None:
    """Change nothing."""


def retyped(name: str, type_: Any) -> Callable[[Fields], object]:
    def change(fields: Fields) -> None:
        fields[name].pop("default", None)
        fields[name]["type"] = type_

    return change


def nullable(name: str) -> Callable[[Fields], object]:
    return lambda fields: fields[name].update(type=["null", fields[name]["type"]], default=None)


def test_a_record_of_another_namespace_is_read() -> None:
    writer = Writer("clickstream", unchanged, namespace="com.acme.events")
    assert writer.writer.record == "com.acme.events.ClickstreamEvent"
    assert writer.decode(VIEW) == VIEW


def test_another_record_is_named_as_the_writer_calls_it() -> None:
    text = json.dumps({"type": "record", "name": "com.acme.PageView", "fields": []})
    source = Writer("clickstream", unchanged)
    source.writer = prepare_writer(text)
    assert source.refusal(VIEW) == (
        "wrong_record_type",
        "schema id 9001 is com.acme.PageView, which is no record of ours, not clickstream",
    )


@pytest.mark.parametrize(
    ("topic", "name", "type_", "value"),
    [
        ("clickstream", "dwell_ms", "int", VIEW),
        ("clickstream", "price_minor", {"type": "int", "logicalType": "com.acme.Cents"}, VIEW),
        ("clickstream", "dwell_ms", {"type": "int", "logicalType": "time-millis"}, VIEW),
        ("clickstream", "event_id", {"type": "string", "logicalType": "com.acme.Id"}, VIEW),
        ("clickstream", "occurred_at", "long", VIEW),
        ("support", "satisfaction", "int", RATED),
    ],
)
def test_a_narrower_number_and_a_logical_type_of_no_unit_are_read(
    topic: str, name: str, type_: Any, value: dict[str, Any]
) -> None:
    read = Writer(topic, retyped(name, type_)).decode(value)
    assert isinstance(read, dict)
    assert value.items() <= read.items()


def test_floats_and_integers_are_read_as_doubles() -> None:
    preference = accepted_examples("profile")["a_preference.json"] | {"weight": 0.5}
    for type_ in ("float", ["null", "float"]):
        read = Writer("profile", retyped("weight", type_)).decode(preference)
        assert isinstance(read, dict)
        assert read["weight"] == 0.5
    read = Writer("profile", retyped("weight", ["null", "long"])).decode(preference | {"weight": 1})
    assert isinstance(read, dict)
    assert (read["weight"], type(read["weight"])) == (1.0, float)


@pytest.mark.parametrize(
    ("logical", "per_ms"), [("timestamp-micros", 1_000), ("timestamp-nanos", 1_000_000)]
)
@pytest.mark.parametrize("optional", [False, True])
def test_a_time_in_a_finer_unit_is_brought_to_milliseconds(
    logical: str, per_ms: int, optional: bool
) -> None:
    type_: Any = {"type": "long", "logicalType": logical}
    writer = Writer("clickstream", retyped("occurred_at", ["null", type_] if optional else type_))
    raw = VIEW["occurred_at"] * per_ms + 7
    # fastavro would take a number for milliseconds already; so it is written without its unit.
    plain = Writer("clickstream", retyped("occurred_at", ["null", "long"] if optional else "long"))
    found = decode("clickstream", plain.encode(VIEW | {"occurred_at": raw}), writer)
    assert found == VIEW


@pytest.mark.parametrize(
    ("topic", "name", "type_", "said"),
    [
        ("support", "satisfaction", "long", "long cannot be read as the reader's null or int"),
        ("clickstream", "price_minor", "double", "double cannot be read as the reader's long"),
        ("clickstream", "dwell_ms", "string", "string cannot be read as the reader's long"),
        (
            "clickstream",
            "channel",
            "string",
            "string cannot be read as the reader's enum concierge.Channel",
        ),
        (
            "clickstream",
            "occurred_at",
            {"type": "long", "logicalType": "local-timestamp-millis"},
            "long (local-timestamp-millis) cannot be read as the reader's long (timestamp-millis)",
        ),
        (
            "clickstream",
            "price_minor",
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            "bytes (decimal) cannot be read as the reader's long",
        ),
        (
            "clickstream",
            "kind",
            {"type": "enum", "name": "EventKind", "symbols": ["view"]},
            "enum concierge.EventKind cannot be read as the reader's enum concierge.ClickKind",
        ),
    ],
)
def test_what_cannot_be_read_names_the_field_and_both_sides(
    topic: str, name: str, type_: Any, said: str
) -> None:
    problem = Writer(topic, retyped(name, type_)).writer.problem
    assert problem == f"record.{name}: the writer's {said}"


def test_a_null_that_only_the_writer_knows_is_read_as_our_default() -> None:
    for name, default in (("dwell_ms", 0), ("price_minor", 0), ("channel", "other")):
        writer = Writer("clickstream", nullable(name))
        assert writer.decode(VIEW) == VIEW
        assert writer.decode(VIEW | {name: None}) == VIEW | {name: default}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("event_id", "missing_field"),
        ("customer_id", "missing_customer"),
        ("occurred_at", "event_time_too_old"),
        ("kind", "unknown_symbol"),
    ],
)
def test_a_null_of_what_an_event_needs_is_refused_record_by_record(name: str, reason: str) -> None:
    writer = Writer("clickstream", nullable(name))
    assert writer.decode(VIEW) == VIEW
    assert writer.refusal(VIEW | {name: None})[0] == reason


def test_lines_that_are_null_are_none() -> None:
    order = accepted_examples("purchases")["an_order_of_two_lines.json"]
    writer = Writer("purchases", nullable("lines"))
    read = writer.decode(order)
    assert isinstance(read, dict)
    assert [line["product_id"] for line in read["lines"]] == ["85123A", "71053"]
    # Twice: what a null is read as is not shared between records.
    for _ in range(2):
        assert writer.refusal(order | {"lines": None}) == ("missing_field", "lines is empty")


@pytest.mark.parametrize("name", ["event_id", "occurred_at"])
def test_a_no_with_a_null_that_it_can_do_without_is_taken(name: str) -> None:
    writer = Writer("profile", nullable(name))
    origin = Origin("profile", 0, 5, SEEN_AT_MS)
    event = admit("profile", writer.encode(ERASURE | {name: None}), origin, writer)
    assert not isinstance(event, Rejection), event
    assert (event.kind, event.customer) == ("erasure", ERASURE["customer_id"])


def test_a_writer_that_allows_null_all_over_is_read() -> None:
    """As generators of schemas from classes write them."""
    names = [field["name"] for field in json.loads(schema_text("clickstream"))["fields"]]

    def all_over(fields: Fields) -> None:
        for name in names:
            if not isinstance(fields[name]["type"], list):
                nullable(name)(fields)

    writer = Writer("clickstream", all_over, namespace="com.acme")
    assert writer.writer.problem is None
    assert writer.decode(VIEW) == VIEW
