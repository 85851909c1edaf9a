"""How a history ended, and what one worker makes of its timeline when nothing interrupts it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.records import (
    LESSON_DECODER,
    TIMELINE_DECODER,
    CustomerEvent,
    Decision,
    Lesson,
    NextBestAction,
    Profile,
    Switch,
    Tick,
    TimelineRecord,
)
from schemas.topics import DECISIONS
from streams.core.state.codec import PARTITION_KEY
from streams.shell.kafka_records import Partition
from tests.simulation.cluster import LESSONS, PARTITIONS, TIMELINE
from tests.simulation.roles import SOURCES, PooledEngine, recovered
from tests.simulation.world import World
from tests.support.memory import MemoryStore

# Ids of events that a state remembers.
_REMEMBERED = 16


@dataclass(slots=True)
class Uninterrupted:
    """What one worker would have made of the timeline, had nothing happened to it."""

    states: dict[int, dict[str, bytes]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    actions: dict[str, NextBestAction] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)
    # Decision id -> its partition and offset.
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class WorkerExit:
    """A history that came to rest, as the laws look at it."""

    world: World
    events: dict[str, list[CustomerEvent]]
    timeline: dict[int, list[tuple[int, TimelineRecord]]]
    states: dict[int, dict[str, bytes]]
    alone: Uninterrupted

    def written(self, topic: str) -> dict[str, set[bytes]]:
        """Return every content that went out, by decision id."""
        found: dict[str, set[bytes]] = defaultdict(set)
        for record in self.world.cluster.logs[Partition(topic, 0)]:
            value = record.value or b""
            known = self.world.encoders.known.get(value) or LESSON_DECODER.decode(value)
            found[known.decision_id].add(value)
        return found

    def erased(self, customer: str) -> bool:
        return any(isinstance(e, Profile) and e.kind == "erasure" for e in self.events[customer])


def ending_of(world: World) -> WorkerExit:
    """Read what a world left on its topics, and play its timeline once, without interruption."""
    events: dict[str, list[CustomerEvent]] = defaultdict(list)
    for place in SOURCES:
        for record in world.cluster.logs[place]:
            event = TIMELINE_DECODER.decode(record.value or b"")
            assert not isinstance(event, Tick | Switch)
            events[event.customer].append(event)
    timeline = {
        number: [
            (record.offset, TIMELINE_DECODER.decode(record.value or b""))
            for record in world.cluster.logs[Partition(TIMELINE, number)]
        ]
        for number in range(PARTITIONS)
    }
    _note_repeats(world, timeline)
    states = {number: recovered(world.cluster, number) for number in range(PARTITIONS)}
    return WorkerExit(world, events, timeline, states, _uninterrupted(world, timeline))


def _note_repeats(world: World, timeline: dict[int, list[tuple[int, TimelineRecord]]]) -> None:
    """Count what came twice: there the laws have something to say."""
    for records in timeline.values():
        origins = [r.origin for _, r in records if not isinstance(r, Tick | Switch)]
        world.noted["event twice on the timeline"] += len(origins) - len(set(origins))
    for topic in (DECISIONS.name, LESSONS):
        values = [record.value for record in world.cluster.logs[Partition(topic, 0)]]
        world.noted[f"{topic} sent again"] += len(values) - len(set(values))


def _uninterrupted(
    world: World, timeline: dict[int, list[tuple[int, TimelineRecord]]]
) -> Uninterrupted:
    alone, engine = Uninterrupted(), PooledEngine()
    for number, records in timeline.items():
        store = MemoryStore()
        out = engine.advance(number, records, store)
        customers, whole = store.save()
        alone.states[number] = {**customers, PARTITION_KEY: whole}
        alone.decisions += out.decisions
        alone.actions |= {action.decision_id: action for action in out.actions}
        alone.lessons += out.lessons
        alone.places |= {d.decision_id: (number, 0) for d in out.decisions}
    return alone
