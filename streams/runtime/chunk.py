"""What the transport hands an agent: the records of one partition that came in one fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

# Chunks of one fetch with no more records than this between them are worked on together: few
# enough that a checkpoint, which waits for them, comes soon; beyond it waves are wide in any case.
MOST_TOGETHER = 4_096


class Place(NamedTuple):
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
        """Return when the broker says the record was written."""

    @property
    def key(self) -> bytes | None:
        """Return the key's bytes."""

    @property
    def value(self) -> bytes | None:
        """Return the value's bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Return the headers in the order they were written."""


class Fetched(NamedTuple):
    """A `RawRecord` of our own, for tests and for records that were not fetched by aiokafka."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition in offset order, never empty.

    `start` is the position they were asked for; the first offset may be higher, where the broker
    has removed records in between. `epoch` counts rebalances: a chunk of an older one is stale.
    """

    place: Place
    records: Sequence[RawRecord]
    start: int
    epoch: int

    @property
    def end(self) -> int:
        """Return the offset after the last record."""
        return self.records[-1].offset + 1


def together(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """Part the chunks of one fetch into groups to be worked on together.

    >>> one, two = (Chunk(Place("t", n), [Fetched(0, 0, None, None)] * 3_000, 0, 0) for n in (0, 1))
    >>> [len(group) for group in together([one, two])]
    [1, 1]
    """
    group: list[Chunk] = []
    records = 0
    for chunk in chunks:
        records += len(chunk.records)
        if group and records > MOST_TOGETHER:
            yield group
            group, records = [], len(chunk.records)
        group.append(chunk)
    if group:
        yield group
