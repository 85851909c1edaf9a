"""Fakes around the agents: an outbox that keeps what is sent, chunks made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.shell.kafka_records import Chunk, FetchedRecord, Partition


class Sent(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: Sequence[tuple[str, bytes | None]] | None


class KeepingOutbox:
    """Keeps records apart: those only collected, and those published."""

    def __init__(self) -> None:
        self.collected: list[Sent] = []
        self.published: list[Sent] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> None:
        self.collected.append(Sent(topic, key, value, partition, headers))

    async def publish(self) -> None:
        self.published += self.collected
        self.collected = []

    def to(self, topic: str) -> list[Sent]:
        return [sent for sent in self.published if sent.topic == topic]


def chunk(topic: str, values: Sequence[bytes | None], first: int = 0, partition: int = 0) -> Chunk:
    records = [FetchedRecord(first + n, 1_700_000_000_000, b"k", v) for n, v in enumerate(values)]
    return Chunk(Partition(topic, partition), records, first, 0)
