"""The broker of a benchmark: one real Kafka, its topics, what is in them and how far groups are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.shell.kafka.topic_reader import read_to_end
from tests.support.kafka import RealKafka

PARTITIONS = 4
PATIENCE_S = 120.0
# The broker's own clock on arrival: when a record became visible, whoever wrote it.
ON_ARRIVAL = {"message.timestamp.type": "LogAppendTime"}
_LOOK_AGAIN_S = 0.05


class BenchKafka(RealKafka):
    """The broker that tests use, with the JIT compiler that a long-lived one has."""

    def _java_command(self) -> list[str]:
        return ["java", "-XX:+UseSerialGC", "-cp", f"{self._jars}/*"]


class Cluster:
    """Topics on one broker: made, filled, measured, read and removed."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
        }
        self._admin = AdminClient(dict(self.client))
        self._ends = Consumer({**self.client, "group.id": "bench-ends"})
        self._askers: dict[str, Consumer] = {}

    def close(self) -> None:
        """Let the connections go."""
        self._ends.close()
        for asking in self._askers.values():
            asking.close()

    def create(self, names: Iterable[str], config: Mapping[str, str] | None = None) -> None:
        """Create topics and wait until the broker shows them."""
        wanted = [NewTopic(name, PARTITIONS, 1, config=dict(config or {})) for name in names]
        for made in self._admin.create_topics(wanted).values():
            made.result(PATIENCE_S)
        names_left = {topic.topic for topic in wanted}
        deadline_s = time.monotonic() + PATIENCE_S
        while not names_left <= self._admin.list_topics(timeout=PATIENCE_S).topics.keys():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"created but not seen: {sorted(names_left)}")
            time.sleep(_LOOK_AGAIN_S)

    def remove(self, containing: str) -> None:
        """Delete every topic whose name contains a text."""
        names = [n for n in self._admin.list_topics(timeout=PATIENCE_S).topics if containing in n]
        for removed in self._admin.delete_topics(names).values() if names else ():
            with suppress(KafkaException):
                removed.result(PATIENCE_S)

    def fill(self, topic: str, records: Iterable[tuple[bytes | None, bytes]]) -> None:
        """Write (key, value) pairs, acknowledged."""
        producer = bulk_producer(self.client)
        for key, value in records:
            produce(producer, topic, key, value)
        left = producer.flush(PATIENCE_S)
        if left:
            raise TimeoutError(f"{topic}: {left} records were not acknowledged")

    def ends(self, topic: str) -> list[int]:
        """Return the offset after the last record of each partition."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return [
                    self._ends.get_watermark_offsets(TopicPartition(topic, number), PATIENCE_S)[1]
                    for number in range(PARTITIONS)
                ]
            except KafkaException:
                # A topic that has just been made: its leader is not known everywhere yet.
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_LOOK_AGAIN_S)

    def held(self, topic: str) -> int:
        """Return how many records a topic has ever had."""
        return sum(self.ends(topic))

    def committed(self, group: str, topic: str) -> int:
        """Return how many records of a topic a group has committed; 0 for a group unheard of."""
        asking = self._askers.get(group)
        if asking is None:
            asking = self._askers[group] = Consumer({**self.client, "group.id": group})
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum(max(place.offset, 0) for place in asking.committed(places, PATIENCE_S))
        except KafkaException:
            return 0

    def read(self, topic: str) -> Iterator[Message]:
        """Yield every record of a topic, in order per partition."""
        for messages in read_to_end(self.client, topic, range(PARTITIONS), threading.Event()):
            yield from messages


def bulk_producer(client: Mapping[str, str | int | float | bool]) -> Producer:
    """Return a producer for filling topics quickly and in order."""
    return Producer(
        {
            "linger.ms": 20,
            "queue.buffering.max.messages": 500_000,
            **client,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "enable.idempotence": True,
        }
    )


def produce(
    producer: Producer, topic: str, key: bytes | None, value: bytes, partition: int = -1
) -> None:
    """Send one record, waiting while the producer's queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, partition)
            return
        except BufferError:
            producer.poll(0.05)
