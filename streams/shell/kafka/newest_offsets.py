"""Offsets from which the newest part of a topic is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from streams.shell.kafka.topic_reader import BROKER_TIMEOUT_S, reader_config


def offsets_of_newest(
    client: Mapping[str, Any], topic: str, partitions: Sequence[int], max_records: int
) -> dict[int, int]:
    """Return the offset in each partition from which at most `max_records` are left.

    Raises KafkaException when the brokers do not answer.
    """
    consumer = Consumer(reader_config(client))
    try:
        starts = {}
        for number in partitions:
            first, end = consumer.get_watermark_offsets(
                TopicPartition(topic, number), BROKER_TIMEOUT_S
            )
            starts[number] = max(first, end - max_records)
        return starts
    finally:
        consumer.close()
