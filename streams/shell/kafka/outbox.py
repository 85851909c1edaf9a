"""The outbox sends records by idempotent confluent producers, beside Faust.

No record is dropped: while the producer's queue is full the sender waits, and a record that the
brokers do not accept ends the worker. librdkafka keeps the order within a partition across retries.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from streams.shell.exits import WorkerExit
from streams.shell.kafka.error_advice import undelivered
from streams.shell.kafka.producers import QUEUE_LIMIT, Producers
from streams.shell.kafka_records import Write

Headers = Sequence[tuple[str, bytes | None]]

# How often delivery reports are polled while nothing is sent. Failures are rare, and `flush` polls
# by itself.
_POLL_INTERVAL_S = 0.05
# Wait while librdkafka's queue is full; a batch leaves it every few milliseconds.
_QUEUE_FULL_WAIT_S = 0.002
_BATCH = 10_000
# librdkafka's RD_KAFKA_PARTITION_UA: the partitioner chooses by the key.
PARTITION_UA = -1
# Records held while a checkpoint waits for acknowledgements; with more, the sender waits.
_MAX_HELD = 50_000


class DeliveryFailed(WorkerExit):
    """The brokers did not accept a record; nothing may be committed after that."""


class Outbox:
    """Send records in order per partition; `failed` is called once with the first failure.

    `send` only collects; `publish` passes the collected records to the producer. Between `hold`
    and `flush_and_release` new records wait, so that a checkpoint can wait for the acknowledgement
    of all earlier ones.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        failed: Callable[[BaseException], None],
        compressed: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`compressed` maps topics to their compression if it differs from `config`."""
        self._producers = Producers({**config, "error_cb": self._on_error}, compressed)
        self._failed = failed
        self._failure: BaseException | None = None
        # By (topic, partition): confluent-kafka 2.16.0 takes the partition as an argument of the
        # batch only, and silently ignores it in a message.
        self._collected: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
        self._released = asyncio.Event()
        self._released.set()
        self._publishing = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poller: asyncio.Task[None] | None = None

    def unacknowledged(self) -> int:
        """Return how many records are collected or not yet acknowledged."""
        self._producers.poll()
        return self._producers.pending() + sum(map(len, self._collected.values()))

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Collect a record; `partition` None: the key decides. `headers` make it slower."""
        message: dict[str, Any] = {"key": key, "value": value}
        if headers is not None:
            message["headers"] = list(headers)
        self._collected[topic, PARTITION_UA if partition is None else partition].append(message)

    async def publish(self) -> None:
        """Pass the collected records to the producer; wait while its queue is full.

        During a hold they stay collected; with more than `_MAX_HELD` the caller waits for its end.
        """
        if self._poller is None:
            self._loop = asyncio.get_running_loop()
            self._poller = asyncio.create_task(self._poll())
        self._raise_failure()
        if not self._released.is_set():
            if sum(map(len, self._collected.values())) <= _MAX_HELD:
                return
            await self._released.wait()
        async with self._publishing:
            await self._hand_over()

    def hold(self) -> None:
        """Hold later records until `flush_and_release`; no `publish` may be running."""
        self._released.clear()

    async def flush_and_release(self) -> None:
        """Wait until everything published is acknowledged, then publish the held records."""
        try:
            await self.flush()
        finally:
            self._released.set()
        async with self._publishing:
            await self._hand_over()

    async def write(self, writes: Iterable[Write]) -> None:
        """Publish records and wait until they, and all before them, are acknowledged."""
        await self.publish_now(writes)
        await self.flush()

    async def publish_now(self, writes: Iterable[Write]) -> None:
        """Publish records without other waits; the caller has just renewed its fencing probe."""
        for write in writes:
            self.send(write.topic, write.key, write.value, write.partition)
        await self.publish()
        # Other tasks of the event loop get their turn.
        await asyncio.sleep(0)

    async def flush(self) -> None:
        """Wait until everything published is acknowledged."""
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, self._producers.flush, 1.0):
            self._raise_failure()
        self._raise_failure()

    async def close(self) -> None:
        """Stop; queued records are dropped, so call `flush` before."""
        if self._poller is not None:
            self._poller.cancel()
        self._producers.purge()
        await asyncio.get_running_loop().run_in_executor(None, self._producers.flush, 1.0)

    async def _hand_over(self) -> None:
        while self._collected:
            (topic, partition), messages = next(iter(self._collected.items()))
            del self._collected[topic, partition]
            if any("headers" in message for message in messages):
                # produce_batch takes no headers.
                for message in messages:
                    await self._produce_one(topic, partition, message)
            else:
                for first in range(0, len(messages), _BATCH):
                    await self._produce_run(topic, partition, messages[first : first + _BATCH])
        self._producers.poll()
        self._raise_failure()

    async def _produce_run(self, topic: str, partition: int, batch: list[dict[str, Any]]) -> None:
        producer = self._producers.of(topic)
        while len(producer) + len(batch) > QUEUE_LIMIT:
            await self._wait_for_room()
        taken = producer.produce_batch(topic, batch, partition, on_delivery=self._on_delivery)
        if taken != len(batch):
            # The queue had room, so this is an error. Sending the rest again could change the order
            # within a partition.
            error = next(message["_error"] for message in batch if "_error" in message)
            self._not_delivered(topic, partition, error)
            self._raise_failure()

    async def _produce_one(self, topic: str, partition: int, message: dict[str, Any]) -> None:
        producer = self._producers.of(topic)
        while True:
            try:
                producer.produce(
                    topic, partition=partition, on_delivery=self._on_delivery, **message
                )
                return
            except BufferError:
                await self._wait_for_room()
            except KafkaException as error:
                self._not_delivered(topic, partition, error.args[0])
                self._raise_failure()

    async def _wait_for_room(self) -> None:
        self._producers.poll()
        self._raise_failure()
        await asyncio.sleep(_QUEUE_FULL_WAIT_S)

    async def _poll(self) -> None:
        while self._failure is None:
            self._producers.poll()
            await asyncio.sleep(_POLL_INTERVAL_S)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._not_delivered(message.topic() or "", message.partition(), error)

    def _not_delivered(self, topic: str, partition: int | None, error: KafkaError) -> None:
        # Also called at queueing time, if the producer already knows that it may not write.
        number = None if partition == PARTITION_UA else partition
        self._fail(DeliveryFailed(undelivered(topic, number, error)))

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fail(DeliveryFailed(f"the producer has failed: {error}"))

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
            # Delivery reports of a flush come in its thread.
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._failed, failure)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
