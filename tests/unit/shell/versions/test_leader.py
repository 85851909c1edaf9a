"""The leader publishes the catalogue before its switch, ticks, and stops when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from schemas.records import TIMELINE_DECODER, Switch, Tick
from streams.shell.kafka_records import Write
from streams.shell.versions.leader import CatalogueText, Leader, Timeline
from tests.support.patience import PATIENCE_S
from tests.unit.agents.agents_world import KeepingOutbox


class World:
    def __init__(self, *, ticks: bool = True) -> None:
        self.outbox = KeepingOutbox()
        self.catalogue: CatalogueText | None = CatalogueText("v1", b"name: shop")
        self.written: list[Write] = []
        self.sent_before_written: list[int] = []
        self.failures: list[BaseException] = []
        self.leader = Leader(
            self.outbox,
            Timeline("timeline", 3),
            "catalogues",
            now_ms=(lambda: 42) if ticks else None,
            catalogue=lambda: self.catalogue,
            write=self.write,
            failed=self.failures.append,
            interval_s=0.001,
        )

    async def write(self, writes: Sequence[Write]) -> None:
        self.sent_before_written.append(len(self.outbox.published))
        self.written += writes

    def records(self) -> list[object]:
        return [TIMELINE_DECODER.decode(sent.value or b"") for sent in self.outbox.published]

    async def until(self, wanted: object, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.records().count(wanted) < count:
                await asyncio.sleep(0.001)


def test_a_catalogue_is_acknowledged_before_anybody_is_switched_to_it() -> None:
    async def scenario() -> None:
        world = World()
        await world.leader.lead()
        world.leader.follow()
        assert world.written == [Write("catalogues", b"v1", b"name: shop")]
        assert world.sent_before_written == [0]
        assert world.records() == [Switch("catalogue", "catalogue", "v1")] * 3
        assert [sent.partition for sent in world.outbox.published] == [0, 1, 2]

    asyncio.run(scenario())


def test_every_partition_hears_the_time() -> None:
    async def scenario() -> None:
        world = World()
        await world.leader.lead()
        await world.until(Tick(42), 6)
        world.leader.follow()
        assert world.records().count(Switch("catalogue", "catalogue", "v1")) == 3

    asyncio.run(scenario())


def test_an_edited_catalogue_is_published_while_leading() -> None:
    async def scenario() -> None:
        world = World()
        await world.leader.lead()
        world.catalogue = CatalogueText("v2", b"name: new")
        await world.until(Switch("catalogue", "catalogue", "v2"), 3)
        world.leader.follow()

    asyncio.run(scenario())


def test_without_a_wall_clock_nobody_hears_the_time_from_here() -> None:
    async def scenario() -> None:
        world = World(ticks=False)
        await world.leader.lead()
        world.catalogue = CatalogueText("v2", b"name: new")
        await world.until(Switch("catalogue", "catalogue", "v2"), 3)
        world.leader.follow()
        assert Tick(42) not in world.records()

    asyncio.run(scenario())


def test_who_follows_is_silent() -> None:
    async def scenario() -> None:
        world = World()
        await world.leader.lead()
        world.leader.follow()
        before = len(world.outbox.published)
        await asyncio.sleep(0.01)
        assert len(world.outbox.published) == before

    asyncio.run(scenario())


def test_a_catalogue_that_cannot_be_published_stops_the_worker() -> None:
    async def scenario() -> None:
        world = World()
        await world.leader.lead()

        async def refuse(writes: Sequence[Write]) -> None:
            raise OSError("no broker")

        world.leader._write = refuse
        world.catalogue = CatalogueText("v2", b"name: new")
        async with asyncio.timeout(PATIENCE_S):
            while not world.failures:
                await asyncio.sleep(0.001)
        assert str(world.failures[0]) == "no broker"

    asyncio.run(scenario())
