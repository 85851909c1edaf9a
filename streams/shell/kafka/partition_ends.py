"""Where partitions end, asked of the brokers for all at once: how far they can be read, and more.

Two ends differ while a producer's transaction is open: the last stable offset, up to which
consumers that read only committed records get anything, and the high watermark behind it.
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

# The brokers have answered; there is only no such partition, or not yet here.
_NO_PARTITION = (KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART)


class End(NamedTuple):
    """A partition's end: the offset up to which it can be read, and the one after its last."""

    readable: int
    last: int

    @property
    def held_back(self) -> int:
        """Return how many offsets an open transaction holds back."""
        return max(0, self.last - self.readable)


Ends = Mapping[Partition, End]


def ask_ends(
    admin: AdminClient, places: Sequence[Partition], timeout_s: float
) -> tuple[dict[Partition, End], str]:
    """Return the ends of all partitions that were answered, and what is wrong with the others.

    Raises KafkaException when no broker answers. Blocks.
    """
    asked = [_asked(admin, places, level, timeout_s) for level in _LEVELS]
    ends: dict[Partition, End] = {}
    wrong: dict[Partition, KafkaError] = {}
    for place in places:
        try:
            readable, last = (answers[place]() for answers in asked)
            ends[place] = End(readable, max(last, readable))
        except KafkaException as error:
            wrong[place] = error.args[0]
    away = [error for error in wrong.values() if error.code() not in _NO_PARTITION]
    if away and not ends:
        raise KafkaException(away[0])
    sentences = [f"{p.topic}/{p.partition}: {error.str()}" for p, error in wrong.items()]
    return ends, "; ".join(sentences)


_LEVELS = (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)


def _asked(
    admin: AdminClient, places: Sequence[Partition], level: Any, timeout_s: float
) -> dict[Partition, Callable[[], int]]:
    """Ask without waiting; calling an answer waits for it, all of them to the same moment."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    wanted = {TopicPartition(*place): latest for place in places}
    futures = admin.list_offsets(wanted, isolation_level=level, request_timeout=timeout_s)
    # Brokers that accept connections and say nothing may leave a future open past its timeout.
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
