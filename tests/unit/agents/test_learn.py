"""Learn publishes what is due, names it on the timeline, and goes on from the newest snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from schemas.records import ENCODER, TIMELINE_DECODER, Lesson, Switch
from streams.agents.learn import ForeignLesson, Learn, LearnOptions, ModelStore
from streams.shell.kafka_records import Partition
from streams.shell.versions.leader import Timeline
from tests.unit.agents.agents_world import KeepingOutbox, chunk
from tests.unit.agents.test_decide import lesson

PLACE = Partition("lessons", 2)


class Tally:
    """A model that counts."""

    def __init__(self, name: str, partition: int, next_offset: int = 0, total: int = 0) -> None:
        self.name, self.lessons_partition = name, partition
        self.next_lesson_offset, self.total = next_offset, total

    def learn_one(self, lesson: Lesson, offset: int) -> object:
        if offset >= self.next_lesson_offset:
            self.next_lesson_offset, self.total = offset + 1, self.total + 1
        return None


def snapshot(model: object) -> tuple[str, bytes]:
    assert isinstance(model, Tally)
    state = f"{model.name} {model.lessons_partition} {model.next_lesson_offset} {model.total}"
    return f"{model.next_lesson_offset:012d}", state.encode()


def restore(model: str, data: bytes) -> Tally | None:
    if data == b"damaged":
        return None
    name, partition, next_offset, total = data.decode().split()
    return Tally(name, int(partition), int(next_offset), int(total))


class World:
    def __init__(
        self, published: Mapping[str, Mapping[str, bytes]] | None = None, keep: int = 2
    ) -> None:
        self.now_ms = 0
        self.outbox = KeepingOutbox()

        async def read() -> Mapping[str, Mapping[str, bytes]]:
            return published or {}

        self.role = Learn(
            ModelStore(Tally, restore, snapshot, read),
            self.outbox,
            Timeline("timeline", 2),
            lambda: self.now_ms,
            LearnOptions(every_lessons=3, interval_ms=1_000, keep=keep),
        )

    async def learn(self, first: int, count: int) -> None:
        values = [ENCODER.encode(lesson())] * count
        await self.role.work(chunk("lessons", values, first, partition=2))


def test_a_snapshot_comes_first_and_the_switches_to_it_after() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        await world.learn(0, 3)
        cut = world.role.cut({PLACE: 3})
        snapshots, announcements = cut.stages
        assert [(w.topic, w.key) for w in snapshots] == [("model-snapshots", b"main@000000000003")]
        assert [w.partition for w in announcements] == [0, 1]
        switch = TIMELINE_DECODER.decode(next(iter(announcements)).value or b"")
        assert switch == Switch("model", "main", "000000000003")
        assert cut.positions == {PLACE: 3}

    asyncio.run(scenario())


def test_lessons_without_a_snapshot_are_not_committed() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 5}, {})
        await world.learn(5, 2)
        cut = world.role.cut({PLACE: 7})
        assert (cut.positions, cut.stages) == ({PLACE: 5}, ())

    asyncio.run(scenario())


def test_a_few_lessons_wait_no_longer_than_the_interval() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        await world.learn(0, 1)
        world.now_ms = 1_000
        assert len(world.role.cut({PLACE: 1}).stages) == 2

    asyncio.run(scenario())


def test_a_snapshot_that_was_never_written_is_due_again() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        await world.learn(0, 3)
        first = world.role.cut({PLACE: 3})
        assert world.role.cut({PLACE: 3}).stages == first.stages
        world.role.written(first)
        assert world.role.cut({PLACE: 3}).stages == ()

    asyncio.run(scenario())


@pytest.mark.parametrize("keep", [2, 3, 4, 7])
def test_as_many_versions_stand_as_are_to_be_kept_and_no_fewer(keep: int) -> None:
    async def scenario() -> None:
        world, standing = World(keep=keep), list[bytes | None]()
        await world.role.assigned({PLACE: 0}, {})
        for number in range(10):
            await world.learn(3 * number, 3)
            cut = world.role.cut({PLACE: 3 * number + 3})
            for write in (w for stage in cut.stages for w in stage if w.topic == "model-snapshots"):
                if write.value is None:
                    standing.remove(write.key)
                else:
                    standing.append(write.key)
            world.role.written(cut)
            assert len(standing) == min(number + 1, keep)

    asyncio.run(scenario())


def test_old_versions_get_tombstones() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        dropped = []
        for first in (0, 3, 6):
            await world.learn(first, 3)
            cut = world.role.cut({PLACE: first + 3})
            dropped += [w.key for w in cut.stages[1] if w.topic == "model-snapshots"]
            assert all(w.value is None for w in cut.stages[1] if w.topic == "model-snapshots")
            world.role.written(cut)
        assert dropped == [b"main@000000000003"]

    asyncio.run(scenario())


def test_learning_goes_on_from_the_newest_snapshot_and_says_which_it_is() -> None:
    async def scenario() -> None:
        versions = {"000000000004": b"main 2 4 4", "000000000010": b"main 2 10 10"}
        world = World({"main": versions, "other": {"000000000001": b"other 0 1 1"}})
        starts = await world.role.assigned({PLACE: 3}, {})
        assert starts == {PLACE: 3}
        switches = [TIMELINE_DECODER.decode(sent.value or b"") for sent in world.outbox.published]
        assert switches == [Switch("model", "main", "000000000010")] * 2
        await world.learn(3, 10)
        ((*_, written),) = world.role.cut({PLACE: 13}).stages[:1]
        assert written.value == b"main 2 13 13"

    asyncio.run(scenario())


def test_a_foreign_lesson_stops_the_worker() -> None:
    with pytest.raises(ForeignLesson, match="lessons/0 offset 0"):
        asyncio.run(World().role.work(chunk("lessons", [b"?"])))


def test_a_restart_loses_no_lesson_of_a_model_that_has_no_snapshot_yet() -> None:
    async def scenario() -> None:
        world = World({"main": {"000000000007": b"main 2 7 7"}})
        # "other" has a lesson at 3 that no snapshot holds, so the group has committed only 3.
        assert await world.role.assigned({PLACE: 3}, {}) == {PLACE: 3}

    asyncio.run(scenario())


def test_a_model_without_new_lessons_holds_no_offset_back() -> None:
    async def scenario() -> None:
        world = World({"idle": {"000000000003": b"idle 2 3 3"}})
        await world.role.assigned({PLACE: 3}, {})
        await world.learn(3, 3)
        cut = world.role.cut({PLACE: 6})
        world.role.written(cut)
        assert cut.positions == {PLACE: 6}

    asyncio.run(scenario())


def test_a_damaged_snapshot_is_passed_over_and_its_lessons_are_learned_again() -> None:
    async def scenario() -> None:
        versions = {"000000000004": b"main 2 4 4", "000000000010": b"damaged"}
        world = World({"main": versions})
        assert await world.role.assigned({PLACE: 10}, ()) == {PLACE: 4}
        [switch, _] = [
            TIMELINE_DECODER.decode(sent.value or b"") for sent in world.outbox.published
        ]
        assert switch == Switch("model", "main", "000000000004")
        await world.learn(4, 6)
        cut = world.role.cut({PLACE: 10})
        assert next(iter(cut.stages[0])).value == b"main 2 10 10"

    asyncio.run(scenario())


def test_without_any_usable_snapshot_every_lesson_is_learned_again() -> None:
    async def scenario() -> None:
        world = World({"main": {"000000000010": b"damaged"}})
        assert await world.role.assigned({PLACE: 10, Partition("lessons", 3): 7}, ()) == {
            PLACE: 0,
            Partition("lessons", 3): 0,
        }

    asyncio.run(scenario())
