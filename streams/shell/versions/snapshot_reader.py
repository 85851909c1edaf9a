"""Read all published model snapshots, and then where the lessons end.

In: the topics of snapshots and lessons. Out: model -> version -> bytes, and an end by partition of
the lessons. The ends are asked last: a snapshot that has learned more lessons than there are then
belongs to another installation, and is not merely newer than the ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from threading import Event
from typing import Any, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from schemas.records import MODEL
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import BROKER_TIMEOUT_S, in_thread, read_to_end, reader_config
from streams.shell.versions.version_store import parse_version_key

SnapshotsByModel = Mapping[str, Mapping[str, bytes]]


class PublishedModels(NamedTuple):
    """Snapshots by model and version, and the offset after the last lesson by partition."""

    snapshots: SnapshotsByModel
    lesson_ends: Mapping[int, int]


async def read_snapshots(
    client: Mapping[str, Any], snapshots_topic: str, lessons_topic: str
) -> PublishedModels:
    """Return what is published now; raises KafkaException if the brokers do not answer."""
    snapshots: SnapshotsByModel = await in_thread(
        lambda give_up: _read_topic(client, snapshots_topic, give_up)
    )
    return PublishedModels(snapshots, await asyncio.to_thread(_ends, client, lessons_topic))


def _read_topic(client: Mapping[str, Any], topic: str, give_up: Event) -> SnapshotsByModel:
    found: dict[str, dict[str, bytes]] = {}
    for messages in read_to_end(client, topic, partitions_of(client, topic), give_up):
        for message in messages:
            name = parse_version_key(MODEL, message.key() or b"")
            if name is None:
                continue
            _, model, version = name
            versions = found.setdefault(model, {})
            if (data := message.value()) is None:
                versions.pop(version, None)
            else:
                versions[version] = data
    return {model: versions for model, versions in found.items() if versions}


def _ends(client: Mapping[str, Any], topic: str) -> dict[int, int]:
    """Return the offset after the last record of each partition."""
    consumer = Consumer(reader_config(client))
    try:
        bounds = {
            number: consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=BROKER_TIMEOUT_S
            )
            for number in partitions_of(client, topic)
        }
        return {number: found[1] for number, found in bounds.items() if found is not None}
    finally:
        consumer.close()
