"""Read a topic from the command line: to its current end, without a group."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from confluent_kafka import Message

from schemas.topics import Topic
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.newest_offsets import offsets_of_newest
from streams.shell.kafka.producers import partition_of_key
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.settings.settings import Settings


def read_topic(
    settings: Settings, topic: Topic, *, key: bytes | None = None, newest: int | None = None
) -> Iterator[list[Message]]:
    """Yield a topic's messages in batches, in order per partition; its name gets the prefix.

    `key` limits this to the partition of a key, `newest` to about so many of the newest records.
    Raises KafkaException when the brokers refuse or do not answer.
    """
    client = librdkafka_config(settings)
    name = topic.with_prefix(settings.topic_prefix).name
    partitions = partitions_of(client, name)
    if key is not None:
        partitions = [partition_of_key(key, len(partitions))]
    starts = None
    if newest is not None:
        starts = offsets_of_newest(client, name, partitions, -(-newest // len(partitions)))
    yield from read_to_end(client, name, partitions, Event(), starts)
