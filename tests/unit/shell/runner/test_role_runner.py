"""The shell without Faust: stale chunks, rebalances, fencing, and where reading starts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import pytest

from streams.shell.kafka_records import (
    Chunk,
    FetchedRecord,
    Partition,
    Write,
)
from streams.shell.runner.checkpoint import (
    CheckpointOutcome,
    Commit,
    Cut,
)
from streams.shell.runner.retention import RecordsLost
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.telemetry.progress import Progress, RoleProgress

PLACE = Partition("timeline", 0)


class FakeBroker:
    """A group that commits what it is told and answers what the test wants."""

    def __init__(self, committed: int | None = None, bounds: tuple[int, int] = (0, 100)) -> None:
        self.offsets = {} if committed is None else {PLACE: committed}
        self.answer = Commit.DONE
        self._bounds = bounds

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        if self.answer is Commit.DONE:
            self.offsets.update(positions)
        return self.answer

    async def committed(self, places: Iterable[Partition]) -> dict[Partition, int | None]:
        return {place: self.offsets.get(place) for place in places}

    async def bounds(self, places: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        return dict.fromkeys(places, self._bounds)


class FakeOutbox:
    """Records what is written; acknowledges at once."""

    def __init__(self) -> None:
        self.written: list[Write] = []

    def unacknowledged(self) -> int:
        return 0

    def hold(self) -> None: ...

    async def flush_and_release(self) -> None: ...

    async def write(self, writes: Sequence[Write]) -> None:
        self.written += writes

    publish_now, flush = write, flush_and_release


class FakeRole:
    name = "decide"
    topics = ("timeline",)

    def __init__(self) -> None:
        self.dropped = 0

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        return positions

    def revoked(self) -> None:
        self.dropped += 1

    async def work(self, *chunks: Chunk) -> None: ...

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        return Cut(positions, ((Write("changelog", b"a", b"1", 0),),))

    def written(self, cut: Cut) -> None: ...


class World:
    def __init__(self, broker: FakeBroker) -> None:
        self.broker, self.role, self.writer = broker, FakeRole(), FakeOutbox()
        self.failures: list[BaseException] = []
        outbox = cast(Any, FakeOutbox())
        self.runner = RoleRunner(
            self.role,
            RoleOptions("nowhere:9092"),
            outbox,
            cast(Any, self.writer),
            RoleProgress(),
            self.failures.append,
        )
        self.runner.broker = broker

    async def recovered(self) -> World:
        await self.runner.recover([PLACE])
        self.runner.resume()
        self.writer.written.clear()
        return self

    async def work(self, first: int, count: int) -> bool:
        runner = self.runner
        records = [FetchedRecord(first + n, 0, b"k", b"v") for n in range(count)]
        chunk = Chunk(PLACE, records, first, runner.epoch)
        if not await runner.enter(chunk):
            return False
        runner.finished(chunk)
        return True


def test_a_finished_chunk_is_committed_by_the_next_checkpoint() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        assert await world.work(0, 5)
        assert await world.runner.checkpoint.run() is CheckpointOutcome.COMMITTED
        assert world.broker.offsets == {PLACE: 5}
        assert world.runner.progress.partitions[PLACE].committed == 5

    asyncio.run(scenario())


def test_a_chunk_of_an_older_assignment_is_dropped() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        stale = Chunk(PLACE, [FetchedRecord(0, 0, b"k", b"v")], 0, world.runner.epoch)
        await world.runner.before_revoke()
        world.runner.after_revoke()
        await world.recovered()
        assert not await world.runner.enter(stale)

    asyncio.run(scenario())


def test_a_chunk_that_would_skip_records_stops_the_worker() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        with pytest.raises(RuntimeError, match="lost or repeated"):
            await world.work(3, 1)

    asyncio.run(scenario())


def test_a_revoke_takes_a_final_checkpoint_and_then_drops_all_memory() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        await world.runner.before_revoke()
        assert world.broker.offsets == {PLACE: 5}
        world.runner.after_revoke()
        assert world.role.dropped == 1
        assert not world.runner.barrier.is_open

    asyncio.run(scenario())


def test_a_worker_that_was_fenced_writes_no_state() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        world.broker.answer = Commit.FENCED
        assert await world.runner.checkpoint.run() is CheckpointOutcome.FENCED
        await world.runner.before_revoke()
        assert world.writer.written == []
        assert world.broker.offsets == {PLACE: 0}

    asyncio.run(scenario())


def test_a_rebalance_under_way_only_puts_the_checkpoint_off() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        world.broker.answer = Commit.BUSY
        assert await world.runner.checkpoint.run() is CheckpointOutcome.BUSY
        world.broker.answer = Commit.DONE
        assert await world.runner.checkpoint.run() is CheckpointOutcome.COMMITTED
        assert world.broker.offsets == {PLACE: 5}

    asyncio.run(scenario())


def test_after_a_failure_nothing_is_committed() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, 5)
        world.runner.fail(ValueError("an agent's bug"))
        with pytest.raises(RuntimeError, match="nothing is committed"):
            await world.runner.checkpoint.run()
        await world.runner.before_revoke()
        await world.runner.drain()
        assert world.broker.offsets == {PLACE: 0}
        assert [str(failure) for failure in world.failures] == ["an agent's bug"]

    asyncio.run(scenario())


def test_an_unread_partition_starts_at_its_first_record_and_says_so() -> None:
    async def scenario() -> None:
        world = World(FakeBroker(bounds=(40, 100)))
        assert await world.runner.recover([PLACE]) == {PLACE: 40}
        assert world.broker.offsets == {PLACE: 40}

    asyncio.run(scenario())


def test_a_gap_of_compaction_is_passed_and_one_of_retention_is_not() -> None:
    async def scenario() -> None:
        behind = Chunk(PLACE, [FetchedRecord(30, 0, b"k", b"v")], 20, 0)
        await World(FakeBroker(bounds=(0, 100))).runner.check_gap(behind)
        with pytest.raises(RecordsLost):
            await World(FakeBroker(bounds=(25, 100))).runner.check_gap(behind)

    asyncio.run(scenario())


def test_state_is_there_before_an_offset_says_that_it_is() -> None:
    async def scenario() -> None:
        world = World(FakeBroker(bounds=(40, 100)))
        await world.runner.recover([PLACE])
        assert world.writer.written == [Write("changelog", b"a", b"1", 0)]
        again = World(world.broker)
        await again.runner.recover([PLACE])
        assert again.writer.written == []

    asyncio.run(scenario())


def test_many_records_make_a_checkpoint_due_before_its_time() -> None:
    async def scenario() -> None:
        world = await World(FakeBroker()).recovered()
        await world.work(0, RoleOptions("").checkpoint_every_records)
        assert world.runner.checkpoint_due.is_set()

    asyncio.run(scenario())


def test_a_worker_is_ready_when_every_role_has_recovered() -> None:
    async def scenario() -> None:
        world = World(FakeBroker())
        progress = Progress({"decide": world.runner.progress})
        seen = [progress.ready]
        await world.recovered()
        seen.append(progress.ready)
        await world.runner.before_revoke()
        assert [*seen, progress.ready] == [False, True, False]

    asyncio.run(scenario())
