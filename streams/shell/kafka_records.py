"""Chunks, which the transport passes to a role: records of one partition from one fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

# Chunks of one fetch are processed together up to this many records. A checkpoint waits for them,
# so they must be few; with more records waves are wide in any case.
MAX_CHUNK_GROUP_RECORDS = 4_096


# Kafka's types of a record's timestamp: set by the producer (CreateTime) or by the broker
# (LogAppendTime).
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
        """Return when the record was written, by the clock of the broker or of the producer."""

    @property
    def timestamp_type(self) -> int | None:
        """Return the type of `timestamp`, `CREATE_TIME` or `LOG_APPEND_TIME`; None without one."""

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
    """A `RawRecord` for tests, and for records that aiokafka did not fetch."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_type: int | None = LOG_APPEND_TIME


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition in offset order, and the offset up to which it was read.

    `start` is the requested offset; the first record's may be higher if the broker removed records
    in between. `epoch` counts rebalances: a chunk of an older epoch is stale. `read_to` is the
    offset to continue from. It is past the last record if only transaction markers or records of
    aborted transactions follow. A chunk of only those has no records, and still moves the position.
    """

    tp: Partition
    records: Sequence[RawRecord]
    start: int
    epoch: int
    read_to: int = 0

    @property
    def first_offset(self) -> int:
        """Return the offset of the first record; without records, the offset to continue from."""
        return self.records[0].offset if self.records else self.read_to

    @property
    def end(self) -> int:
        """Return the offset to continue from."""
        return max(self.records[-1].offset + 1, self.read_to) if self.records else self.read_to


def chunk_groups(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """Split the chunks of one fetch into groups that are processed together.

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
    """A record that a checkpoint writes; `partition` None: the key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
