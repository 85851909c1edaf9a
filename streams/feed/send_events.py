"""Send events to the input topics: as fast as the broker takes them, or paced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, sleep
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.wire import encode_event
from streams.feed.sent_event import Sent

# librdkafka's own queue is the bound: when it is full the sender waits.
QUEUE_RECORDS = 50_000
_FULL_WAIT_S = 0.05
_POLL_EVERY = 500
_FLUSH_TIMEOUT_S = 60.0
# A gap in event time (a closed shop) is not waited out for longer than this.
_LONGEST_WAIT_S = 60.0
_TIMED_OUT_HINT = "; are the brokers reachable, and is the address right?"


class FeedError(RuntimeError):
    """The broker did not take what was sent."""


class EventProducer(Protocol):
    """The part of confluent-kafka's Producer that a feed uses."""

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        *,
        on_delivery: Callable[[KafkaError | None, Message], None] | None = None,
    ) -> None:
        """Queue a record; BufferError when the queue is full."""

    def poll(self, timeout: float = -1) -> int:
        """Serve delivery reports."""

    def flush(self, timeout: float = -1) -> int:
        """Wait for the queue to empty; return what is left in it."""


@dataclass(frozen=True)
class Pace:
    """How fast to send: `rate_per_s` events, or event time `speed` times as fast as it passed.

    Neither means as fast as possible.
    """

    rate_per_s: float | None = None
    speed: float | None = None

    def due_s(self, number: int, passed_ms: int) -> float:
        """Return when event `number` (from 0) is due, seconds after the first.

        `passed_ms` is its event time since the first event's.
        """
        by_rate = number / self.rate_per_s if self.rate_per_s else 0.0
        by_time = passed_ms / 1000 / self.speed if self.speed else 0.0
        return max(by_rate, by_time)


@dataclass
class Sending:
    """Sends events and counts them by topic, those sent and those that brokers acknowledged.

    `prefix` is put in front of topic names. `clock` and `wait` are arguments so that a test needs
    no real time. `ids` are the schema ids of a registry, else the bundled ones.
    """

    producer: EventProducer
    prefix: str = ""
    pace: Pace = field(default_factory=Pace)
    ids: dict[str, int] | None = None
    clock: Callable[[], float] = monotonic
    wait: Callable[[float], Any] = sleep
    sent: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    _waiting: dict[int, None] = field(default_factory=dict)
    _failure: str | None = None
    _start_s: float | None = None
    _first_ms: int = 0
    _skipped_s: float = 0.0

    def send(self, events: Iterable[Sent]) -> None:
        """Send events in order; FeedError when the broker refuses one."""
        for topic, event in events:
            self._await_turn(event["occurred_at"])
            value = encode_event(topic, event, self.ids) if self.ids else encode_event(topic, event)
            number = self.sent.total()
            self._waiting[number] = None
            delivered = partial(self._acknowledged, topic, number)
            key = str(event["customer_id"]).encode()
            self.produce(self.prefix + topic, value, key, on_delivery=delivered)
            self.sent[topic] += 1
            if (number + 1) % _POLL_EVERY == 0:
                self.producer.poll(0)
                self._raise_failure()

    @property
    def all_acknowledged_before(self) -> int:
        """How many events, from the first on, are acknowledged without a gap."""
        return next(iter(self._waiting), self.sent.total())

    def finish(self) -> None:
        """Wait until everything sent is acknowledged; FeedError when something is not."""
        left = self.producer.flush(_FLUSH_TIMEOUT_S)
        self._raise_failure()
        if left:
            raise FeedError(f"{left} events were not acknowledged within {_FLUSH_TIMEOUT_S:.0f} s")

    def settle(self) -> None:
        """Wait for records on their way, with any outcome; `acknowledged` counts what arrived."""
        self.producer.flush(_FLUSH_TIMEOUT_S)

    def _await_turn(self, at_ms: int) -> None:
        if self._start_s is None:
            self._start_s, self._first_ms = self.clock(), at_ms
        due_s = self.pace.due_s(self.sent.total(), at_ms - self._first_ms) - self._skipped_s
        delay_s = due_s - (self.clock() - self._start_s)
        if delay_s > _LONGEST_WAIT_S:
            self._skipped_s += delay_s - _LONGEST_WAIT_S
            delay_s = _LONGEST_WAIT_S
        if delay_s > 0:
            self.producer.poll(0)
            self.wait(delay_s)

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes | None,
        partition: int = -1,
        on_delivery: Callable[[KafkaError | None, Message], None] | None = None,
    ) -> None:
        """Send one record unchanged to a full topic name; waits while the queue is full."""
        report = on_delivery or self._delivered
        while True:
            try:
                self.producer.produce(topic, value, key, partition, on_delivery=report)
                return
            except BufferError:
                self.producer.poll(_FULL_WAIT_S)
                self._raise_failure()
            except KafkaException as error:
                raise FeedError(f"{topic}: {error}") from error

    def _acknowledged(
        self, topic: str, number: int, error: KafkaError | None, message: Message
    ) -> None:
        if error is None:
            self.acknowledged[topic] += 1
            self._waiting.pop(number, None)
        self._delivered(error, message)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failure is None:
            hint = _TIMED_OUT_HINT if error.code() == KafkaError._MSG_TIMED_OUT else ""
            self._failure = f"{message.topic()}: {error.str()}{hint}"

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise FeedError(self._failure)


def producer_settings(client: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a feed's producer on top of brokers and login."""
    return {
        **client,
        "enable.idempotence": True,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
        "linger.ms": 20,
        "queue.buffering.max.messages": QUEUE_RECORDS,
        # Brokers that cannot be reached are reported within half a minute, not five.
        "message.timeout.ms": 30_000,
        "log_level": 2,
    }
