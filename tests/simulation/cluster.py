"""The brokers: logs, compaction, and a group for each role. What is here survives everything."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from random import Random
from zlib import crc32

from streams.shell.kafka_records import FetchedRecord, Partition
from streams.shell.runner.checkpoint import Commit
from streams.shell.state import stamp

TIMELINE, LESSONS, SNAPSHOTS = "timeline", "lessons", "model-snapshots"
CHANGELOG = "changelog"
PARTITIONS = 2
_COUNTS = {TIMELINE: PARTITIONS, CHANGELOG: PARTITIONS}
# Every so many records of what roles read, one offset is a transaction's marker: it has no record.
_MARKER_EVERY = 5


class Cluster:
    """Every topic partition as a list of records, in offset order."""

    def __init__(self) -> None:
        self.logs: dict[Partition, list[FetchedRecord]] = defaultdict(list)
        self.ends: Counter[Partition] = Counter()
        self.noted: Counter[str] = Counter()

    def place(self, topic: str, key: bytes | None, partition: int | None) -> Partition:
        """Return where a record goes; the key chooses unless a partition is named."""
        count = _COUNTS.get(topic, 1)
        return Partition(topic, crc32(key or b"") % count if partition is None else partition)

    def append(self, place: Partition, key: bytes | None, value: bytes | None) -> None:
        log = self.logs[place]
        if place.topic == CHANGELOG:
            self._note_late(place, key, value)
        log.append(FetchedRecord(self.ends[place], 0, key, value))
        self.ends[place] += 1
        if place.topic in (TIMELINE, LESSONS) and len(log) % _MARKER_EVERY == 0:
            self.ends[place] += 1
            self.noted["marker"] += 1

    def read(self, place: Partition, position: int, most: int) -> tuple[list[FetchedRecord], int]:
        """Return up to `most` records from a position on, and the offset to read on from."""
        log = self.logs[place]
        first = bisect_left(log, position, key=lambda record: record.offset)
        records = log[first : first + most]
        if first + most >= len(log):
            return records, self.ends[place]
        return records, records[-1].offset + 1

    def compact(self, place: Partition) -> None:
        """Keep the last record of each key, as brokers do.

        Not while a late write is the last of its key: see `late_writes`.
        """
        log = self.logs[place]
        last = {record.key: record for record in log}
        if self.late_writes(place) or len(last) == len(log):
            return
        self.logs[place] = [record for record in log if last[record.key] is record]
        self.noted["compaction"] += 1

    def late_writes(self, place: Partition) -> list[bytes | None]:
        """Return the keys whose last record is not their newest by stamp.

        Compaction would lose the newer one. The product keeps this window shut with its clock (a
        worker that slept asks again before it writes), so it opens only for what was on its way.
        """
        newest: dict[bytes | None, int] = {}
        late: dict[bytes | None, bool] = {}
        for record in self.logs[place]:
            next_offset, _ = stamp.unpack(record.value or b"")
            late[record.key] = next_offset < newest.get(record.key, 0)
            newest[record.key] = max(next_offset, newest.get(record.key, 0))
        return [key for key, is_late in late.items() if is_late]

    def _note_late(self, place: Partition, key: bytes | None, value: bytes | None) -> None:
        for record in reversed(self.logs[place]):
            if record.key == key:
                if stamp.unpack(record.value or b"")[0] > stamp.unpack(value or b"")[0]:
                    self.noted["late changelog write"] += 1
                return


class Group:
    """A consumer group: who belongs to it, who owns what, what is committed."""

    def __init__(self, places: list[Partition], chance: Random, noted: Counter[str]) -> None:
        self.places = places
        self.committed: dict[Partition, int] = {}
        self.generation = 0
        # Worker -> the generation it knows of.
        self.members: dict[int, int] = {}
        self.is_rebalancing = False
        self._chance = chance
        self._noted = noted

    def commit(self, worker: int, positions: Mapping[Partition, int]) -> Commit:
        """Take positions of a member that is up to date."""
        if self.members.get(worker, -1) != self.generation:
            self._noted["fenced"] += 1
            return Commit.FENCED
        if self.is_rebalancing and self._chance.random() < 0.3:
            self._noted["busy"] += 1
            return Commit.BUSY
        self.committed.update(positions)
        return Commit.DONE

    def form(self, workers: list[int]) -> dict[int, list[Partition]]:
        """Begin a new generation; deal the partitions out."""
        self.generation += 1
        self.members = dict.fromkeys(workers, self.generation)
        self.is_rebalancing = False
        self._noted["rebalance"] += 1
        owned: dict[int, list[Partition]] = {worker: [] for worker in workers}
        for place in self.places:
            owned[self._chance.choice(workers)].append(place)
        return owned
