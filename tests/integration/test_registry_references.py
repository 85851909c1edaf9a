"""A schema that refers to types of other subjects is read like one that holds them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.bundled import schema_text
from schemas.records import Rejection
from schemas.wire import decode, encode_event
from streams.shell.kafka.registry import ASK_AGAIN_AFTER_S, RegistrySchemas
from streams.shell.kafka.registry_errors import RegistryUnavailable
from streams.shell.kafka.schema_references import MAX_DEPTH, MAX_REFERENCES
from streams.shell.settings.settings import Settings
from tests.support.example_files import accepted_examples
from tests.support.fake_registry import FakeRegistry

# With every field, whatever fields there are.
VIEW = accepted_examples("clickstream")["a_view_with_everything.json"]


@pytest.fixture
def schemas(server: FakeRegistry) -> Iterator[RegistrySchemas]:
    source = RegistrySchemas(Settings(schema_registry_url=server.url))
    yield source
    source.close()


def click_schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text("clickstream"))
    return schema


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(f for f in schema["fields"] if f["name"] == name)
    return found


def referring(name: str) -> tuple[str, str]:
    """Return the click's schema with a field's type by its name alone, and that type's own."""
    schema = click_schema()
    type_ = copy.deepcopy(field(schema, name)["type"])
    full_name = f"concierge.{type_['name']}"
    field(schema, name)["type"] = full_name
    return json.dumps(schema), json.dumps({**type_, "namespace": "concierge"})


def read(schemas: RegistrySchemas, number: int = 7) -> dict[str, Any] | Rejection:
    return decode(
        "clickstream", encode_event("clickstream", VIEW, {"clickstream": number}), schemas
    )


def problem(schemas: RegistrySchemas, number: int = 7) -> str:
    found = read(schemas, number)
    assert isinstance(found, Rejection)
    assert found.reason == "incompatible_schema"
    return found.detail


def test_a_type_of_another_subject_is_fetched(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    text, channel = referring("channel")
    server.add(6, channel, subject="channel")
    server.add(7, text, ("channel", 1))
    assert read(schemas) == VIEW
    assert len(server.asked) == 2


def test_what_a_reference_refers_to_itself_is_fetched_too_and_once(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    channel = json.loads(referring("channel")[1])
    visit = {
        "type": "record",
        "name": "Visit",
        "namespace": "com.acme",
        "fields": [{"name": "by", "type": "concierge.Channel"}],
    }
    schema = click_schema()
    field(schema, "channel")["type"] = "concierge.Channel"
    schema["fields"] += [
        {"name": "from", "type": ["null", "com.acme.Visit"], "default": None},
        {"name": "to", "type": ["null", "com.acme.Visit"], "default": None},
    ]
    server.add(5, json.dumps(channel), subject="channel")
    server.add(6, json.dumps(visit), ("channel", 1), subject="visit")
    server.add(7, json.dumps(schema), ("visit", 1), ("channel", 1))
    payload = encode_event("clickstream", VIEW, {"clickstream": 7}) + b"\x02\x02\x00"
    assert decode("clickstream", payload, schemas) == VIEW
    assert len(server.asked) == 3


def test_another_version_than_the_newest_is_fetched_where_it_is_named(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    text, channel = referring("channel")
    server.add(5, channel, subject="channel")
    server.add(
        6, '{"type": "enum", "name": "concierge.Channel", "symbols": ["x"]}', subject="channel"
    )
    server.add(7, text, ("channel", 1))
    assert read(schemas) == VIEW


def test_a_reference_that_is_not_there_is_named_and_asked_for_again(server: FakeRegistry) -> None:
    now_s = 0.0
    schemas = RegistrySchemas(Settings(schema_registry_url=server.url), lambda: now_s)
    text, channel = referring("channel")
    server.add(7, text, ("channel", 1))
    assert "subject 'channel' version 1, which it refers to, is not in the" in problem(schemas)
    assert schemas.missing([7]) == set()
    server.add(6, channel, subject="channel")
    now_s = ASK_AGAIN_AFTER_S
    assert schemas.missing([7]) == {7}
    schemas.fetch([7])
    assert read(schemas) == VIEW
    schemas.close()


def test_a_registry_that_fails_behind_the_first_answer_is_asked_again(
    server: FakeRegistry, schemas: RegistrySchemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, channel = referring("channel")
    server.add(6, channel, subject="channel")
    server.add(7, text, ("channel", 1))
    answer = server.answer
    monkeypatch.setattr(
        server, "answer", lambda path: (503, {}) if "subjects" in path else answer(path)
    )
    with pytest.raises(RegistryUnavailable):
        schemas.find(7)
    monkeypatch.undo()
    assert read(schemas) == VIEW


def test_references_in_a_circle_are_an_error_and_no_endless_loop(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    text, channel = referring("channel")
    server.add(5, channel, ("b", 1), subject="channel")
    server.add(6, channel, ("channel", 1), subject="b")
    server.add(7, text, ("channel", 1))
    assert "refers back to it in a circle" in problem(schemas)


def test_references_are_bounded_in_depth_and_number(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    text, _ = referring("channel")
    for level in range(MAX_DEPTH + 2):
        body = json.dumps({"type": "fixed", "name": f"D{level}", "size": 1})
        server.add(100 + level, body, (f"d{level + 1}", 1), subject=f"d{level}")
    server.add(7, text, ("d0", 1))
    for number in range(MAX_REFERENCES + 1):
        body = json.dumps({"type": "fixed", "name": f"W{number}", "size": 1})
        server.add(1_000 + number, body, subject=f"w{number}")
    server.add(8, text, *((f"w{number}", 1) for number in range(MAX_REFERENCES + 1)))
    for number in (7, 8):
        assert f"more than {MAX_REFERENCES} schemas" in problem(schemas, number)
    assert len(server.asked) <= 2 + MAX_DEPTH + MAX_REFERENCES


@pytest.mark.parametrize("kind", ["PROTOBUF", "JSON"])
def test_a_schema_of_another_type_is_named_as_such(
    server: FakeRegistry, schemas: RegistrySchemas, kind: str
) -> None:
    server.add(7, 'syntax = "proto3";', kind=kind)
    said = problem(schemas)
    assert f"it is a {kind} schema, and Concierge reads Avro: write the topic with an Avro" in said
    text, _ = referring("channel")
    server.add(8, "{}", kind=kind, subject="channel")
    server.add(9, text, ("channel", 1))
    said = problem(schemas, 9)
    assert f"subject 'channel' version 1, which it refers to, is a {kind} schema" in said
