"""The engine: advances one timeline partition by a batch of records.

It alone composes the stages of the core. Customers are advanced in waves: each one is folded up
to and including their next moment, all of them are decided together, and so on. Ticks and
switches are barriers. The result does not depend on where the log is cut into batches: a record
is skipped for a customer whose state already has it, and outputs come out in log order.

Partitions know nothing of each other, so several may be advanced side by side: then their waves
are decided as one, because a decision costs the less the more are made together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.records import (
    CustomerEvent,
    Decision,
    Lesson,
    LessonPlace,
    NextBestAction,
    Switch,
    Tick,
    TimelineRecord,
)
from streams.core.decision.decision_records import DecidedWave
from streams.core.decision.due import DecisionDue
from streams.core.decision.effects import apply_decision
from streams.core.decision.version_lookup import Versions
from streams.core.engine.deciders import Deciders, note_switch
from streams.core.engine.segment import CustomerRun, Segment
from streams.core.engine.timer_index import TimerIndex
from streams.core.engine.waves import WaveRequest, Way, run_side_by_side
from streams.core.folds.attribution import lesson_of
from streams.core.hashing import id_hash
from streams.core.policy.budgets import closed_at, count_use, settle_tick
from streams.core.state.customer import CustomerState
from streams.core.state.store import StateStore
from streams.core.state.timers import due_timers, next_due_ms

Positioned = tuple[int, TimelineRecord]


class Batch(NamedTuple):
    """Records of one partition, in offset order, and the state they are applied to."""

    partition: int
    records: Sequence[Positioned]
    store: StateStore


@dataclass(slots=True)
class Outputs:
    """What should happen: records to publish, in log order, and counts of what was noted.

    Notes count records by what became of them ("folded", "duplicate", "tick", ...), moments as
    "moment:NAME" and outcomes as "outcome:KIND", or "unmatched:KIND" when no decision awaited
    them. `tick_ms` is the latest tick of the batch, 0 without one.
    """

    actions: list[NextBestAction] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    tick_ms: int = 0


class Engine:
    """Advances the partitions of a timeline; keeps only an index of their timers."""

    def __init__(self, versions: Versions, salt: str, share: float = 1.0) -> None:
        """`share` is the part of each daily budget that one partition may use."""
        self._deciders = Deciders(versions, salt)
        self._share = share
        self._indexes: dict[int, TimerIndex] = {}

    def recover(self, partition: int, due_times: Iterable[tuple[str, int]]) -> None:
        """Rebuild a partition's timer index from (customer, earliest due time; 0 = none)."""
        index = self._indexes[partition] = TimerIndex()
        for customer, due_ms in due_times:
            index.arm(customer, due_ms)

    def forget(self, partition: int) -> None:
        """Drop what is kept of a partition that moved to another worker."""
        self._indexes.pop(partition, None)

    def advance(self, partition: int, records: Sequence[Positioned], store: StateStore) -> Outputs:
        """Advance one partition; see `advance_all`."""
        return self.advance_all([Batch(partition, records, store)])[0]

    def advance_all(self, batches: Sequence[Batch]) -> list[Outputs]:
        """Apply a batch of each partition; return what should be published, in the same order.

        No partition may occur twice. Raises `KeyError` when a version in use is not at hand (see
        `Versions`).
        """
        outputs = [Outputs() for _ in batches]
        run_side_by_side(
            [self._way(batch, out) for batch, out in zip(batches, outputs, strict=True)]
        )
        return outputs

    def _way(self, batch: Batch, out: Outputs) -> Way:
        run: list[tuple[int, CustomerEvent]] = []
        for offset, record in batch.records:
            if not isinstance(record, Tick | Switch):
                run.append((offset, record))
                continue
            yield from self._events(batch.partition, run, batch.store, out)
            run = []
            if isinstance(record, Tick):
                yield from self._tick(batch.partition, offset, record, batch.store, out)
            else:
                note_switch(offset, record, batch.store)
                out.notes["switch"] += 1
        yield from self._events(batch.partition, run, batch.store, out)

    def _events(
        self,
        partition: int,
        run: Sequence[tuple[int, CustomerEvent]],
        store: StateStore,
        out: Outputs,
    ) -> Way:
        turns: dict[str, CustomerRun] = {}
        for offset, event in run:
            turn = turns.get(event.customer)
            if turn is None:
                state = store.get(event.customer) or CustomerState()
                turn = turns[event.customer] = CustomerRun(event.customer, state)
            turn.events.append((offset, event))
        if turns:
            known, first = store.partition_state(), run[0][0]
            closed = closed_at(known, first)
            segment = Segment(partition, self._deciders.at(known, first), out.notes, closed)
            yield from self._play(segment, turns.values(), store, out)

    def _tick(
        self, partition: int, offset: int, tick: Tick, store: StateStore, out: Outputs
    ) -> Way:
        known = store.partition_state()
        decider = self._deciders.at(known, offset)
        budgets = decider.catalogue.budgets if decider else ()
        if budgets or known.closed:
            settle_tick(known, budgets, self._share, offset, tick.at_ms)
            store.put_partition_state(known)
        segment = Segment(partition, decider, out.notes, closed_at(known, offset))
        index = self._index(partition)
        turns = []
        # By hash: the order in which a learner tells repeats from new lessons, without a name.
        for number, customer in sorted((id_hash(c), c) for c in index.take_due(tick.at_ms)):
            state = store.get(customer)
            if state is None:
                continue
            if state.applied_offset >= offset:
                index.arm(customer, next_due_ms(state))
                continue
            state.applied_offset = offset
            place = LessonPlace(partition, offset, number)
            settled = segment.settle(state, tick.at_ms)
            out.lessons.extend(lesson_of(pending, place) for pending in settled)
            timers = due_timers(state, tick.at_ms)
            turns.append(CustomerRun(customer, state, [], timers, offset, tick.at_ms))
        yield from self._play(segment, turns, store, out)
        out.notes["tick"] += 1
        out.tick_ms = max(out.tick_ms, tick.at_ms)

    def _play(
        self, segment: Segment, turns: Iterable[CustomerRun], store: StateStore, out: Outputs
    ) -> Way:
        """Advance every customer to the end of the segment, one wave of decisions at a time."""
        index = self._index(segment.partition)
        playing = list(turns)
        while playing:
            due: list[DecisionDue] = []
            deciding: list[CustomerRun] = []
            for turn in playing:
                if (moment := segment.next_due(turn)) is not None:
                    due.append(moment)
                    deciding.append(turn)
                else:
                    store.put(turn.customer, turn.state)
                    index.arm(turn.customer, next_due_ms(turn.state))
            if due and segment.decider is not None:
                wave = yield WaveRequest(segment.decider, segment.closed, due)
                for turn, decided in zip(deciding, wave, strict=True):
                    apply_decision(decided, segment.decider.catalogue.model)
                    segment.decided.append(decided)
                    segment.go_on(turn, decided)
            playing = deciding
        # Wherever the log is cut: waves come in another order than the log.
        segment.decided.sort(key=_log_order)
        self._count(segment, store)
        for decided in segment.decided:
            out.decisions.append(decided.decision)
            if decided.published is not None:
                out.actions.append(decided.published)

    def _count(self, segment: Segment, store: StateStore) -> None:
        """Count what was published towards its budgets, unless it was counted before a crash."""
        budgets = segment.decider.catalogue.budgets if segment.decider else ()
        if not budgets:
            return
        known = store.partition_state()
        counted = known.counted_offset
        for decided in segment.decided:
            action, published, offset = decided.action, decided.published, decided.due.offset
            if action is None or published is None or offset <= counted:
                continue
            count_use(known, budgets, action, published.channel, decided.due.at_ms)
            known.counted_offset = max(known.counted_offset, offset)
        store.put_partition_state(known)

    def _index(self, partition: int) -> TimerIndex:
        return self._indexes.setdefault(partition, TimerIndex())


def _log_order(decided: DecidedWave) -> tuple[int, str, int]:
    return decided.due.offset, decided.due.customer, decided.due.slate.position
