"""What `RoleRunner` asks of a role: its topics, its work, its state, and the records of a cut.

`streams.agents` implements it three times (intake, decide, learn). The shell calls it from one
event loop and, but for `work` itself, never while chunks are under work; `encode_ahead` of
`streams.shell.runner.encode_ahead` may come at any await of `work`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from streams.shell.kafka_records import Chunk, Partition
from streams.shell.runner.checkpoint import Cut


class Role(Protocol):
    """One of the worker's three jobs."""

    @property
    def name(self) -> str:
        """Return "intake", "decide" or "learn"."""

    @property
    def topics(self) -> Sequence[str]:
        """Return the topics it reads."""

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        """Get ready for these partitions (read state back) and return where to start them.

        `positions` are the group's committed offsets, or the first existing ones for the `new`
        partitions, of which it has read nothing. What is returned is raised to what still exists.
        Raises if the state cannot be trusted.
        """

    def revoked(self) -> None:
        """Drop the state of all partitions: other workers may own them now."""

    async def work(self, *chunks: Chunk) -> None:
        """Work through chunks of different partitions and send their outputs.

        An error stops the worker. Long work has to give the event loop to other roles in between.
        """

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        """Return what must be durable before `positions` are committed; without an await."""

    def written(self, cut: Cut) -> None:
        """Note that all stages of a cut are durable."""


class Sender(Protocol):
    """What a role sends through (`streams.shell.kafka.outbox.Outbox`)."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> None:
        """Collect a record."""

    async def publish(self) -> None:
        """Hand everything collected to the producer, waiting while its queue is full."""


def numbers_of(topic: str, partitions: Collection[Partition]) -> list[int]:
    """Return the numbers of one topic's partitions among `partitions`, in order."""
    return sorted(partition.partition for partition in partitions if partition.topic == topic)
