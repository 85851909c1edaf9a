"""What leaves a worker: in order per partition, acknowledged whenever the world lets it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from random import Random

from streams.shell.kafka.outbox import DeliveryFailed
from streams.shell.kafka_records import Partition, Write
from tests.simulation.cluster import Cluster
from tests.simulation.loop import pause

_Sent = tuple[bytes | None, bytes | None]


class Post:
    """Behaves as `streams.shell.kafka.outbox.Outbox` does."""

    def __init__(self, cluster: Cluster, chance: Random) -> None:
        self._cluster = cluster
        self._chance = chance
        self._collected: list[tuple[Partition, _Sent]] = []
        self._is_held = False
        self._has_failed = False
        self.on_its_way: dict[Partition, deque[_Sent]] = {}
        # Of what is on its way, whether some of the same write has arrived: a death here halves it.
        self.is_half_written = False

    def unacknowledged(self) -> int:
        return len(self._collected) + sum(map(len, self.on_its_way.values()))

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
    ) -> None:
        self._collected.append((self._cluster.place(topic, key, partition), (key, value)))

    async def publish(self) -> None:
        self._check()
        if not self._is_held:
            self._hand_over()
        await pause()

    def hold(self) -> None:
        self._is_held = True

    async def flush_and_release(self) -> None:
        try:
            await self.flush()
        finally:
            self._is_held = False
        self._hand_over()

    async def write(self, writes: Iterable[Write]) -> None:
        await self.publish_now(writes)
        await self.flush()

    async def publish_now(self, writes: Iterable[Write]) -> None:
        for write in writes:
            self.send(write.topic, write.key, write.value, write.partition)
        self._hand_over()
        await pause()

    def deliver_some(self) -> None:
        """Let a few records of one partition arrive."""
        if self.on_its_way:
            place = self._chance.choice(sorted(self.on_its_way))
            waiting = self.on_its_way[place]
            for _ in range(self._chance.randint(1, 3)):
                if waiting:
                    self._cluster.append(place, *waiting.popleft())
            if not waiting:
                del self.on_its_way[place]
            self.is_half_written = bool(self.on_its_way)

    def arrive_late(self) -> None:
        """Let what is on its way arrive, or just a part of it."""
        if self._chance.random() < 0.5:
            self.lose_some()
        while self.on_its_way:
            self.deliver_some()

    def lose_some(self) -> None:
        """Let a part of what is on its way arrive, in order per partition, and the rest never."""
        for place, waiting in self.on_its_way.items():
            for _ in range(self._chance.randint(0, len(waiting))):
                self._cluster.append(place, *waiting.popleft())
        self._has_failed = any(self.on_its_way.values())
        self.on_its_way.clear()

    def _hand_over(self) -> None:
        for place, sent in self._collected:
            self.on_its_way.setdefault(place, deque()).append(sent)
        self._collected = []

    async def flush(self) -> None:
        self._check()
        while self.on_its_way:
            await pause()
            self.deliver_some()
            self._check()
        self.is_half_written = False
        await pause()

    def _check(self) -> None:
        if self._has_failed:
            raise DeliveryFailed("too old to be sent")
