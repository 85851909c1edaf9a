"""What a test does to the brokers' topics, and what it sees of a worker in trouble."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # unexported upstream
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from schemas.topics import Topic
from tests.integration.world import PARTITIONS, World
from tests.integration.world_worker import Worker
from tests.support.patience import PATIENCE_S

_WITHIN_S = PATIENCE_S


def admin(world: World) -> AdminClient:
    """Return a client for everything that is no test's own business."""
    return AdminClient(dict(world.client))


def alter(world: World, topic: str, **config: str) -> None:
    """Set configuration of a topic; `max_message_bytes="2000"`."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    client = admin(world)
    for future in client.incremental_alter_configs([resource]).values():
        future.result(_WITHIN_S)


def expire(world: World, topic: str, partition: int, before: int) -> None:
    """Remove the records of a partition below an offset, as retention does."""
    place = TopicPartition(topic, partition, before)
    client = admin(world)
    for future in client.delete_records([place]).values():
        future.result(_WITHIN_S)


def delete(world: World, topic: str) -> None:
    """Delete a topic, until the brokers no longer know it."""
    client = admin(world)
    client.delete_topics([topic])[topic].result(_WITHIN_S)
    while topic in client.list_topics(timeout=_WITHIN_S).topics:
        pass


def create_copied(world: World, topic: Topic) -> None:
    """Create a topic anew with two copies, both of which must have each record."""
    delete(world, topic.name)
    config = {**topic.kafka_config(), "min.insync.replicas": "2"}
    client = admin(world)
    copied = NewTopic(topic.name, PARTITIONS, 2, config=config)
    client.create_topics([copied])[topic.name].result(_WITHIN_S)


def least_in_sync(world: World, topic: str) -> int:
    """Return how many copies the partition has that has the fewest in sync."""
    found = admin(world).list_topics(topic, timeout=_WITHIN_S).topics[topic].partitions
    return min((len(each.isrs) for each in found.values()), default=0)


def write(world: World, topic: str, key: bytes, value: bytes | None, partition: int) -> None:
    """Write a record that no part of the product would write."""
    producer = Producer({**world.client, "message.max.bytes": 8_000_000})
    producer.produce(topic, value, key, partition)
    assert producer.flush(_WITHIN_S) == 0


def health(worker: Worker) -> tuple[int, dict[str, Any]]:
    """Return the status and the page of /healthz."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{worker.port}/healthz", timeout=PATIENCE_S
        ) as page:
            return page.status, json.load(page)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def last_line(worker: Worker) -> str:
    """Return the last line that a worker wrote."""
    return worker.said().strip().splitlines()[-1]
