"""The same log gives the same records and states, wherever it is cut, repeated or lost."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import ENCODER, TIMELINE_DECODER, Switch, Tick, TimelineRecord
from streams.core.engine import waves as together
from streams.core.engine.engine import Batch, Engine, Outputs
from streams.core.state.codec import decode_customer, encode_customer, peek_due_ms
from streams.core.state.customer import CustomerState
from tests.support.made_up import Played, Step, made_up, play, steps
from tests.support.memory import Log, MemoryStore
from tests.support.shops import SHOP_BUSY, SHOP_TOMORROW, LeaningVersions, load

CATALOGUES = [load(SHOP_BUSY), load(SHOP_TOMORROW)]
VERSIONS = LeaningVersions(*CATALOGUES)


def played(made: list[Step]) -> Played:
    return play(made, VERSIONS, CATALOGUES)


def as_bytes(out: Outputs) -> tuple[bytes, ...]:
    return tuple(map(encoded, (out.actions, out.decisions, out.lessons)))


def encoded(value: object) -> bytes:
    # What a decision holds as packed numbers goes out as a list.
    return msgspec.msgpack.encode(value, enc_hook=list)


def by_id(out: Outputs) -> dict[str, bytes]:
    """Name every record that went out by its topic and id."""
    records: dict[str, bytes] = {}
    for topic, part in (("a", out.actions), ("d", out.decisions), ("l", out.lessons)):
        for record in part:
            name = f"{topic}/{record.decision_id}"
            assert name not in records, "one engine run repeats an id"
            records[name] = encoded(record)
    return records


@settings(max_examples=25)
@given(steps(), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_any_cut_into_batches_gives_the_same_records_and_states(
    made: list[Step], sizes: list[int]
) -> None:
    one_by_one = played(made)
    for size in (*sizes, 10_000):
        log = Log(VERSIONS)
        out = log.play(one_by_one.records, batch_size=size)
        assert as_bytes(out) == as_bytes(one_by_one.out)
        assert out.notes == one_by_one.out.notes
        assert log.store.save() == one_by_one.log.store.save()


@settings(max_examples=20)
@given(steps(), steps(), st.integers(1, 60))
def test_partitions_side_by_side_get_what_each_gets_alone(
    first: list[Step], second: list[Step], size: int
) -> None:
    logs = [played(first).records, played(second).records]
    alone = [(Engine(VERSIONS, "test"), MemoryStore()) for _ in logs]
    expected = [
        engine.advance(number, log, store)
        for number, (log, (engine, store)) in enumerate(zip(logs, alone, strict=True))
    ]
    engine, stores = Engine(VERSIONS, "test"), [MemoryStore() for _ in logs]
    found = [Outputs() for _ in logs]
    for start in range(0, max(map(len, logs)), size):
        batches = [
            Batch(number, log[start : start + size], stores[number])
            for number, log in enumerate(logs)
        ]
        for out, part in zip(found, engine.advance_all(batches), strict=True):
            out.actions += part.actions
            out.decisions += part.decisions
            out.lessons += part.lessons
    assert list(map(as_bytes, found)) == list(map(as_bytes, expected))
    assert [store.save() for store in stores] == [store.save() for _, store in alone]


@settings(max_examples=10)
@given(steps(customers=12))
def test_a_wave_that_is_decided_in_parts_gives_the_same_records(made: list[Step]) -> None:
    one_by_one = played(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "MAX_WAVE", 2)
        log = Log(VERSIONS)
        out = log.play(one_by_one.records)
    assert as_bytes(out) == as_bytes(one_by_one.out)
    assert log.store.save() == one_by_one.log.store.save()


class Worker:
    """A worker that dies at any point of a checkpoint: outputs, then changelog, then offsets."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.customers: dict[str, bytes] = {}
        self.partition = MemoryStore().save()[1]
        self.committed = 0
        self.sent: dict[str, bytes] = {}

    def run(self, log: Played, until: int, *, survives: bool) -> MemoryStore:
        """Start, read on from what was committed until a cut, and die or not."""
        store = MemoryStore.load((self.customers, self.partition))
        engine = Engine(VERSIONS, "test")
        engine.recover(0, ((name, peek_due_ms(data)) for name, data in self.customers.items()))
        out = Outputs()
        rest = log.records[self.committed : until]
        while rest:
            size = self.chance.randint(1, 30)
            part = engine.advance(0, rest[:size], store)
            rest = rest[size:]
            out.actions += part.actions
            out.decisions += part.decisions
            out.lessons += part.lessons
        for name, data in by_id(out).items():
            assert self.sent.setdefault(name, data) == data, "a repeat changed a record"
        self._checkpoint(store, until, survives)
        return store

    def _checkpoint(self, store: MemoryStore, until: int, survives: bool) -> None:
        customers, partition = store.save()
        share = 1.0 if survives else self.chance.random()
        if not survives and self.chance.random() < 0.2:
            return
        # The partition's own record is the first that is written.
        self.partition = partition
        for name, data in customers.items():
            if survives or self.chance.random() < share:
                self.customers[name] = data
        if survives:
            self.committed = until


@settings(max_examples=40)
@given(steps(), st.integers(0, 2**32))
def test_crashes_at_any_point_change_nothing_that_went_out_and_no_state(
    made: list[Step], seed: int
) -> None:
    whole = played(made)
    chance = Random(seed)
    worker = Worker(chance)
    for _ in range(5):
        until = chance.randint(worker.committed, len(whole.records))
        worker.run(whole, until, survives=chance.random() < 0.3)
    store = worker.run(whole, len(whole.records), survives=True)
    assert worker.sent == by_id(whole.out)
    assert store.save() == whole.log.store.save()


def without_repeats(log: Played) -> list[tuple[int, TimelineRecord]]:
    seen: set[str] = set()
    kept: list[tuple[int, TimelineRecord]] = []
    for offset, record in log.records:
        if not isinstance(record, Tick | Switch):
            if record.event_id in seen:
                continue
            seen.add(record.event_id)
        kept.append((offset, record))
    return kept


def apart_from_positions(state: CustomerState) -> bytes:
    apart = decode_customer(encode_customer(state))
    apart.applied_offset, apart.watermarks = 0, {}
    return encode_customer(apart)


@settings(max_examples=25)
@given(steps())
def test_duplicates_and_repeated_sources_are_no_ops(made: list[Step]) -> None:
    with_repeats = played(made)
    log = Log(VERSIONS)
    out = log.play(without_repeats(with_repeats))
    assert as_bytes(out) == as_bytes(with_repeats.out)
    expected = with_repeats.log.store.states
    assert log.store.states.keys() == expected.keys()
    for name, state in log.store.states.items():
        assert apart_from_positions(state) == apart_from_positions(expected[name])


@settings(max_examples=15)
@given(steps(), st.integers(0, 200))
def test_a_second_intake_of_the_same_chunk_is_a_no_op(made: list[Step], start: int) -> None:
    """An intake that died after sending, before committing, sends the same events again."""
    once = played(made)
    events = [r for _, r in once.records if not isinstance(r, Tick | Switch)]
    chunk = events[start % max(len(events), 1) :][:50]
    end = len(once.records)
    out = once.log.play(list(enumerate(chunk, end)))
    assert as_bytes(out) == as_bytes(Outputs())
    assert set(out.notes) <= {"replayed", "duplicate", "erased"}


@settings(max_examples=15)
@given(steps())
def test_time_that_runs_backwards_in_ticks_fires_nothing_twice(made: list[Step]) -> None:
    log = played(made)
    latest = max((r.at_ms for _, r in log.records if isinstance(r, Tick)), default=0)
    end = len(log.records)
    log.log.play([(end, Tick(latest))])
    out = log.log.play([(end + 1, Tick(latest - 1)), (end + 2, Tick(0))])
    assert as_bytes(out) == as_bytes(Outputs())


def test_records_round_trip_through_the_timeline() -> None:
    """What the properties above play is what the timeline can carry."""
    records = [record for _, record in played(made_up(seed=5, length=200)).records]
    assert [TIMELINE_DECODER.decode(ENCODER.encode(record)) for record in records] == records
