"""Decide: the engine applies timeline records; its outputs go to their topics.

In: chunks of the timeline, and states from the changelog. Out: decisions, actions and lessons; at a
cut, the changed states. The surprise: a switch record is applied only once its version can be used.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Protocol

import msgspec

from schemas.records import (
    ENCODER,
    TIMELINE_DECODER,
    Decision,
    NextBestAction,
    Origin,
    Rejection,
    Switch,
    TimelineRecord,
)
from schemas.topics import DECISIONS, LESSONS, NEXT_BEST_ACTIONS, TIMELINE
from streams.agents.dead_letter_outlet import DeadLetters
from streams.core.engine.engine import Batch, Outputs
from streams.core.state.codec import peek_due_ms
from streams.core.state.partition import PartitionState
from streams.shell.kafka_records import Chunk, Partition, RawRecord
from streams.shell.runner.checkpoint import Cut
from streams.shell.runner.role import Sender, numbers_of
from streams.shell.state.partitions import Partitions

# Records of a partition in one engine batch. It is wide enough for numpy. It is short enough that
# outputs are sent, and other roles of the process run, while a backlog is read.
BATCH = 2_048


class PartitionEngine(Protocol):
    """What decide asks of `streams.core.engine.engine.PartitionEngine`."""

    def recover(self, partition: int, due_times: Iterable[tuple[str, int]]) -> None:
        """Rebuild a partition's timer index."""

    def forget(self, partition: int) -> None:
        """Drop what is kept of a partition."""

    def advance_all(self, batches: Sequence[Batch]) -> Sequence[Outputs]:
        """Apply a batch of each partition."""


class AwaitedVersions(Protocol):
    """What decide asks of `streams.shell.versions.version_store`."""

    async def available(self, kind: str, name: str, version: str) -> None:
        """Wait until a version can be used; raises if it does not come."""


class OutputEncoders(Protocol):
    """How outputs become the values of their topics."""

    def action(self, action: NextBestAction) -> bytes:
        """Return the value of a next-best-actions record."""

    def decision(self, decision: Decision) -> bytes:
        """Return the value of a decisions record."""


# Per changelog partition, every key's newest encoded state.
ReadStates = Callable[[Sequence[int]], Awaitable[Mapping[int, dict[str, bytes]]]]


class Decide:
    """The role that keeps customers' state and decides.

    `on_outputs` is called with the outputs of each batch. `on_states` is called with the number of
    customers and, after a cut is durable, the sizes of its states in bytes.
    """

    name = "decide"

    def __init__(
        self,
        engine: PartitionEngine,
        partitions: Partitions,
        versions: AwaitedVersions,
        outbox: Sender,
        *,
        encoders: OutputEncoders,
        read_states: ReadStates,
        dead_letters: DeadLetters,
        prefix: str = "",
        on_outputs: Callable[[Outputs], None] = lambda outputs: None,
        on_states: Callable[[int, Sequence[int]], None] = lambda customers, sizes: None,
    ) -> None:
        self.topics = (TIMELINE.with_prefix(prefix).name,)
        self._actions = NEXT_BEST_ACTIONS.with_prefix(prefix).name
        self._decisions = DECISIONS.with_prefix(prefix).name
        self._lessons = LESSONS.with_prefix(prefix).name
        self._engine = engine
        self._partitions = partitions
        self._versions = versions
        self._outbox = outbox
        self._encoders = encoders
        self._read_states = read_states
        self._dead_letters = dead_letters
        self._on_outputs = on_outputs
        self._on_states = on_states

    async def work(self, *chunks: Chunk) -> None:
        """Advance the partitions by the chunks' records and send the outputs."""
        longest = max(len(chunk.records) for chunk in chunks)
        # Looked up once: a stop that does not wait for long chunks drops the partitions meanwhile.
        stores = [self._partitions[chunk.tp.partition] for chunk in chunks]
        for first in range(0, longest, BATCH):
            batches = [
                Batch(chunk.tp.partition, self._decode(chunk.tp, records), store)
                for chunk, store in zip(chunks, stores, strict=True)
                if (records := chunk.records[first : first + BATCH])
            ]
            for batch in batches:
                for _, record in batch.records:
                    if isinstance(record, Switch):
                        await self._versions.available(record.kind, record.name, record.version)
            for outputs in self._engine.advance_all(batches):
                self._send(outputs)
                self._on_outputs(outputs)
            await self._outbox.publish()
            # Other roles may share the event loop.
            await asyncio.sleep(0)

    def _decode(
        self, partition: Partition, records: Sequence[RawRecord]
    ) -> list[tuple[int, TimelineRecord]]:
        batch: list[tuple[int, TimelineRecord]] = []
        for record in records:
            try:
                batch.append((record.offset, TIMELINE_DECODER.decode(record.value or b"")))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                # Only intake and learn write here: another program did, or a newer release.
                origin = Origin(
                    partition.topic, partition.partition, record.offset, record.timestamp
                )
                refused = Rejection(reason="malformed", detail=f"no timeline record: {error}")
                self._dead_letters.refuse(origin, record, refused)
        return batch

    def _send(self, outputs: Outputs) -> None:
        send = self._outbox.send
        for decision in outputs.decisions:
            send(self._decisions, decision.customer.encode(), self._encoders.decision(decision))
        for action in outputs.actions:
            send(self._actions, action.customer.encode(), self._encoders.action(action))
        for lesson in outputs.lessons:
            send(self._lessons, lesson.model.encode(), ENCODER.encode(lesson))

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        """Read the partitions' state back and rebuild their timer indexes."""
        numbers = numbers_of(self.topics[0], positions)
        states = await self._read_states(numbers)
        for number in numbers:
            partition = Partition(self.topics[0], number)
            start = positions[partition]
            store = self._partitions.load(number, states[number], start, partition in new)
            for kind, name, version in versions_from(store.partition_state(), start):
                await self._versions.available(kind, name, version)
            due = ((customer, peek_due_ms(data)) for customer, data in store.raw_items())
            self._engine.recover(number, due)
        return positions

    def revoked(self) -> None:
        """Drop the state: the next assignment reads it back."""
        for number in self._partitions:
            self._engine.forget(number)
        self._partitions.drop()

    def encode_ahead(self, most: int) -> int:
        """Encode some of the changed customers before the cut; return how many are left."""
        return self._partitions.encode_ahead(most)

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        """Return the changed customers as changelog records."""
        offsets = {partition.partition: offset for partition, offset in positions.items()}
        writes = self._partitions.cut(offsets)
        self._on_states(self._partitions.customers, ())
        return Cut(positions, (writes,) if writes else ())

    def written(self, cut: Cut) -> None:
        """Note that the changes are durable, and report their sizes while no work waits."""
        self._on_states(self._partitions.customers, self._partitions.written())


def versions_from(known: PartitionState, start: int) -> list[tuple[str, str, str]]:
    """Return (kind, name, version) of all versions that records from offset `start` on may use.

    The partition's state may be ahead of `start`. Of the switches before `start` only the last of
    each name counts, of those after it all.
    """
    before = {(s.kind, s.name): s.version for s in known.switches if s.offset < start}
    behind = [(s.kind, s.name, s.version) for s in known.switches if s.offset >= start]
    return [(kind, name, version) for (kind, name), version in before.items()] + behind
