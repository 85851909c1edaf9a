"""Faust's aiokafka consumer, changed to deliver chunks and to commit only for a checkpoint.

In: fetched records. Out: one Faust message for each fetch, with a chunk for each partition. Its
drain loop alone fetches and seeks, so no fetch can be under way across a seek. Every method with
which Faust commits by itself does nothing here.
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

# How long a fetch waits for records before the loop checks for a stop, a seek or a rebalance.
_FETCH_TIMEOUT_S = 1.0
# How often a worker without any partition checks whether it has been assigned one.
_IDLE_S = 0.05


class ShellConsumer(driver.Consumer):
    """Delivers chunks, seeks to the runner's positions and commits those of checkpoints."""

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
        """Deliver only these partitions, from these offsets on."""
        self._wanted = dict(positions)
        self._next = {}

    async def perform_seek(self) -> None:
        """Seek each partition to its start (called by the drain loop only)."""
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
            # A rebalance has taken a partition away; `start_from` is called again at its end.
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
            # A stop during a rebalance cancels the loop; Faust would treat that as a crash.
            if not (self.app.should_stop or fetcher.should_stop or self.should_stop):
                raise
        except Exception as error:
            self.app.runner.fail(error)
            raise

    @Service.task
    async def _watch_group(self) -> None:
        def consumer() -> Any:
            # During a stop the thread may have ended already.
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
            # The assignment is older, or a seek is due: the new positions fetch these records
            # again.
            if self.app.runner.epoch != epoch or self._wanted:
                return
            start = self._next[partition]
            # Without records, only markers or records of aborted transactions were read.
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
        """Leave the partition active: the drain loop waits while the queue is full."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, since `on_buffer_full` paused nothing."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's livelock check needs offsets that are not kept here."""

    # -- committing ----------------------------------------------------------------------------

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        """Commit next offsets and return the group's answer; other errors are raised."""
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
        """Do nothing, in place of Faust's commit timer."""

    async def wait_empty(self) -> None:
        """Do nothing: the runner's barrier has waited for the chunks already."""

    async def on_task_error(self, exc: BaseException) -> None:
        """Do nothing: a failed agent stops the worker, and nothing is committed."""

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: topics are created with their settings before a worker starts."""

    # -- rebalances ----------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Take the last checkpoint before the partitions are lost; then let Faust go on."""
        await self.app.runner.before_revoke()
        await super().on_partitions_revoked(revoked)
        self.app.runner.after_revoke()


class ShellTransport(driver.Transport):
    """Faust's aiokafka transport with `ShellConsumer`."""

    Consumer = ShellConsumer


def _message(chunks: Sequence[Chunk], generation: int | None) -> ConsumerMessage:
    # Faust's routing costs the same for one record and for a fetch. So all chunks of a fetch are
    # one message, under the partition of the first.
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
