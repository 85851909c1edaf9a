"""An input gets more partitions while a worker runs: they are read soon, and nothing is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from schemas.records import TIMELINE_DECODER, Click
from schemas.topics import CLICKSTREAM, TIMELINE
from schemas.wire import encode_event
from streams.shell.wall_clock import now_ms
from tests.integration.world import World, write_catalogue
from tests.integration.world_worker import Worker
from tests.support.kafka import RealKafka
from tests.support.shops import SHOP

pytestmark = pytest.mark.long

_NEW = 5


@pytest.fixture
def world(kafka: RealKafka, tmp_path: Path) -> Iterator[World]:
    path = write_catalogue(tmp_path, SHOP)
    made = World(kafka.bootstrap, f"p{uuid4().hex[:10]}.", catalogue_path=path)
    made.create_topics()
    yield made
    made.close()


def _page(worker: Worker) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(worker.page("/healthz"))
    return page


def test_partitions_added_to_an_input_are_read_soon_and_are_no_silence_of_the_brokers(
    world: World,
) -> None:
    worker = world.start(broker_silence_ms=2_000)
    worker.await_ready()
    topic = world.name(CLICKSTREAM)
    admin = AdminClient(dict(world.client))
    for added in admin.create_partitions([NewPartitions(topic, _NEW + 1)]).values():
        added.result(30)
    event = {"event_id": "e", "customer_id": "new", "occurred_at": now_ms(), "kind": "search"}
    producer = Producer(dict(world.client))
    producer.produce(topic, encode_event(CLICKSTREAM.name, event), b"k", _NEW)
    assert producer.flush(30) == 0

    def is_read() -> bool:
        records = [TIMELINE_DECODER.decode(m.value() or b"") for m in world.read(TIMELINE)]
        return any(isinstance(r, Click) and r.customer == "new" for r in records)

    worker.await_true(is_read, "the new partition to be read")

    def is_watched() -> bool:
        partitions = _page(worker)["roles"]["intake"]["partitions"]
        return bool(partitions.get(f"{topic}/{_NEW}", {}).get("lag") == 0)

    worker.await_true(is_watched, "its lag to be known")
    page = _page(worker)
    assert (page["status"], page["problems"]) == ("ok", [])
    assert "no answer from the brokers" not in worker.said()
    assert "lag_unknown" not in page
