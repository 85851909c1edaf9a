"""The second driver of the scenarios: a worker behind a broker, embedded or real."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.records import Decision, NextBestAction
from schemas.topics import DECISIONS, NEXT_BEST_ACTIONS
from schemas.wire import decode_action, decode_decision
from streams.shell.kafka.topic_reader import reader_config
from tests.integration.world import PARTITIONS, Given, World
from tests.integration.world_worker import Worker
from tests.scenarios.runner import Result

_OUTPUTS = (DECISIONS, NEXT_BEST_ACTIONS)
_POLL_S = 0.005


class OnBrokers:
    """Sends through one worker, scenario after scenario: each has customers of its own."""

    def __init__(self, world: World, worker: Worker) -> None:
        self.world, self.worker = world, worker
        self._topic = ""
        self._actions: dict[str, NextBestAction] = {}
        self._decisions: list[Decision] = []
        # Polls for what it knows is there, so the end of a partition is no event to it.
        self._consumer = Consumer(
            {
                **reader_config(world.client),
                "enable.partition.eof": False,
                "fetch.wait.max.ms": 5,
            }
        )
        names = [world.name(topic) for topic in _OUTPUTS]
        self._next = {f"{name}/{number}": 0 for name in names for number in range(PARTITIONS)}
        self._consumer.assign(
            [TopicPartition(n, p, OFFSET_BEGINNING) for n in names for p in range(PARTITIONS)]
        )

    def send(self, topic: str, payload: bytes) -> None:
        """Write one record; topics are read side by side, so a change of topic has to wait."""
        if topic != self._topic:
            self.world.await_read(self.worker, "intake")
        self._topic = topic
        # One key, one partition: within a topic the order of a scenario's lines is kept.
        self.world.send([Given(topic, b"scenario", payload)])

    def tick(self, at_ms: int) -> None:
        """Write the time behind everything that was sent."""
        self.world.await_read(self.worker, "intake")
        self.world.tick(at_ms)

    def collect(self) -> Sequence[Result]:
        """Return every decision so far with its action."""
        self.world.await_read(self.worker, "intake")
        self.world.await_read(self.worker, "decide")
        ends = self.world.ends(_OUTPUTS)
        self.worker.await_true(lambda: self._read_up_to(ends), "its outputs to be read")
        return [(self._actions.get(each.decision_id), each) for each in self._decisions]

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()

    def _read_up_to(self, ends: dict[str, int]) -> bool:
        for message in self._consumer.consume(1_000, _POLL_S):
            assert message.error() is None, message.error()
            topic, value = message.topic(), message.value() or b""
            self._next[f"{topic}/{message.partition()}"] = (message.offset() or 0) + 1
            if topic == self.world.name(DECISIONS):
                self._decisions.append(decode_decision(value))
            else:
                action = decode_action(value)
                self._actions[action.decision_id] = action
        return all(self._next[place] >= end for place, end in ends.items())
