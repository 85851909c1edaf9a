"""The state of all partitions that a worker owns, and their common cut.

In: recovered states and changes. Out: at a cut, one changelog record for each changed key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streams.shell.exits import ConfigExit
from streams.shell.kafka_records import Write
from streams.shell.state import stamp
from streams.shell.state.partition_store import PartitionStore, StateCodec


class StateLost(ConfigExit):
    """Offsets are committed, but the state that goes with them is not there."""


class Changes:
    """The changelog records of a cut; they are made while they are sent, after the cut.

    `values` are the encoded states by partition, `next_offsets` the timeline's at the cut.
    """

    def __init__(
        self,
        changelog: str,
        next_offsets: Mapping[int, int],
        values: Mapping[int, Mapping[str, bytes]],
    ) -> None:
        self._changelog = changelog
        self._next_offsets = next_offsets
        self._values = values

    def __len__(self) -> int:
        return sum(map(len, self._values.values()))

    def __iter__(self) -> Iterator[Write]:
        for number, states in self._values.items():
            next_offset = self._next_offsets[number]
            for key, data in states.items():
                yield Write(self._changelog, key.encode(), stamp.pack(next_offset, data), number)


class Partitions:
    """The state of all partitions this worker owns, and their common cut.

    `hot_limit` bounds how many of all their customers stay decoded from one cut to the next.
    """

    def __init__(self, changelog: str, codec: StateCodec, hot_limit: int) -> None:
        self.changelog = changelog
        self._codec = codec
        self._hot_limit = hot_limit
        self._stores: dict[int, PartitionStore] = {}
        self._cut: dict[int, dict[str, bytes]] = {}

    def __getitem__(self, partition: int) -> PartitionStore:
        return self._stores[partition]

    def __iter__(self) -> Any:
        return iter(self._stores)

    def load(
        self, partition: int, states: dict[str, bytes], start: int, new: bool = False
    ) -> PartitionStore:
        """Store a partition's recovered state; `states` belongs to the store from then on.

        `start` is its next timeline offset, `new` whether nothing of it has been read before.

        Raises `StateLost` if records have been read before and left no state.
        """
        if start > 0 and not new and not states:
            raise StateLost(
                f"{self.changelog}/{partition} is empty, but the timeline has been read up to "
                f"offset {start}: the changelog was lost or created again. Restore it; or build "
                "the state again from what the timeline still holds: kafka-consumer-groups "
                f"--delete --group {self.changelog.removesuffix('-customers-changelog')}"
            )
        store = self._stores[partition] = PartitionStore(self._codec)
        store.load(states)
        return store

    @property
    def customers(self) -> int:
        """Return how many customers' state is held."""
        return sum(map(len, self._stores.values()))

    def summary(self) -> str:
        """Return a text with the number of customers and the versions in use."""
        in_use = {
            switch.name if switch.kind == switch.name else f"{switch.kind} {switch.name}": switch
            for store in self._stores.values()
            for switch in getattr(store.partition_state(), "switches", ())
        }
        versions = [f"{what} {switch.version[:12]}" for what, switch in sorted(in_use.items())]
        return ", ".join([f"{self.customers:,} customers", *versions])

    def drop(self) -> None:
        """Forget everything."""
        self._stores.clear()
        # A new dict: a checkpoint may still write the old one.
        self._cut = {}

    def encode_ahead(self, most: int) -> int:
        """Encode up to about `most` changes before the cut; return how many are left."""
        share = self._share(most) + 1
        return sum(store.encode_ahead(share) for store in self._stores.values())

    def cut(self, next_offsets: Mapping[int, int]) -> Changes:
        """Return every change as a changelog record; `next_offsets` are the timeline's."""
        hot = self._share(self._hot_limit)
        self._cut = {number: store.cut(hot) for number, store in self._stores.items()}
        return Changes(self.changelog, next_offsets, self._cut)

    def written(self) -> list[int]:
        """Note that the last cut is durable; return the sizes of its states in bytes."""
        cut, self._cut = self._cut, {}
        for number, values in cut.items():
            if number in self._stores:
                self._stores[number].written(values)
        return [len(data) for values in cut.values() for data in values.values()]

    def _share(self, total: int) -> int:
        return total // max(len(self._stores), 1)
