"""The road with a real Schema Registry: ids of producers come in, ids of ours go out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from schemas.bundled import schema_text
from schemas.dead_letter_record import read_dead_letter
from schemas.topics import CLICKSTREAM, DEAD_LETTERS, DECISIONS, INPUTS, NEXT_BEST_ACTIONS
from schemas.wire import decode, encode_event, schema_id
from streams.cli.commands.check_registry import registry_is_fine
from streams.cli.console import stdout_console
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.process.serve import EXIT_OK
from streams.shell.settings.settings import Settings
from tests.integration.world import Given, World, write_catalogue
from tests.integration.world_input import DAY_MS, START_MS, InputMaker
from tests.support.example_files import accepted_examples
from tests.support.registry import running_registry
from tests.support.shops import SHOP

_HEADER_BYTES = 5
_NOBODYS_ID = 2_000_000_000


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture
def world(embedded_broker: EmbeddedBroker, registry_url: str, tmp_path: Path) -> Iterator[World]:
    made = World(
        embedded_broker.bootstrap,
        f"r{uuid4().hex[:10]}.",
        catalogue_path=write_catalogue(tmp_path, SHOP),
        schema_registry_url=registry_url,
    )
    made.create_topics()
    yield made
    made.close()


def _with_id(record: Given, number: int, more: bytes = b"") -> Given:
    value = b"\0" + number.to_bytes(4, "big") + (record.value or b"")[_HEADER_BYTES:] + more
    return record._replace(value=value)


def test_a_worker_reads_and_writes_with_the_schemas_of_a_registry(
    world: World, registry_url: str
) -> None:
    client = SchemaRegistryClient({"url": registry_url})
    ids = {
        topic.name: client.register_schema(
            f"{world.name(topic)}-value", Schema(schema_text(topic.name), "AVRO")
        )
        for topic in INPUTS
    }
    # A producer that is a version ahead: a field of its own at the end, which we pass over.
    ahead = json.loads(schema_text(CLICKSTREAM.name))
    ahead["fields"].append({"name": "shelf", "type": "string", "default": ""})
    newer = client.register_schema("elsewhere-value", Schema(json.dumps(ahead), "AVRO"))
    assert newer not in ids.values()

    events = InputMaker(500, seed=17).act(300, START_MS, START_MS + DAY_MS)
    good = [_with_id(event, ids[event.topic]) for event in events if event.bad is None]
    place = next(n for n, event in enumerate(good) if event.topic == CLICKSTREAM.name)
    good[place] = _with_id(good[place], newer, b"\x06top")
    foreign = _with_id(good[place], _NOBODYS_ID)._replace(bad="unknown_schema_id")

    worker = world.start()
    worker.await_ready()
    world.send([*good, foreign])
    world.await_read(worker, "intake")
    world.tick(START_MS + 3 * DAY_MS)
    world.await_settled(worker)
    assert worker.terminate() == EXIT_OK, worker.said()

    letters = [read_dead_letter(m.key(), m.value(), m.headers()) for m in world.read(DEAD_LETTERS)]
    assert [letter.rejection.reason for letter in letters] == ["unknown_schema_id"]
    for topic in (NEXT_BEST_ACTIONS, DECISIONS):
        name = world.name(topic)
        registered = client.get_latest_version(f"{name}-value").schema_id
        values = [message.value() or b"" for message in world.read(topic)]
        assert values
        assert {schema_id(value) for value in values} == {registered}
        # As any consumer of the business would read them.
        read = AvroDeserializer(client)(values[0], SerializationContext(name, MessageField.VALUE))
        assert isinstance(read, dict)
        assert read["decision_id"]


def test_references_other_types_and_the_check_work_on_a_real_registry(
    registry_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"r{uuid4().hex[:10]}."
    client = SchemaRegistryClient({"url": registry_url})
    clicks = json.loads(schema_text(CLICKSTREAM.name))
    place = next(field for field in clicks["fields"] if field["name"] == "channel")
    channel = json.dumps({**place["type"], "namespace": "concierge"})
    place["type"] = "concierge.Channel"
    client.register_schema(f"{prefix}channel", Schema(channel, "AVRO"))
    refers = [SchemaReference("concierge.Channel", f"{prefix}channel", 1)]
    with_reference = client.register_schema(
        f"{prefix}clickstream-value", Schema(json.dumps(clicks), "AVRO", refers)
    )
    proto = 'syntax = "proto3"; message Order { string order_id = 1; }'
    of_protobuf = client.register_schema(f"{prefix}purchases-value", Schema(proto, "PROTOBUF"))
    settings = Settings(schema_registry_url=registry_url, topic_prefix=prefix, app_id=prefix + "a")

    schemas = RegistrySchemas(settings)
    found = schemas.find(with_reference)
    assert found is not None
    assert (found.name, found.problem) == ("clickstream", None)
    value = accepted_examples("clickstream")["a_view_with_everything.json"]
    payload = encode_event("clickstream", value, {"clickstream": with_reference})
    assert decode("clickstream", payload, schemas) == value
    foreign = schemas.find(of_protobuf)
    assert foreign is not None
    assert "it is a PROTOBUF schema" in (foreign.problem or "")
    assert schemas.find(_NOBODYS_ID) is None
    schemas.close()

    assert not registry_is_fine(settings, stdout_console())
    said = capsys.readouterr()
    good = " ".join(said.out.split())
    assert f"{prefix}clickstream-value 1 of the last 1 can be read" in good
    assert f"{prefix}support-value not registered yet" in good
    assert f"{prefix}decisions-value takes the schema of this release" in good
    [problem] = said.err.splitlines()
    assert problem.startswith(f"subject {prefix}purchases-value: version 1 cannot be read")
