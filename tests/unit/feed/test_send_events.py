"""Sending a feed: paced, never dropping, never acknowledged in silence."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from streams.feed.send_events import FeedError, Pace, Sending
from streams.feed.sent_event import Sent

NOW_MS = 1_700_000_000_000


def view(number: int, at_ms: int) -> Sent:
    event = {"event_id": f"e{number}", "customer_id": "c", "occurred_at": at_ms, "kind": "view"}
    return "clickstream", event


class StubProducer:
    """A producer whose queue holds `room` records until it is polled."""

    def __init__(self, room: int = 1_000, *, left: int = 0) -> None:
        self.room, self.left = room, left
        self.queued: list[tuple[str, bytes | None]] = []
        self._waiting = 0

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        *,
        on_delivery: object = None,
    ) -> None:
        if self._waiting >= self.room:
            raise BufferError("queue full")
        self._waiting += 1
        self.queued.append((topic, value))

    def poll(self, timeout: float = -1) -> int:
        self._waiting = 0
        return 0

    def flush(self, timeout: float = -1) -> int:
        return self.left


class FakeTime:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace(), 0.0),
        (Pace(rate_per_s=4), 2.0),
        (Pace(speed=10), 0.8),
        (Pace(rate_per_s=4, speed=10), 2.0),
        # An hour in one gap is waited for a minute at most.
        (Pace(speed=0.001), 8 * 60.0),
    ],
)
def test_events_are_paced_by_number_or_by_event_time(pace: Pace, seconds: float) -> None:
    time = FakeTime()
    sending = Sending(StubProducer(), pace=pace, clock=time.clock, wait=time.wait)
    sending.send(view(number, NOW_MS + number * 1_000) for number in range(9))
    assert time.now_s - 100.0 == pytest.approx(seconds)


def test_a_full_queue_makes_the_sender_wait() -> None:
    producer = StubProducer(room=2)
    sending = Sending(producer, prefix="t.")
    sending.send(view(number, NOW_MS) for number in range(7))
    sending.finish()
    assert [topic for topic, _ in producer.queued] == ["t.clickstream"] * 7


def test_events_that_nobody_acknowledged_are_an_error() -> None:
    sending = Sending(StubProducer(left=3))
    sending.send([view(1, NOW_MS)])
    with pytest.raises(FeedError, match="3 events were not acknowledged"):
        sending.finish()


class FailingProducer(StubProducer):
    """A producer whose brokers take the first `taken` records, and no other."""

    def __init__(self, taken: int) -> None:
        super().__init__()
        self._taken, self._number = taken, 0
        self._reports: list[tuple[Any, int]] = []

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        *,
        on_delivery: Any = None,
    ) -> None:
        self._reports.append((on_delivery, self._number))
        self._number += 1

    def flush(self, timeout: float = -1) -> int:
        waiting, self._reports = self._reports, []
        for report, number in waiting:
            failed = KafkaError(KafkaError._MSG_TIMED_OUT) if number >= self._taken else None
            report(failed, ToldMessage())
        return 0


class ToldMessage:
    """What a delivery report tells of a record."""

    def topic(self) -> str:
        return "clickstream"


def test_what_brokers_acknowledged_is_counted_when_a_feed_fails() -> None:
    sending = Sending(FailingProducer(taken=3))
    sending.send(view(number, NOW_MS) for number in range(7))
    with pytest.raises(FeedError, match="clickstream"):
        sending.finish()
    assert (sending.sent.total(), sending.acknowledged.total()) == (7, 3)
    assert sending.all_acknowledged_before == 3
