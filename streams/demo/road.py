"""The `Road` of the demo over Kafka: input topics in, ticks on the timeline, actions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from confluent_kafka import KafkaException, Message, TopicPartition

from schemas.records import ENCODER, NextBestAction, Tick
from schemas.topics import DECISIONS, DEFAULT_PARTITIONS, NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode_action
from streams.demo.events import Sent
from streams.demo.feeding import FeedError, Sending
from streams.demo.story import Decided

_BATCH = 1_000
_POLL_S = 0.05
_METADATA_TIMEOUT_S = 10.0
# All actions are already written when they are read; this is for a broker that is gone.
_READ_TIMEOUT_S = 30.0


class ActionConsumer(Protocol):
    """The part of confluent-kafka's Consumer that the road uses."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Read these partitions from these offsets."""

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Return up to so many records."""

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """Return the first and the next offset of a partition."""


class KafkaRoad:
    """Carries the story over a broker.

    The worker is the caller's: `arrived` returns once everything sent so far is on the timeline,
    `decided` once everything on the timeline is decided and the outputs are acknowledged.
    `sending` is flushed before each. Only actions published from now on are read.
    """

    def __init__(
        self,
        sending: Sending,
        consumer: ActionConsumer,
        arrived: Callable[[], None],
        decided: Callable[[], None],
        partitions: int = DEFAULT_PARTITIONS,
    ) -> None:
        self._sending, self._consumer = sending, consumer
        self._arrived, self._decided = arrived, decided
        self._partitions = range(partitions)
        self._timeline = TIMELINE.with_prefix(sending.prefix).name
        self._actions = NEXT_BEST_ACTIONS.with_prefix(sending.prefix).name
        self._decisions = DECISIONS.with_prefix(sending.prefix).name
        self._next = self._ends(self._actions)
        self.latencies_ms: list[int] = []
        self._decisions_seen = sum(self._ends(self._decisions))
        consumer.assign([TopicPartition(self._actions, p, self._next[p]) for p in self._partitions])

    def send(self, events: Sequence[Sent]) -> None:
        """Send events and wait until they are on the timeline."""
        self._sending.send(events)
        self._sending.finish()
        self._arrived()

    def pass_time(self, at_ms: int) -> Decided:
        """Write a tick to every timeline partition, wait for the decisions, read the actions."""
        tick = ENCODER.encode(Tick(at_ms))
        for partition in self._partitions:
            self._sending.produce(self._timeline, tick, None, partition)
        self._sending.finish()
        self._decided()
        actions = self._read_actions()
        decisions = sum(self._ends(self._decisions))
        made, self._decisions_seen = decisions - self._decisions_seen, decisions
        return Decided(actions, made)

    def _read_actions(self) -> list[NextBestAction]:
        ends = self._ends(self._actions)
        actions: list[NextBestAction] = []
        give_up_s = monotonic() + _READ_TIMEOUT_S
        while any(self._next[p] < ends[p] for p in self._partitions):
            for message in self._consumer.consume(_BATCH, _POLL_S):
                if (error := message.error()) is not None:
                    raise FeedError(f"{self._actions}: {error.str()}")
                partition, offset, value = message.partition(), message.offset(), message.value()
                if partition is not None and offset is not None and value is not None:
                    self._next[partition] = offset + 1
                    actions.append(decode_action(value))
                    self._time(actions[-1], message)
            if monotonic() > give_up_s:
                raise FeedError(
                    f"{self._actions}: not read to its end within {_READ_TIMEOUT_S:.0f} s"
                )
        return actions

    def _time(self, action: NextBestAction, message: Message) -> None:
        """Note how long after its event's arrival an action was written; timers have no event."""
        if action.trigger.topic != TIMELINE.name:
            self.latencies_ms.append(message.timestamp()[1] - action.trigger.seen_at_ms)

    def _ends(self, topic: str) -> list[int]:
        try:
            return [
                self._consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), _METADATA_TIMEOUT_S
                )[1]
                for partition in self._partitions
            ]
        except KafkaException as error:
            raise FeedError(f"{topic}: its end cannot be read: {error}") from error
