"""The confluent producers of one outbox: one for internal topics, one for topics that others read.

librdkafka compresses by a setting of the producer, and its Python client has none for one topic.
Internal topics use lz4. Topics for others use the configured compression, since kafkajs, the most
used client of Node, reads lz4, zstd and snappy only with a codec added. A further producer is
created when the first record for it is sent, so a role that sends none does not pay for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.partitioner import murmur2
from confluent_kafka import Producer

from schemas.topics import PRODUCER_MAX_MESSAGE_BYTES

# The partitioner of Java clients, so that other programs compute the same partition of a key.
PARTITIONER = "murmur2_random"
# Records in librdkafka's queue, sent or waiting; with more, the sender waits.
QUEUE_LIMIT = 200_000
# For topics that only we read.
INTERNAL_COMPRESSION = "lz4"
# gzip at its default level costs librdkafka's thread 150 us for a record of 2 KiB, at this level 80
# for a fifth more bytes; zstd costs 11, lz4 2. The other kinds keep librdkafka's default level.
_LEVELS = {"gzip": 1}


def producer_config(client: Mapping[str, Any], linger_ms: float) -> dict[str, Any]:
    """Return librdkafka's configuration of a producer that neither loses nor reorders records.

    `client` holds the bootstrap servers and, where needed, the security settings.
    """
    return {
        **client,
        "enable.idempotence": True,
        "compression.type": INTERNAL_COMPRESSION,
        "partitioner": PARTITIONER,
        "linger.ms": linger_ms,
        "message.max.bytes": PRODUCER_MAX_MESSAGE_BYTES,
        "delivery.report.only.error": True,
        # Below the session timeout: queued records are dropped before others get the partitions.
        "message.timeout.ms": 20_000,
        # Never reached, because `Outbox` waits before: if records in the middle of a batch were
        # refused, they would come after later ones.
        "queue.buffering.max.messages": 2 * QUEUE_LIMIT,
        "queue.buffering.max.kbytes": 2_097_151,
    }


def partition_of_key(key: bytes, partitions: int) -> int:
    """Return the partition to which `PARTITIONER` assigns a key.

    >>> partition_of_key(b"anna", 4)
    3
    """
    number: int = (murmur2(key) & 0x7FFFFFFF) % partitions
    return number


class Producers:
    """The producer of each topic, always the same one, so that partitions keep their order.

    `compressed` maps topics to their compression where it differs from that of `config`.
    """

    def __init__(self, config: Mapping[str, Any], compressed: Mapping[str, str]) -> None:
        self._config = config
        self._compressed = compressed
        self._usual: str = config.get("compression.type", "none")
        self._made = {self._usual: Producer(dict(config))}

    def of(self, topic: str) -> Producer:
        """Return the producer of a topic."""
        kind = self._compressed.get(topic, self._usual)
        if kind not in self._made:
            config = {**self._config, "compression.type": kind}
            if kind in _LEVELS:
                config["compression.level"] = _LEVELS[kind]
            self._made[kind] = Producer(config)
        return self._made[kind]

    def poll(self) -> None:
        """Process delivery reports."""
        for producer in self._all():
            producer.poll(0)

    def pending(self) -> int:
        """Return how many records are queued or not yet acknowledged."""
        return sum(len(producer) for producer in self._all())

    def flush(self, timeout_s: float) -> int:
        """Wait, for each producer at most `timeout_s`; return how many records are left."""
        return sum(producer.flush(timeout_s) for producer in self._all())

    def purge(self) -> None:
        """Drop queued records."""
        for producer in self._all():
            producer.purge()

    def _all(self) -> Iterable[Producer]:
        # A copy: a flush runs in its own thread while another producer may be created.
        return tuple(self._made.values())
