"""Fetch whole chunks, one per partition and fetch; never one Faust message per record.

Faust's aiokafka driver with its own drain loop. The loop is the only one that fetches and the only
one that seeks, so no fetch can be under way across a seek; and committing belongs to the
checkpoint alone, so every road on which Faust commits by itself ends here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service
from mode.types import ServiceT

from streams.shell.faust_app.consumer_thread import ShellConsumerThread
from streams.shell.faust_app.group_errors import watch_group
from streams.shell.faust_app.host import HostApp
from streams.shell.kafka_records import Chunk, Partition
from streams.shell.runner.checkpoint import Commit

# How long one fetch may find nothing before the loop looks around (stop, seek, rebalance).
_FETCH_TIMEOUT_S = 1.0
# A worker to which the group has given no partition has nothing to do but to look again.
_IDLE_S = 0.05


class ShellConsumer(driver.Consumer):
    """Deliver chunks, seek where the shell says, commit what the checkpoint says."""

    app: HostApp
    _thread: ShellConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}

    def _new_consumer_thread(self) -> ShellConsumerThread:
        return ShellConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- positions -----------------------------------------------------------------------------

    def start_from(self, positions: Mapping[Partition, int]) -> None:
        """Deliver these partitions from these offsets on, and no others."""
        self._wanted = dict(positions)
        self._next = {}

    async def perform_seek(self) -> None:
        """Seek every source partition to where the shell wants it (run by the drain loop)."""
        wanted, self._wanted = self._wanted, {}
        if not wanted:
            return
        consumer = self._thread._ensure_consumer()

        async def seek() -> None:
            for partition, offset in wanted.items():
                consumer.seek(aiokafka.TopicPartition(*partition), offset)

        try:
            await self._thread.call(seek())
        except IllegalStateError:
            # No longer ours: a rebalance has begun, and its end says where to go on.
            return
        self._next = wanted

    async def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int | None]:
        """Return the group's committed offsets, None where there is none."""
        consumer = self._thread._ensure_consumer()
        return {
            partition: await self._thread.call(
                consumer.committed(aiokafka.TopicPartition(*partition))
            )
            for partition in partitions
        }

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return each partition's first offset and the offset after its last."""
        return await self._thread.bounds(partitions)

    # -- fetching ------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                if self.flow_active:
                    await self.perform_seek()
                    await self._fetch_and_deliver()
                else:
                    await self.wait_first(self.can_resume_flow.wait(), timeout=_FETCH_TIMEOUT_S)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            # A stop during a rebalance cancels the loop; Faust would call that a crash.
            if not (self.app.should_stop or fetcher.should_stop or self.should_stop):
                raise
        except Exception as error:
            self.app.runner.fail(error)
            raise

    @Service.task
    async def _watch_group(self) -> None:
        def consumer() -> Any:
            # While it is being stopped its thread may have ended.
            return None if self.should_stop else self._thread._consumer

        await watch_group(consumer, self.app.runner.fail, self._thread.call)

    async def _fetch_and_deliver(self) -> None:
        partitions = {TP(*partition) for partition in self._next.keys() & self._active_partitions}
        if not partitions:
            await asyncio.sleep(_IDLE_S)
            return
        epoch = self.app.runner.epoch
        fetched = await self._thread.fetch(partitions, _FETCH_TIMEOUT_S)
        chunks = []
        for partition, (records, read_to) in fetched.items():
            # Of an older assignment, or seeked meanwhile: the new positions fetch it again.
            if self.app.runner.epoch != epoch or self._wanted:
                return
            start = self._next[partition]
            # Without records, markers of transactions (or what was rolled back) were read.
            if records or read_to != start:
                chunk = Chunk(partition, records, start, epoch, read_to)
                if chunk.first_offset != start:
                    await self.app.runner.check_gap(chunk)
                self._next[partition] = chunk.end
                chunks.append(chunk)
        if chunks:
            message = _message(chunks, self.app.consumer_generation_id)
            await self.wait_first(self.callback(message), self.suspend_flow.wait())

    def on_buffer_full(self, tp: TP) -> None:
        """Leave the partition active: a full queue simply makes the drain loop wait."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, as `on_buffer_full` did nothing."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's livelock check reads bookkeeping that is not kept here."""

    # -- committing ----------------------------------------------------------------------------

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        """Commit next offsets and say how the group took it; other errors are raised."""
        consumer = self._thread._ensure_consumer()
        offsets = {
            aiokafka.TopicPartition(*partition): aiokafka.OffsetAndMetadata(offset, "")
            for partition, offset in positions.items()
        }
        try:
            await self._thread.call(consumer.commit(offsets))
        except CommitFailedError as error:
            if isinstance(error.__cause__, RebalanceInProgressError):
                return Commit.BUSY
            return Commit.FENCED
        except IllegalStateError:
            return Commit.FENCED
        return Commit.DONE

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Do nothing: only a checkpoint commits."""
        return False

    @Service.task
    async def _commit_handler(self) -> None:
        """Replace Faust's commit timer with nothing."""

    async def wait_empty(self) -> None:
        """Do nothing: the barrier has waited already."""

    async def on_task_error(self, exc: BaseException) -> None:
        """Do nothing: a failed agent stops the worker, nothing is committed."""

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: topics are created before a worker starts, with their own settings."""

    # -- rebalances ----------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Take the final checkpoint while the partitions are still ours, then let Faust go on."""
        await self.app.runner.before_revoke()
        await super().on_partitions_revoked(revoked)
        self.app.runner.after_revoke()


class ShellTransport(driver.Transport):
    """The aiokafka transport with our consumer."""

    Consumer = ShellConsumer


def _message(chunks: Sequence[Chunk], generation: int | None) -> ConsumerMessage:
    # Faust's routing costs as much for a fetch as for a record: all its chunks go as one message,
    # under the partition of the first.
    partition = chunks[0].tp
    records = chunks[0].records
    return ConsumerMessage(
        partition.topic,
        partition.partition,
        chunks[0].first_offset,
        records[0].timestamp / 1000.0 if records else 0.0,
        0,
        None,
        None,
        chunks,  # type: ignore[arg-type]  # Faust passes a value through unread (ChunkSchema)
        None,
        0,
        0,
        TP(partition.topic, partition.partition),
        generation_id=generation,
    )
