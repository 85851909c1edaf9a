"""One installation of its own on a broker: topics, workers, what goes in and what came out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.records import ENCODER, Tick
from schemas.topics import INPUTS, LESSONS, TIMELINE, Topic, all_topics, customers_changelog
from streams.shell.kafka.topic_admin import create_topics
from streams.shell.kafka.topic_reader import (
    read_to_end,
)
from streams.shell.state.changelog import (
    newest_states,
)
from tests.integration.world_worker import Worker
from tests.support.patience import PATIENCE_S

T = TypeVar("T")
W = TypeVar("W")

PARTITIONS = 4
# What each role reads, in the order in which work flows.
READS = {"intake": INPUTS, "decide": (TIMELINE,), "learn": (LESSONS,)}


class Given(NamedTuple):
    """One record for an input topic; `bad` is the reason for which it must be refused."""

    topic: str
    key: bytes | None
    value: bytes | None
    bad: str | None = None


class World:
    """The topics and workers of one test, parted from others by a prefix.

    `settings` are a worker's, by name, on top of quick ones.
    """

    def __init__(self, bootstrap: str, prefix: str, **settings: Any) -> None:
        self.prefix = prefix
        self.app_id = prefix.rstrip(".")
        self.settings = {
            "kafka": bootstrap,
            "app_id": self.app_id,
            "topic_prefix": prefix,
            "clock": "off",
            "checkpoint_interval_ms": 200,
            "fetch_max_wait_ms": 10,
            # Shorter than a delivery may take, which only a test may ask for: a dead worker is
            # noticed soon, and a busy machine gets its time.
            "session_timeout_ms": 6_000,
            # A worker that a test froze, or that gets no processor time, must not end for it.
            "delivery_timeout_ms": int(PATIENCE_S * 1_000),
            "test_faults": "yes",
            # Lessons are committed with the snapshot that holds them.
            "snapshot_interval_ms": 1_000,
            **settings,
        }
        self.client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
        }
        self.bad: dict[tuple[str, int, int], str] = {}
        self._workers: list[Worker] = []
        self._failures: list[str] = []
        self._producer = Producer(
            {**self.client, "partitioner": "murmur2_random", "message.max.bytes": 4_000_000}
        )
        self._ends = Consumer({**self.client, "group.id": f"{prefix}ends"})
        self._asking: dict[str, Consumer] = {}

    def create_topics(self) -> None:
        """Create every topic of the installation."""
        admin = AdminClient(dict(self.client))
        create_topics(admin, all_topics(self.app_id, self.prefix), replication_factor=1)

    def name(self, topic: Topic | str) -> str:
        """Return what a declared topic is called here."""
        return self.prefix + (topic if isinstance(topic, str) else topic.name)

    def start(self, **settings: Any) -> Worker:
        """Start a worker; it need not be ready."""
        worker = Worker({**self.settings, **settings})
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End every worker that still runs."""
        for worker in self._workers:
            worker.close()
        for asking in (self._ends, *self._asking.values()):
            asking.close()

    # -- in ------------------------------------------------------------------------------------

    def send(self, records: Iterable[Given]) -> None:
        """Write records to the input topics, in order, acknowledged."""
        for record in records:
            self._produce(self.name(record.topic), record.value, record.key, bad=record.bad)
        self._flush()

    def tick(self, at_ms: int) -> None:
        """Write the time to every partition of the timeline."""
        for partition in range(PARTITIONS):
            self._produce(self.name(TIMELINE), ENCODER.encode(Tick(at_ms)), None, partition)
        self._flush()

    def _produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int = -1,
        bad: str | None = None,
    ) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failures.append(f"{topic}: {error.str()}")
            elif bad is not None:
                place = (topic, message.partition() or 0, message.offset() or 0)
                self.bad[place] = bad

        while True:
            with suppress(BufferError):
                self._producer.produce(topic, value, key, partition, on_delivery=delivered)
                self._producer.poll(0)
                return
            self._producer.poll(0.05)

    def _flush(self) -> None:
        left = self._producer.flush(PATIENCE_S)
        assert not left
        assert not self._failures

    # -- how far -------------------------------------------------------------------------------

    def ends(self, topics: Sequence[Topic]) -> dict[str, int]:
        """Return the offset after the last record, by "topic/partition"."""
        return {
            f"{name}/{number}": _asked(
                self._ends.get_watermark_offsets, TopicPartition(name, number)
            )[1]
            for name in map(self.name, topics)
            for number in range(PARTITIONS)
        }

    def await_read(self, worker: Worker, role: str) -> None:
        """Wait until a role has read all there is, and what it sent is acknowledged."""
        wanted = self.ends(READS[role])

        def is_there() -> bool:
            at = worker.positions(role)
            behind = [place for place, end in wanted.items() if at.get(place, -1) < end]
            return not behind and worker.idle(role)

        worker.await_true(is_there, f"{role} to read {sum(wanted.values()):,} records")

    def await_settled(self, worker: Worker) -> None:
        """Wait until no role has anything left to do, and all of it is committed."""

        def all_ends() -> dict[str, int]:
            return self.ends([topic for topics in READS.values() for topic in topics])

        def is_settled() -> bool:
            before = all_ends()
            return self.committed() == before and all_ends() == before

        worker.await_true(is_settled, "all work to be committed")

    def committed(self, roles: Iterable[str] = READS) -> dict[str, int]:
        """Return what roles' groups have committed, by "topic/partition"; 0 where nothing is."""
        found: dict[str, int] = {}
        for role in roles:
            places = [
                TopicPartition(self.name(topic), number)
                for topic in READS[role]
                for number in range(PARTITIONS)
            ]
            for place in self._committed(f"{self.app_id}-{role}", places):
                found[f"{place.topic}/{place.partition}"] = max(place.offset, 0)
        return found

    def _committed(self, group: str, places: list[TopicPartition]) -> list[TopicPartition]:
        if group not in self._asking:
            self._asking[group] = Consumer({**self.client, "group.id": group})
        return _asked(self._asking[group].committed, places)

    # -- out -----------------------------------------------------------------------------------

    def read(self, topic: Topic | str) -> list[Message]:
        """Return every record of a topic, in order per partition."""
        name, everything = self.name(topic), list[Message]()
        for messages in read_to_end(self.client, name, range(PARTITIONS), threading.Event()):
            everything += messages
        return everything

    def states(self) -> Mapping[int, Mapping[str, bytes]]:
        """Return each partition's newest encoded states, from the changelog, by key."""
        changelog = customers_changelog(self.app_id).name
        return newest_states(self.client, changelog, range(PARTITIONS), threading.Event())


def _asked(ask: Callable[[W, float], T], what: W) -> T:
    """Return what the brokers answer; a new cluster, or one that restarts, takes a moment."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask(what, PATIENCE_S)
        except KafkaException:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def write_catalogue(folder: Path, text: str) -> Path:
    """Return the path of a catalogue file with this text."""
    path = folder / "catalogue.yaml"
    path.write_text(text, encoding="utf-8")
    return path
