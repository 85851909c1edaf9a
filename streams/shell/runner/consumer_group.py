"""What the shell asks of the consumer: where the group is, and to move it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from streams.shell.kafka_records import Partition
from streams.shell.runner.checkpoint import Commit


class Broker(Protocol):
    """What the shell asks of the consumer."""

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        """Commit next offsets and say how the group took it."""

    async def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int | None]:
        """Return the group's committed offsets."""

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return each partition's first offset and the offset after its last."""
