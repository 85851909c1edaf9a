"""What the shell asks of the consumer: where the group is, and to move it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from streams.runtime.checkpoint import Commit
from streams.runtime.chunk import Place


class Broker(Protocol):
    """What the shell asks of the consumer."""

    async def commit_positions(self, positions: Mapping[Place, int]) -> Commit:
        """Commit next offsets and say how the group took it."""

    async def committed(self, places: Iterable[Place]) -> dict[Place, int | None]:
        """Return the group's committed offsets."""

    async def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Return each partition's first offset and the offset after its last."""
