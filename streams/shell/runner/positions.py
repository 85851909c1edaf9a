"""How far a role has come in each partition: the next offset, and the committed one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.shell.kafka_records import Chunk, Partition
from streams.shell.telemetry.progress import PartitionProgress, RoleProgress
from streams.shell.wall_clock import now_ms


class Positions:
    """The positions of one role; those that Faust keeps are not used.

    A position moves only past whole, finished chunks. `progress` shows it on the pages.
    """

    def __init__(self, progress: RoleProgress) -> None:
        self._progress = progress
        self._positions: dict[Partition, int] = {}
        self.committed: dict[Partition, int] = {}
        self.records_since_cut = 0

    def begin(self, starts: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        """Start from these next offsets, which are committed.

        `ends` are the offsets after the last records, those of open transactions included.
        """
        self.clear()
        self._positions = dict(starts)
        self.committed = dict(starts)
        for partition, start in starts.items():
            self._progress.partitions[partition] = PartitionProgress(start, start, ends[partition])

    def clear(self) -> None:
        """Forget all positions."""
        self._positions = {}
        self.committed = {}
        self.records_since_cut = 0
        self._progress.partitions.clear()

    def check(self, chunks: Iterable[Chunk]) -> None:
        """Raise unless each chunk begins exactly at its partition's position."""
        for chunk in chunks:
            position = self._positions[chunk.tp]
            if chunk.start != position:
                raise RuntimeError(
                    f"{chunk.tp}: got records from {chunk.start} on, but expected {position}; "
                    "records would be lost or repeated"
                )

    def advance(self, chunks: Iterable[Chunk]) -> None:
        """Move past finished chunks."""
        progress = self._progress
        for chunk in chunks:
            self._positions[chunk.tp] = chunk.end
            self.records_since_cut += len(chunk.records)
            progress.chunks += 1
            progress.records += len(chunk.records)
            progress.partitions[chunk.tp].position = chunk.end
            if chunk.records:
                progress.last_chunk_at_ms = now_ms()

    def cut(self) -> dict[Partition, int]:
        """Return the positions as they are, and count records from zero again."""
        self.records_since_cut = 0
        return dict(self._positions)

    def note_committed(self, positions: Mapping[Partition, int]) -> None:
        """Note which offsets the group has accepted."""
        self.committed = dict(positions)
        for partition, offset in positions.items():
            if partition in self._progress.partitions:
                self._progress.partitions[partition].committed = offset
