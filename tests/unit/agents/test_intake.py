"""Intake admits, refuses, waits for a registry, and leads the clock when it is its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from schemas.bundled import WriterSchema, bundled_schemas
from schemas.dead_letter_record import read_dead_letter
from schemas.records import TIMELINE_DECODER, Click
from schemas.wire import encode_event
from streams.agents.dead_letter_outlet import DeadLetterRate, DeadLetters, TooManyDeadLetters
from streams.agents.intake import Intake, IntakeOptions
from streams.core.size_limits import AdmitLimits
from streams.shell.faust_app.app import agent_of
from streams.shell.kafka_records import Chunk, FetchedRecord, Partition
from tests.unit.agents.agents_world import KeepingOutbox, chunk

NOW_MS = 1_700_000_000_000


class FakeClock:
    def __init__(self) -> None:
        self.leading = False

    async def lead(self) -> None:
        self.leading = True

    def follow(self) -> None:
        self.leading = False


class RegistryDown(Exception):
    pass


class Registry:
    """Fails a number of times before it answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked: list[set[int]] = []
        self._known: set[int] = set()

    def missing(self, schema_ids: Iterable[int]) -> set[int]:
        return set(schema_ids) - self._known

    def fetch(self, schema_ids: Iterable[int]) -> None:
        self.asked.append(set(schema_ids))
        if len(self.asked) <= self.failures:
            raise RegistryDown
        self._known |= set(schema_ids)

    def find(self, schema_id: int) -> WriterSchema | None:
        assert schema_id in self._known, "decoding must not ask the registry"
        return bundled_schemas().find(schema_id)


def click(customer: str = "anna", at_ms: int = NOW_MS) -> bytes:
    return encode_event(
        "clickstream",
        {"event_id": "e1", "customer_id": customer, "occurred_at": at_ms, "kind": "view"},
    )


def intake(
    outbox: KeepingOutbox,
    *,
    registry: Registry | None = None,
    limit: int = 10,
    clock: FakeClock | None = None,
    stale_ms: int = 0,
) -> Intake:
    letters = DeadLetters(outbox, DeadLetterRate(limit, 60_000), lambda: NOW_MS, "1.0", "p.")
    return Intake(
        outbox,
        letters,
        registry or bundled_schemas(),
        clock or FakeClock(),
        lambda: NOW_MS,
        IntakeOptions(AdmitLimits(), "p.", stale_ms),
        remote=registry,
        unavailable=RegistryDown,
    )


def test_an_admitted_event_goes_to_the_timeline_keyed_by_its_customer() -> None:
    outbox = KeepingOutbox()
    asyncio.run(intake(outbox).work(chunk("p.clickstream", [click("zoë")], first=7)))
    (sent,) = outbox.published
    assert (sent.topic, sent.key) == ("p.timeline", "zoë".encode())
    event = TIMELINE_DECODER.decode(sent.value or b"")
    assert isinstance(event, Click)
    assert (event.origin.topic, event.origin.offset) == ("clickstream", 7)


def test_a_refused_record_becomes_a_dead_letter_and_its_neighbours_go_on() -> None:
    outbox = KeepingOutbox()
    asyncio.run(intake(outbox).work(chunk("p.clickstream", [click(), b"\xff junk", click()])))
    assert len(outbox.to("p.timeline")) == 2
    (letter,) = outbox.to("p.dead-letters")
    read = read_dead_letter(letter.key, letter.value, letter.headers)
    assert (read.value, read.rejection.reason, read.origin.offset) == (
        b"\xff junk",
        "wrong_magic",
        1,
    )


def test_too_many_dead_letters_stop_the_worker_and_say_where() -> None:
    junk: list[bytes | None] = [b"junk"] * 11
    with pytest.raises(TooManyDeadLetters, match="clickstream/0 offset 10"):
        asyncio.run(intake(KeepingOutbox()).work(chunk("p.clickstream", junk)))


def test_dead_letters_spread_over_time_do_not_stop_it() -> None:
    rate = DeadLetterRate(limit=2, window_ms=1_000)
    assert [rate.add(at_ms) for at_ms in (0, 10, 1_005, 1_011, 1_012)] == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_a_backlog_is_judged_by_when_it_arrived_however_fast_it_is_read() -> None:
    rate = DeadLetterRate(limit=2, window_ms=1_000)
    # Two bad ones in each second of either partition's hour: what was no trouble on time is none.
    partition = range(0, 3_600_000, 1_000)
    assert not any(rate.add(at_ms) for _ in range(2) for at_ms in partition)
    assert rate.add(1_800_000)


def test_what_is_known_of_dead_letters_is_bounded() -> None:
    rate = DeadLetterRate(limit=2, window_ms=60)
    for at_ms in range(100_000):
        rate.add(at_ms * 60)
    assert len(rate._counts) == 86_400


def test_a_registry_that_is_down_is_waited_for_and_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.agents.intake._FIRST_RETRY_S", 0.001)
    outbox, registry = KeepingOutbox(), Registry(failures=3)
    asyncio.run(intake(outbox, registry=registry).work(chunk("p.clickstream", [click(), click()])))
    assert len(registry.asked) == 4
    assert len(outbox.to("p.timeline")) == 2
    assert outbox.to("p.dead-letters") == []


def test_the_worker_with_partition_0_of_the_clickstream_leads_the_clock() -> None:
    clock = FakeClock()
    role = intake(KeepingOutbox(), clock=clock)
    led = []
    for number in (1, 0):
        asyncio.run(role.assigned({Partition("p.clickstream", number): 0}, {}))
        led.append(clock.leading)
    role.revoked()
    assert [*led, clock.leading] == [False, True, False]


def test_dead_letters_of_partitions_read_one_after_the_other_are_counted_together() -> None:
    rate = DeadLetterRate(1_000, 60_000)
    first = [rate.add(NOW_MS + 100 * n) for n in range(600)]
    second = [rate.add(NOW_MS + n) for n in range(600)]
    assert not any(first)
    assert second.index(True) == 400


def test_dead_letters_at_the_limit_all_day_stop_no_worker() -> None:
    rate = DeadLetterRate(100, 60_000)
    assert not any(rate.add(NOW_MS + 1_000 * n) for n in range(3_600))


def test_the_agent_works_through_its_stream() -> None:
    outbox = KeepingOutbox()

    async def scenario() -> None:
        async def stream() -> AsyncIterator[list[Chunk]]:
            yield [
                Chunk(
                    Partition("p.clickstream", 0), [FetchedRecord(0, NOW_MS, None, click())], 0, 0
                )
            ]

        await agent_of(intake(outbox))(stream())

    asyncio.run(scenario())
    assert len(outbox.published) == 1


def test_history_is_marked_so_that_it_is_remembered_and_not_answered() -> None:
    outbox = KeepingOutbox()
    role = intake(outbox, stale_ms=3_600_000)
    old, young = click(at_ms=NOW_MS - 3_600_001), click(at_ms=NOW_MS - 3_600_000)
    asyncio.run(role.work(chunk("p.clickstream", [old, young])))
    events = [TIMELINE_DECODER.decode(sent.value or b"") for sent in outbox.published]
    assert [event.origin.stale for event in events if isinstance(event, Click)] == [True, False]


@pytest.mark.parametrize(
    ("stale_ms", "told"), [(3_600_000, [(True, 7_200_000), (False, 60_000), (False, 0)]), (0, None)]
)
def test_how_late_an_event_was_admitted_is_told_where_the_wall_clock_counts(
    stale_ms: int, told: list[tuple[bool, int]] | None
) -> None:
    outbox = KeepingOutbox()
    clicks: list[bytes | None] = [click(at_ms=NOW_MS - ms) for ms in (7_200_000, 60_000, 59_999)]
    asyncio.run(intake(outbox, stale_ms=stale_ms).work(chunk("p.clickstream", clicks)))
    events = [TIMELINE_DECODER.decode(sent.value or b"") for sent in outbox.published]
    origins = [event.origin for event in events if isinstance(event, Click)]
    assert [(o.stale, o.late_ms) for o in origins] == (told or [(False, 0)] * 3)


def test_what_waited_for_us_is_late_but_no_history() -> None:
    outbox = KeepingOutbox()
    arrived_ms = NOW_MS - 7_200_000
    record = FetchedRecord(0, arrived_ms, None, click(at_ms=arrived_ms))
    waiting = Chunk(Partition("p.clickstream", 0), [record], 0, 0)
    asyncio.run(intake(outbox, stale_ms=3_600_000).work(waiting))
    event = TIMELINE_DECODER.decode(outbox.published[0].value or b"")
    assert isinstance(event, Click)
    assert (event.origin.stale, event.origin.late_ms) == (False, 7_200_000)
