"""Schemas come from a registry: asked once, never guessed at, and its absence is no bad record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.bundled import schema_text
from schemas.records import Rejection
from schemas.wire import decode, encode_event
from streams.shell.kafka import registry as module
from streams.shell.kafka.registry import ASK_AGAIN_AFTER_S, RegistrySchemas
from streams.shell.kafka.registry_errors import RegistryRefused, RegistryUnavailable
from streams.shell.settings.settings import Settings
from tests.support.fake_registry import FakeRegistry

_OUTCOME = {
    "event_id": "e",
    "customer_id": "c",
    "occurred_at": 1_700_000_000_000,
    "kind": "click",
    "decision_id": "d",
}


@pytest.fixture
def schemas(server: FakeRegistry) -> Iterator[RegistrySchemas]:
    source = RegistrySchemas(Settings(schema_registry_url=server.url))
    yield source
    source.close()


def test_a_record_is_read_with_the_schema_its_id_names(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    server.add(77, schema_text("outcomes"))
    value = decode("outcomes", encode_event("outcomes", _OUTCOME, {"outcomes": 77}), schemas)
    assert not isinstance(value, Rejection)
    assert value["decision_id"] == "d"


def test_a_schema_is_asked_for_once(server: FakeRegistry, schemas: RegistrySchemas) -> None:
    server.add(77, schema_text("outcomes"))
    assert schemas.missing([77, 77]) == {77}
    schemas.fetch([77])
    assert schemas.missing([77]) == set()
    schemas.find(77)
    schemas.find(77)
    assert len(server.asked) == 1


def test_an_id_that_the_registry_does_not_know_is_a_bad_record(
    schemas: RegistrySchemas,
) -> None:
    payload = encode_event("outcomes", _OUTCOME, {"outcomes": 404})
    value = decode("outcomes", payload, schemas)
    assert isinstance(value, Rejection)
    assert value.reason == "unknown_schema_id"


def test_an_unknown_id_is_asked_for_again_only_after_a_while(server: FakeRegistry) -> None:
    now_s = 0.0
    schemas = RegistrySchemas(Settings(schema_registry_url=server.url), lambda: now_s)
    schemas.fetch([5])
    assert schemas.missing([5]) == set()
    now_s = ASK_AGAIN_AFTER_S
    assert schemas.missing([5]) == {5}
    server.add(5, schema_text("outcomes"))
    schemas.fetch([5])
    assert schemas.find(5) is not None
    schemas.close()


def test_the_answers_kept_are_bounded(
    server: FakeRegistry, schemas: RegistrySchemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CACHED_IDS", 3)
    schemas.fetch(range(1, 6))
    assert schemas.missing(range(1, 6)) == {1, 2}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_registry_that_says_no_is_refused_and_not_a_bad_record(
    server: FakeRegistry, schemas: RegistrySchemas, status: int
) -> None:
    server.status = status
    with pytest.raises(RegistryRefused):
        schemas.find(1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_in_trouble_is_worth_another_try(
    server: FakeRegistry,
    schemas: RegistrySchemas,
    status: int,
) -> None:
    server.status = status
    with pytest.raises(RegistryUnavailable):
        schemas.find(1)
    server.status = 200
    assert schemas.find(1) is None


def test_a_registry_that_is_down_is_worth_another_try() -> None:
    gone = FakeRegistry()
    gone.server_close()
    schemas = RegistrySchemas(Settings(schema_registry_url=gone.url))
    with pytest.raises(RegistryUnavailable, match="cannot be reached"):
        schemas.find(1)
    schemas.close()


def test_our_schemas_are_registered_under_their_topics(
    server: FakeRegistry, schemas: RegistrySchemas
) -> None:
    wanted = {"staging.next-best-actions": "next-best-actions", "staging.decisions": "decisions"}
    ids = schemas.register(wanted)
    assert set(ids) == {"next-best-actions", "decisions"}
    assert server.subjects == ["staging.next-best-actions-value", "staging.decisions-value"]
    assert server.schemas[ids["decisions"]]["schema"] == schema_text("decisions")
    assert RegistrySchemas(Settings(schema_registry_url=server.url)).register(wanted) == ids
