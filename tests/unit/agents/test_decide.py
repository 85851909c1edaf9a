"""Decide sends what the engine says, waits for versions, and recovers what it had."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from schemas.records import (
    ENCODER,
    LESSON_DECODER,
    Decision,
    Lesson,
    NextBestAction,
    Switch,
    Tick,
)
from streams.agents.dead_letter_outlet import DeadLetterRate, DeadLetters
from streams.agents.decide import BATCH, Decide, versions_from
from streams.core.engine.engine import Batch, Outputs
from streams.core.state.codec import PARTITION_KEY, encode_customer, encode_partition
from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.partition import (
    PartitionState,
    SwitchedVersion,
)
from streams.shell.kafka_records import Partition
from streams.shell.state import stamp
from streams.shell.state.partition_store import StateCodec
from streams.shell.state.partitions import Partitions
from tests.unit.agents.agents_world import KeepingOutbox, chunk

PLACE = Partition("timeline", 0)


def lesson() -> Lesson:
    return Lesson(
        model="main",
        action="gift",
        family=None,
        issue="sell",
        decision_id="d1",
        feature_version="v1",
        features=[1.0],
        label=1.0,
        action_probability=0.5,
        decided_at_ms=1,
        settled_at_ms=2,
    )


class FakeEngine:
    def __init__(self) -> None:
        self.advanced: list[list[int]] = []
        self.due: dict[int, list[tuple[str, int]]] = {}
        self.outputs = Outputs()

    def recover(self, partition: int, due_times: Iterable[tuple[str, int]]) -> None:
        self.due[partition] = list(due_times)

    def forget(self, partition: int) -> None:
        del self.due[partition]

    def advance_all(self, batches: Sequence[Batch]) -> list[Outputs]:
        for batch in batches:
            self.advanced.append([offset for offset, _ in batch.records])
            batch.store.put("anna", CustomerState())
        return [self.outputs for _ in batches]


class FakeVersions:
    def __init__(self) -> None:
        self.awaited: list[tuple[str, str, str]] = []

    async def available(self, kind: str, name: str, version: str) -> None:
        self.awaited.append((kind, name, version))


class Encoders:
    def action(self, action: NextBestAction) -> bytes:
        return action.decision_id.encode()

    def decision(self, decision: Decision) -> bytes:
        return decision.decision_id.encode()


class World:
    def __init__(self, states: Mapping[str, bytes] | None = None) -> None:
        self.engine, self.versions, self.outbox = FakeEngine(), FakeVersions(), KeepingOutbox()
        self.partitions = Partitions("changelog", StateCodec(), 10)
        letters = DeadLetters(self.outbox, DeadLetterRate(10, 1_000), lambda: 0, "1.0")

        async def read(partitions: Sequence[int]) -> Mapping[int, dict[str, bytes]]:
            return {number: dict(states or {}) for number in partitions}

        self.role = Decide(
            self.engine,
            self.partitions,
            self.versions,
            self.outbox,
            encoders=Encoders(),
            read_states=read,
            dead_letters=letters,
        )


def test_lessons_leave_under_their_model_at_once() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        world.engine.outputs = Outputs(lessons=[lesson()])
        await world.role.work(chunk("timeline", [ENCODER.encode(Tick(1))]))
        (sent,) = world.outbox.to("lessons")
        assert (sent.key, LESSON_DECODER.decode(sent.value or b"")) == (b"main", lesson())

    asyncio.run(scenario())


def test_the_version_a_switch_names_is_there_before_the_engine_meets_it() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        switch = Switch(kind="model", name="main", version="7")
        await world.role.work(chunk("timeline", [ENCODER.encode(switch)]))
        assert world.versions.awaited == [("model", "main", "7")]
        assert world.engine.advanced == [[0]]

    asyncio.run(scenario())


def test_a_foreign_timeline_record_becomes_a_dead_letter() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        await world.role.work(chunk("timeline", [b"\x00?", None, ENCODER.encode(Tick(1))]))
        assert len(world.outbox.to("dead-letters")) == 2
        assert world.engine.advanced == [[2]]

    asyncio.run(scenario())


def test_a_stop_that_no_longer_waits_for_a_long_chunk_does_not_fail_it() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        many = [ENCODER.encode(Tick(n + 1)) for n in range(BATCH + 1)]
        working = asyncio.create_task(world.role.work(chunk("timeline", many)))
        await asyncio.sleep(0)
        world.role.revoked()
        await working
        assert [len(each) for each in world.engine.advanced] == [BATCH, 1]

    asyncio.run(scenario())


def test_recovery_gives_the_engine_its_timers_and_a_revoke_takes_all() -> None:
    async def scenario() -> None:
        states = {
            "anna": encode_customer(CustomerState()),
            PARTITION_KEY: encode_partition(PartitionState()),
        }
        world = World(states)
        await world.role.assigned({PLACE: 9}, {})
        assert world.engine.due == {0: [("anna", 0)]}
        assert world.partitions[0].get("anna") is not None
        world.role.revoked()
        assert world.engine.due == {}
        assert list(world.partitions) == []

    asyncio.run(scenario())


def test_a_cut_holds_the_changed_customers_stamped_with_the_next_offset() -> None:
    async def scenario() -> None:
        world = World()
        await world.role.assigned({PLACE: 0}, {})
        await world.role.work(chunk("timeline", [ENCODER.encode(Tick(1))]))
        ((*writes,),) = world.role.cut({PLACE: 1}).stages
        assert {write.key: stamp.unpack(write.value or b"")[0] for write in writes} == {
            b"anna": 1,
            PARTITION_KEY.encode(): 1,
        }
        assert {write.partition for write in writes} == {0}

    asyncio.run(scenario())


def test_of_old_switches_only_those_that_can_still_be_asked_for_are_awaited() -> None:
    switches = [
        SwitchedVersion(offset, "model", "main", version)
        for offset, version in [(10, "1"), (20, "2"), (30, "3"), (40, "4")]
    ]
    known = PartitionState(switches=switches)
    assert [version for _, _, version in versions_from(known, 25)] == ["2", "3", "4"]
    assert [version for _, _, version in versions_from(known, 100)] == ["4"]
