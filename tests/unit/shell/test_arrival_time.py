"""When an event arrives: by the brokers' stamp, or when intake first reads it."""

from __future__ import annotations

import asyncio

import pytest

from schemas.records import TIMELINE_DECODER, Click
from streams.agents.dead_letter_outlet import TooManyDeadLetters
from streams.shell.kafka_records import (
    CREATE_TIME,
    LOG_APPEND_TIME,
    Chunk,
    FetchedRecord,
    Partition,
)
from tests.unit.agents.agents_world import KeepingOutbox
from tests.unit.agents.test_intake import NOW_MS, click, intake

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


def _admitted(
    stamped_ms: int, timestamp_type: int | None, at_ms: int
) -> tuple[Click | None, KeepingOutbox]:
    record = FetchedRecord(0, stamped_ms, None, click(at_ms=at_ms), (), timestamp_type)
    outbox = KeepingOutbox()
    chunk = Chunk(Partition("p.clickstream", 0), [record], 0, 0)
    asyncio.run(intake(outbox, stale_ms=_HOUR_MS).work(chunk))
    for sent in outbox.to("p.timeline"):
        event = TIMELINE_DECODER.decode(sent.value or b"")
        assert isinstance(event, Click)
        return event, outbox
    return None, outbox


def test_the_brokers_stamp_is_the_arrival() -> None:
    event, _ = _admitted(NOW_MS - 7 * _HOUR_MS, LOG_APPEND_TIME, NOW_MS - 7 * _HOUR_MS)
    assert event is not None
    assert (event.origin.seen_at_ms, event.origin.stale) == (NOW_MS - 7 * _HOUR_MS, False)


# None: written by a producer of Kafka 0.9, without any time.
@pytest.mark.parametrize("timestamp_type", [CREATE_TIME, None])
def test_a_history_stamped_with_its_own_times_arrives_now_and_is_history(
    timestamp_type: int | None,
) -> None:
    event, _ = _admitted(NOW_MS - 60 * _DAY_MS, timestamp_type, NOW_MS - 60 * _DAY_MS)
    assert event is not None
    assert (event.origin.seen_at_ms, event.origin.stale) == (NOW_MS, True)


@pytest.mark.parametrize("stamped_ms", [0, NOW_MS - _DAY_MS, NOW_MS + _DAY_MS])
def test_a_producers_stamp_that_is_off_refuses_and_moves_nothing(stamped_ms: int) -> None:
    event, outbox = _admitted(stamped_ms, CREATE_TIME, NOW_MS - 1_000)
    assert event is not None
    assert (event.at_ms, event.origin.seen_at_ms) == (NOW_MS - 1_000, NOW_MS)
    assert not outbox.to("p.dead-letters")


def test_a_date_far_ahead_is_refused_whatever_the_producer_stamped() -> None:
    event, outbox = _admitted(NOW_MS + _DAY_MS, CREATE_TIME, NOW_MS + _DAY_MS)
    assert event is None
    assert len(outbox.to("p.dead-letters")) == 1


def test_a_backlog_of_bad_records_is_judged_by_the_stamps_of_its_producer() -> None:
    def junk(every_ms: int) -> Chunk:
        records = [
            FetchedRecord(n, NOW_MS - n * every_ms, None, b"junk", (), CREATE_TIME)
            for n in range(30)
        ]
        return Chunk(Partition("p.clickstream", 0), records, 0, 0)

    asyncio.run(intake(KeepingOutbox(), limit=10).work(junk(every_ms=60_000)))
    with pytest.raises(TooManyDeadLetters):
        asyncio.run(intake(KeepingOutbox(), limit=10).work(junk(every_ms=1_000)))
