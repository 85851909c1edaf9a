"""The ends of many partitions, requested from the brokers at once.

A partition has two ends, which differ while a transaction is open. Consumers with `read_committed`
read up to the last stable offset; the high watermark is the offset after the last record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # OffsetSpec, unexported
    AdminClient,
    OffsetSpec,
)

from streams.shell.kafka_records import Partition

# The brokers answer that the partition does not exist, or that they do not know it yet.
_NO_PARTITION = (KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART)


class End(NamedTuple):
    """The ends of a partition: the last stable offset and the high watermark."""

    readable: int
    last: int

    @property
    def held_back(self) -> int:
        """Return how many offsets an open transaction holds back."""
        return max(0, self.last - self.readable)


Ends = Mapping[Partition, End]


def ask_ends(
    admin: AdminClient, partitions: Sequence[Partition], timeout_s: float
) -> tuple[dict[Partition, End], str]:
    """Return the ends of all partitions that were answered, and the problems of the others.

    Raises KafkaException when no broker answers. Blocks.
    """
    asked = [_asked(admin, partitions, level, timeout_s) for level in _LEVELS]
    ends: dict[Partition, End] = {}
    wrong: dict[Partition, KafkaError] = {}
    for tp in partitions:
        try:
            readable, last = (answers[tp]() for answers in asked)
            ends[tp] = End(readable, max(last, readable))
        except KafkaException as error:
            wrong[tp] = error.args[0]
    away = [error for error in wrong.values() if error.code() not in _NO_PARTITION]
    if away and not ends:
        raise KafkaException(away[0])
    sentences = [f"{tp.topic}/{tp.partition}: {error.str()}" for tp, error in wrong.items()]
    return ends, "; ".join(sentences)


_LEVELS = (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)


def _asked(
    admin: AdminClient, partitions: Sequence[Partition], level: Any, timeout_s: float
) -> dict[Partition, Callable[[], int]]:
    """Send the requests; calling an answer waits for it, all of them until the same deadline."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    wanted = {TopicPartition(*tp): latest for tp in partitions}
    futures = admin.list_offsets(wanted, isolation_level=level, request_timeout=timeout_s)
    # If brokers accept connections but do not answer, a future may stay open after its timeout.
    until_s = time.monotonic() + 2 * timeout_s

    def answer(future: Future[Any]) -> int:
        try:
            return int(future.result(max(0.0, until_s - time.monotonic())).offset)
        except TimeoutError as error:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from error

    return {
        Partition(asked.topic, asked.partition): partial(answer, future)
        for asked, future in futures.items()
    }
