"""A topic of things, worker processes that count them, and what must be true at the end."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.shell.kafka.topic_reader import (
    read_to_end,
)
from streams.shell.state.changelog import (
    newest_states,
)
from tests.integration.counting_worker import (
    CODEC,
    Count,
    advance,
    app_id,
    changelog_topic,
    input_topic,
    output_topic,
)
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_S

PARTITIONS = 4
KEYS = 500


@dataclass
class Expected:
    """The recomputation: each key's state, each output's content by id."""

    states: dict[str, Count] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


class ShellWorld:
    """Feeds, runs workers, and compares with a recomputation from what was fed."""

    def __init__(self, bootstrap: str, prefix: str, *, creates_topics: bool) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.fed = 0
        self._client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
        }
        self._random = random.Random(7)
        self._workers: list[subprocess.Popen[bytes]] = []
        self._said: dict[int, TextIO] = {}
        self._create_topics(creates_topics)
        self._producer = Producer({**self._client, "partitioner": "murmur2_random", "linger.ms": 5})
        self._group = Consumer({**self._client, "group.id": f"{app_id(prefix)}-count"})

    def feed(self, count: int) -> None:
        """Write `count` records more."""
        for number in range(self.fed, self.fed + count):
            key, value = f"c{self._random.randrange(KEYS)}", str(number).encode()
            self._producer.produce(input_topic(self.prefix), key=key, value=value)
            self._producer.poll(0)
        self._producer.flush(PATIENCE_S)
        self.fed += count

    def poison(self) -> None:
        """Write a record that makes the role's code raise."""
        self._producer.produce(input_topic(self.prefix), key="poison", value=b"!")
        self._producer.flush(PATIENCE_S)

    def start(self, failpoint: str = "", instance: str = "") -> subprocess.Popen[bytes]:
        """Start a worker process."""
        command = [sys.executable, "-m", "tests.integration.counting_worker"]
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with its worker
        worker = subprocess.Popen(
            [*command, self.bootstrap, self.prefix, failpoint, instance],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        self._workers.append(worker)
        self._said[worker.pid] = said
        return worker

    def said(self, worker: subprocess.Popen[bytes]) -> str:
        """Return what a worker has printed and logged so far."""
        said = self._said[worker.pid]
        said.seek(0)
        return said.read()

    def await_assigned(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait until a worker has got partitions."""
        self._await(lambda: "assigned [" in self.said(worker).replace("[]", ""), "an assignment")

    def committed(self) -> int:
        """Return how many records the group has committed."""
        places = [TopicPartition(input_topic(self.prefix), n) for n in range(PARTITIONS)]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                found = self._group.committed(places, PATIENCE_S)
            except KafkaException:
                # The coordinator of a new cluster takes a moment to be found.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return sum(max(place.offset, 0) for place in found)

    def await_committed(self, count: int) -> None:
        """Wait until at least `count` records are committed."""
        self._await(lambda: self.committed() >= count, f"{count} records to be committed")

    def check(self) -> None:
        """Assert that state and outputs are exactly those of the recomputation."""
        expected = self.recomputed()
        assert self.committed() == self.fed
        assert self.states() == expected.states
        assert self.outputs() == {key: {value} for key, value in expected.outputs.items()}

    def recomputed(self) -> Expected:
        """Return what must have come of the input log as it lies there."""
        expected = Expected()
        for message in self._read(input_topic(self.prefix)):
            key, value = (message.key() or b"").decode(), message.value() or b""
            state = expected.states.setdefault(key, Count())
            output_id, content = advance(state, key, value).decode().split()
            expected.outputs[output_id] = content
        return expected

    def states(self) -> dict[str, Count]:
        """Return each key's durable state, without the offsets that are the shell's business."""
        changelog = changelog_topic(self.prefix)
        found = newest_states(self._client, changelog, range(PARTITIONS), threading.Event())
        states = {
            key: CODEC.decode(key, data)
            for partition in found.values()
            for key, data in partition.items()
            if not key.startswith("\0")
        }
        return {key: Count(count.seen, count.digest) for key, count in states.items()}

    def outputs(self) -> dict[str, set[str]]:
        """Return every content that was written under each output id."""
        found: dict[str, set[str]] = {}
        for message in self._read(output_topic(self.prefix)):
            output_id, content = (message.value() or b"").decode().split()
            found.setdefault(output_id, set()).add(content)
        return found

    def _read(self, topic: str) -> Iterator[Message]:
        for messages in read_to_end(self._client, topic, range(PARTITIONS), threading.Event()):
            yield from messages

    def close(self) -> None:
        """End every worker that still runs."""
        for worker in self._workers:
            worker.kill()
            worker.wait()
            self._said[worker.pid].close()
        self._group.close()

    def _create_topics(self, creates_topics: bool) -> None:
        names = [input_topic(self.prefix), output_topic(self.prefix)]
        changelog = changelog_topic(self.prefix)
        admin = AdminClient(self._client)
        if creates_topics:
            wanted = [NewTopic(name, PARTITIONS, 1) for name in names]
            compacted = {"cleanup.policy": "compact"}
            wanted.append(NewTopic(changelog, PARTITIONS, 1, config=compacted))
            for created in admin.create_topics(wanted).values():
                created.result(PATIENCE_S)
        else:
            for name in [*names, changelog]:
                admin.list_topics(name, PATIENCE_S)

    def _await(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
            ended = [worker.returncode for worker in self._workers if worker.poll() == 70]
            assert not ended, "a worker failed"
            time.sleep(0.05)
