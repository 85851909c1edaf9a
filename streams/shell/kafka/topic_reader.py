"""Read topics to their current end, without a consumer group and outside of Faust.

The functions block, so `in_thread` runs them in a thread. Keys and values stay bytes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

_BATCH = 10_000


_POLL_S = 0.2


# A broker that takes longer counts as unreachable; a recovery then fails, and so does the worker.
BROKER_TIMEOUT_S = 30.0


class ReadCancelled(Exception):
    """The caller cancelled the reading before the end."""


def reader_config(client: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a consumer that belongs to no group and commits nothing."""
    return {
        **client,
        # The client requires a group id. Nothing is subscribed or committed, but the client looks
        # up the group's coordinator, which an ACL has to allow.
        "group.id": f"{client.get('client.id', 'concierge')}-reader",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # The client's default, which we rely on: records of aborted transactions are skipped, and
        # the end of a partition is the last stable offset.
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        "fetch.message.max.bytes": 4 * 1024 * 1024,
        "queued.max.messages.kbytes": 16_384,
        # How long a full queue pauses fetching. The default is a second; the queue is empty long
        # before that, so a long reading would mostly wait.
        "fetch.queue.backoff.ms": 10,
    }


def partition_count(consumer: Consumer, topic: str) -> int:
    """Return how many partitions a topic has; KafkaException if it does not exist."""
    metadata = consumer.list_topics(topic, timeout=BROKER_TIMEOUT_S).topics[topic]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    return len(metadata.partitions)


def read_to_end(
    client: Mapping[str, Any],
    topic: str,
    partitions: Sequence[int],
    give_up: threading.Event,
    starts: Mapping[int, int] | None = None,
) -> Iterator[list[Message]]:
    """Yield the messages of whole partitions, in order per partition, up to their current end.

    `starts` maps partitions to offsets to start from; the others start at their beginning.
    Raises KafkaException if the broker refuses, `ReadCancelled` once `give_up` is set.
    """
    consumer = Consumer(reader_config(client))
    try:
        first = {} if starts is None else starts
        consumer.assign(
            [TopicPartition(topic, n, first.get(n, OFFSET_BEGINNING)) for n in partitions]
        )
        unfinished = set(partitions)
        while unfinished:
            if give_up.is_set():
                raise ReadCancelled(f"{topic}: reading was cancelled")
            found = consumer.consume(_BATCH, _POLL_S)
            messages = [message for message in found if message.error() is None]
            if len(messages) < len(found):
                unfinished -= _ended(topic, found)
            if messages:
                yield messages
    finally:
        consumer.close()


def _ended(topic: str, found: Iterable[Message]) -> set[int | None]:
    """Return the partitions whose end was reached; raise any other error."""
    ended = set()
    for message in found:
        if (error := message.error()) is None:
            continue
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(KafkaError(error.code(), f"{topic}: {error.str()}"))
        ended.add(message.partition())
    return ended


async def in_thread(work: Callable[[threading.Event], Any]) -> Any:
    """Run blocking work in a thread; if the caller is cancelled, the work gets the event set."""
    give_up = threading.Event()
    try:
        return await asyncio.to_thread(work, give_up)
    except asyncio.CancelledError:
        give_up.set()
        raise
