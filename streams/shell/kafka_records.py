"""What the transport hands an agent: the records of one partition that came in one fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

# Chunks of one fetch with no more records than this between them are worked on together: few
# enough that a checkpoint, which waits for them, comes soon; beyond it waves are wide in any case.
MAX_CHUNK_GROUP_RECORDS = 4_096


# Kafka's names for a record's time: CreateTime is what its producer says, LogAppendTime when the
# broker got it.
CREATE_TIME, LOG_APPEND_TIME = 0, 1


class Partition(NamedTuple):
    """A topic partition; equal to the tuples Faust and aiokafka use."""

    topic: str
    partition: int


class RawRecord(Protocol):
    """A record as it was fetched; `timestamp` is in UTC epoch milliseconds."""

    @property
    def offset(self) -> int:
        """Return the record's offset."""

    @property
    def timestamp(self) -> int:
        """Return when the record was written, as the broker or its producer says."""

    @property
    def timestamp_type(self) -> int | None:
        """Return whose time that is, `CREATE_TIME` or `LOG_APPEND_TIME`; None if it has none."""

    @property
    def key(self) -> bytes | None:
        """Return the key's bytes."""

    @property
    def value(self) -> bytes | None:
        """Return the value's bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Return the headers in the order they were written."""


class FetchedRecord(NamedTuple):
    """A `RawRecord` of our own, for tests and for records that were not fetched by aiokafka."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_type: int | None = LOG_APPEND_TIME


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition in offset order, and how far the partition was read.

    `start` is the position they were asked for; the first offset may be higher, where the broker
    has removed records in between. `epoch` counts rebalances: a chunk of an older one is stale.
    `read_to` is the offset to read on from. It lies past the last record where only transaction
    markers or records of aborted transactions follow; a chunk of nothing else has no records, and
    moves the position all the same.
    """

    tp: Partition
    records: Sequence[RawRecord]
    start: int
    epoch: int
    read_to: int = 0

    @property
    def found(self) -> int:
        """Return the offset of the first record; without records where reading goes on."""
        return self.records[0].offset if self.records else self.read_to

    @property
    def end(self) -> int:
        """Return the offset to read on from."""
        return max(self.records[-1].offset + 1, self.read_to) if self.records else self.read_to


def chunk_groups(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """Part the chunks of one fetch into groups to be worked on together.

    >>> records = [FetchedRecord(0, 0, None, None)] * 3_000
    >>> one, two = (Chunk(Partition("t", n), records, 0, 0) for n in (0, 1))
    >>> [len(group) for group in chunk_groups([one, two])]
    [1, 1]
    """
    group: list[Chunk] = []
    records = 0
    for chunk in chunks:
        records += len(chunk.records)
        if group and records > MAX_CHUNK_GROUP_RECORDS:
            yield group
            group, records = [], len(chunk.records)
        group.append(chunk)
    if group:
        yield group


class Write(NamedTuple):
    """One record a checkpoint makes durable; `partition` None lets the key choose."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
