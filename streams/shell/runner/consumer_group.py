"""What `RoleRunner` asks of the consumer: the committed offsets, bounds of partitions, commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from streams.shell.kafka_records import Partition
from streams.shell.runner.checkpoint import Commit


class Broker(Protocol):
    """The consumer as `RoleRunner` sees it (`faust_app.transport.ShellConsumer`)."""

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        """Commit next offsets and return the group's answer."""

    async def committed(self, partitions: Iterable[Partition]) -> dict[Partition, int | None]:
        """Return the group's committed offsets, None where there is none."""

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return each partition's first offset and the offset after its last."""
