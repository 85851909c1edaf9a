"""The thread that owns the aiokafka consumer: its settings, and its fetches.

In: partitions to read. Out: their records, and up to which offset each partition was read. Only
committed records are read (`read_committed`). Records of aborted transactions, and the markers that
end transactions, have offsets but are never delivered. If they follow the last record, the position
would stay short of the end for ever without the offset that each fetch returns.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, FetchError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.shell.faust_app.fencing import watch_instance_id
from streams.shell.faust_app.group_errors import watch_coordination
from streams.shell.faust_app.hooks import HooksMissing
from streams.shell.faust_app.host import HostApp
from streams.shell.kafka_records import Partition

T = TypeVar("T")

# The broker answers once it has this many bytes, or after `fetch_max_wait_ms`.
_FETCH_MIN_BYTES = 32 * 1024


class FetchedRecords(NamedTuple):
    """The records that one fetch returned of a partition, and the offset to read on from."""

    records: list[Any]
    read_to: int


class ShellConsumerThread(driver.AIOKafkaConsumerThread):
    """Owns the aiokafka consumer; every call to the consumer runs in this thread."""

    app: HostApp

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        options = {
            # Faust fixes 1,500 ms.
            "_fetch_max_wait_ms": self.app.runner.options.fetch_max_wait_ms,
            # With one byte each single record would be a fetch, a chunk and a wave.
            "_fetch_min_bytes": _FETCH_MIN_BYTES,
            # Without transactions of its own Faust also reads records of aborted transactions.
            "_isolation_level": "read_committed",
        }
        # The consumer builds its fetcher from these attributes when it starts.
        for name, value in options.items():
            if not hasattr(consumer, name):
                raise HooksMissing(f"aiokafka's consumer has no {name} any more")
            setattr(consumer, name, value)
        return consumer

    async def on_start(self) -> None:
        """Start the consumer and watch its group.

        From then on the runner fails if the coordination ends, or if another worker takes our
        instance id.
        """
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        watch_coordination(coordinator, self._fail_runner)
        if self.app.runner.options.instance_id is not None:
            watch_instance_id(coordinator, self._fail_runner)

    def _fail_runner(self, error: BaseException) -> None:
        self.app.loop.call_soon_threadsafe(self.app.runner.fail, error)

    async def call(self, coro: Awaitable[T]) -> T:
        """Run a coroutine in this thread's loop and wait for it.

        Not through Faust's method queue: its two workers may both be busy with a fetch that
        waits for a rebalance, which waits for this call.
        """

        async def run() -> T:
            return await coro

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self.thread_loop))

    # -- fetching ------------------------------------------------------------------------------

    async def fetch(
        self, partitions: set[TP], timeout_s: float
    ) -> Mapping[Partition, FetchedRecords]:
        """Return new records of these partitions; wait at most `timeout_s` for the first."""
        found: Mapping[Partition, FetchedRecords] = await self.call_thread(
            self._fetch, partitions, timeout_s
        )
        return found

    async def _fetch(
        self, partitions: set[TP], timeout_s: float
    ) -> Mapping[Partition, FetchedRecords]:
        consumer = self._ensure_consumer()
        fetched = await self._fetch_records(
            consumer, partitions, timeout=timeout_s, max_records=consumer._max_poll_records
        )
        # Nothing is awaited from here on, so the positions belong to the records.
        return {
            Partition(*tp): FetchedRecords(fetched.get(tp, []), read_to)
            for tp in partitions
            if (read_to := _position(consumer, tp)) is not None
        }

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return each partition's first offset and the offset after its last record.

        Records of open transactions are included, though they cannot be read yet: a position may
        be behind them, and they count as lag.
        """
        wanted = [TopicPartition(*partition) for partition in partitions]
        consumer = self._ensure_consumer()
        fetcher = copy.copy(consumer._fetcher)
        fetcher._isolation_level = READ_UNCOMMITTED
        first = await self.call(consumer.beginning_offsets(wanted))
        after = await self.call(fetcher.end_offsets(wanted, consumer._request_timeout_ms))
        return {Partition(*tp): (first[tp], after[tp]) for tp in wanted}


def _position(consumer: AIOKafkaConsumer, tp: TP) -> int | None:
    """Return where aiokafka reads on; None if it does not know, or will raise an error."""
    subscription = consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return None
    state = subscription.assignment.state_value(TopicPartition(*tp))
    # A record that was too large moves the position before the error is raised.
    if state is None or not state.has_valid_position:
        return None
    return None if isinstance(consumer._fetcher._records.get(tp), FetchError) else state.position
