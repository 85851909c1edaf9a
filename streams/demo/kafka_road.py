"""The `Road` of the demo over Kafka: events and ticks in, actions and decisions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from confluent_kafka import KafkaException, Message, TopicPartition

from schemas.records import ENCODER, Tick
from schemas.topics import DECISIONS, DEFAULT_PARTITIONS, NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode_action, decode_decision
from streams.demo.story import StoryDecision
from streams.feed.send_events import FeedError, Sending
from streams.feed.sent_event import Sent

_BATCH = 1_000
_POLL_S = 0.005
_METADATA_TIMEOUT_S = 10.0
# All actions are already written when they are read; this is for a broker that is gone.
_READ_TIMEOUT_S = 30.0


class ActionConsumer(Protocol):
    """The part of confluent-kafka's Consumer that the road uses."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Read these partitions from these offsets."""

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Return up to so many records."""


class Watermarks(Protocol):
    """A consumer that reads nothing: on one that does, a question waits behind its fetch."""

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """Return the first and the next offset of a partition."""


class KafkaRoad:
    """Carries the story over a broker.

    The worker is the caller's: `arrived` returns once everything sent so far is on the timeline,
    `decided` once everything on the timeline is decided and the outputs are acknowledged.
    `sending` is flushed before each. Only what is published from now on is read. `latencies_ms`
    are the times from each event's stamp to its action's, both set by their producers.
    """

    def __init__(
        self,
        sending: Sending,
        consumer: ActionConsumer,
        watermarks: Watermarks,
        arrived: Callable[[], None],
        decided: Callable[[], None],
        partitions: int = DEFAULT_PARTITIONS,
    ) -> None:
        self._sending, self._consumer, self._watermarks = sending, consumer, watermarks
        self._arrived, self._decided = arrived, decided
        self._partitions = range(partitions)
        self.latencies_ms: list[int] = []
        self._timeline = TIMELINE.with_prefix(sending.prefix).name
        self._actions = NEXT_BEST_ACTIONS.with_prefix(sending.prefix).name
        self._decisions = DECISIONS.with_prefix(sending.prefix).name
        self._next = {
            (topic, partition): end
            for topic in (self._actions, self._decisions)
            for partition, end in enumerate(self._ends(topic))
        }
        consumer.assign([TopicPartition(*place, end) for place, end in self._next.items()])

    def send(self, events: Sequence[Sent]) -> None:
        """Send events, round after round, and wait until each round is on the timeline."""
        for events_of_round in rounds(events):
            self._sending.send(events_of_round)
            self._sending.finish()
            self._arrived()

    def pass_time(self, at_ms: int) -> StoryDecision:
        """Write a tick to every timeline partition, wait for the decisions, read the actions."""
        tick = ENCODER.encode(Tick(at_ms))
        for partition in self._partitions:
            self._sending.produce(self._timeline, tick, None, partition)
        self._sending.finish()
        self._decided()
        found = self._read()
        actions = [(message, decode_action(value)) for message, value in found[self._actions]]
        # Timers have no event that arrived; the time of a tick is the story's.
        self.latencies_ms += [
            message.timestamp()[1] - action.trigger.seen_at_ms
            for message, action in actions
            if action.trigger.topic != TIMELINE.name
        ]
        return StoryDecision(
            [action for _, action in actions],
            [decode_decision(value) for _, value in found[self._decisions]],
        )

    def _read(self) -> dict[str, list[tuple[Message, bytes]]]:
        """Return the records of both topics from where we are to their present ends."""
        found: dict[str, list[tuple[Message, bytes]]] = {self._actions: [], self._decisions: []}
        ends = {(topic, p): end for topic in found for p, end in enumerate(self._ends(topic))}
        give_up_s = monotonic() + _READ_TIMEOUT_S
        while any(self._next[place] < end for place, end in ends.items()):
            for message in self._consumer.consume(_BATCH, _POLL_S):
                if (error := message.error()) is not None:
                    raise FeedError(f"{message.topic()}: {error.str()}")
                topic, partition, offset = message.topic(), message.partition(), message.offset()
                value = message.value()
                if None not in (topic, partition, offset, value):
                    self._next[str(topic), int(partition or 0)] = int(offset or 0) + 1
                    found[str(topic)].append((message, value or b""))
            if monotonic() > give_up_s:
                raise FeedError(f"the actions were not read within {_READ_TIMEOUT_S:.0f} s")
        return found

    def _ends(self, topic: str) -> list[int]:
        try:
            return [
                self._watermarks.get_watermark_offsets(
                    TopicPartition(topic, partition), _METADATA_TIMEOUT_S
                )[1]
                for partition in self._partitions
            ]
        except KafkaException as error:
            raise FeedError(f"{topic}: its end cannot be read: {error}") from error


def rounds(events: Sequence[Sent]) -> list[list[Sent]]:
    """Split events, in order of time, so that no customer changes topic within a round.

    Topics are read side by side: only within one of them is a customer's order kept. In production
    minutes pass between a visit and its order, here milliseconds.
    """
    found: list[list[Sent]] = []
    last: dict[str, tuple[int, str]] = {}
    for topic, event in events:
        customer = str(event["customer_id"])
        number, before = last.get(customer, (0, topic))
        number += topic != before
        last[customer] = (number, topic)
        if number == len(found):
            found.append([])
        found[number].append((topic, event))
    return found
