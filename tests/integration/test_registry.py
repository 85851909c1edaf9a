"""Schemas come from a registry: asked once, never guessed at, and its absence is no bad record."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.bundled import schema_text
from schemas.records import Rejection
from schemas.wire import decode, encode_event
from streams.runtime import registry as module
from streams.runtime.registry import (
    ASK_AGAIN_AFTER_S,
    RegistryRefused,
    RegistrySchemas,
    RegistryUnavailable,
)
from streams.runtime.settings import Settings

_OUTCOME = {
    "event_id": "e",
    "customer_id": "c",
    "occurred_at": 1_700_000_000_000,
    "kind": "click",
    "decision_id": "d",
}


class _Registry(ThreadingHTTPServer):
    """The few requests of a Confluent registry that Concierge sends, answered from memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.schemas: dict[int, str] = {}
        self.subjects: list[str] = []
        self.asked: list[str] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: _Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        number = int(self.path.split("?")[0].rsplit("/", 1)[1])
        if self.server.status != 200:
            self._answer(self.server.status, {"error_code": self.server.status, "message": "no"})
        elif number in self.server.schemas:
            self._answer(200, {"schema": self.server.schemas[number]})
        else:
            self._answer(404, {"error_code": 40403, "message": "Schema not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {text: number for number, text in self.server.schemas.items()}
        number = known.get(body["schema"], 100 + len(known))
        self.server.schemas[number] = body["schema"]
        self.server.subjects.append(self.path.split("/")[2])
        self._answer(200, {"id": number})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def server() -> Iterator[_Registry]:
    registry = _Registry()
    thread = threading.Thread(target=registry.serve_forever, args=(0.01,))
    thread.start()
    yield registry
    registry.shutdown()
    thread.join()
    registry.server_close()


@pytest.fixture
def schemas(server: _Registry) -> Iterator[RegistrySchemas]:
    source = RegistrySchemas(Settings(schema_registry_url=server.url))
    yield source
    source.close()


def test_a_record_is_read_with_the_schema_its_id_names(
    server: _Registry, schemas: RegistrySchemas
) -> None:
    server.schemas[77] = schema_text("outcomes")
    value = decode("outcomes", encode_event("outcomes", _OUTCOME, {"outcomes": 77}), schemas)
    assert not isinstance(value, Rejection)
    assert value["decision_id"] == "d"


def test_a_schema_is_asked_for_once(server: _Registry, schemas: RegistrySchemas) -> None:
    server.schemas[77] = schema_text("outcomes")
    assert schemas.missing([77, 77]) == {77}
    schemas.learn([77])
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


def test_an_unknown_id_is_asked_for_again_only_after_a_while(server: _Registry) -> None:
    now_s = 0.0
    schemas = RegistrySchemas(Settings(schema_registry_url=server.url), lambda: now_s)
    schemas.learn([5])
    assert schemas.missing([5]) == set()
    now_s = ASK_AGAIN_AFTER_S
    assert schemas.missing([5]) == {5}
    server.schemas[5] = schema_text("outcomes")
    schemas.learn([5])
    assert schemas.find(5) is not None
    schemas.close()


def test_the_answers_kept_are_bounded(
    server: _Registry, schemas: RegistrySchemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CACHED_IDS", 3)
    schemas.learn(range(1, 6))
    assert schemas.missing(range(1, 6)) == {1, 2}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_registry_that_says_no_is_refused_and_not_a_bad_record(
    server: _Registry, schemas: RegistrySchemas, status: int
) -> None:
    server.status = status
    with pytest.raises(RegistryRefused):
        schemas.find(1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_in_trouble_is_worth_another_try(
    server: _Registry,
    schemas: RegistrySchemas,
    status: int,
) -> None:
    server.status = status
    with pytest.raises(RegistryUnavailable):
        schemas.find(1)
    server.status = 200
    assert schemas.find(1) is None


def test_a_registry_that_is_down_is_worth_another_try() -> None:
    gone = _Registry()
    gone.server_close()
    schemas = RegistrySchemas(Settings(schema_registry_url=gone.url))
    with pytest.raises(RegistryUnavailable, match="cannot be reached"):
        schemas.find(1)
    schemas.close()


def test_our_schemas_are_registered_under_their_topics(
    server: _Registry, schemas: RegistrySchemas
) -> None:
    wanted = {"staging.next-best-actions": "next-best-actions", "staging.decisions": "decisions"}
    ids = schemas.register(wanted)
    assert set(ids) == {"next-best-actions", "decisions"}
    assert server.subjects == ["staging.next-best-actions-value", "staging.decisions-value"]
    assert server.schemas[ids["decisions"]] == schema_text("decisions")
    assert RegistrySchemas(Settings(schema_registry_url=server.url)).register(wanted) == ids
