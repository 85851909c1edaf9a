"""The timeline read from its beginning, through the pure engine, in one process in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from models.protocol import ActionKey, Scorer
from models.snapshot.snapshot_codec import decode
from schemas.encoders import Encoders
from schemas.records import TIMELINE_DECODER, Decision, Lesson, NextBestAction, TimelineRecord
from schemas.topics import CATALOGUES, MODEL_SNAPSHOTS, TIMELINE
from schemas.wire import BUNDLED_IDS
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Engine
from streams.core.state.codec import PARTITION_KEY
from streams.worker.version_makers import catalogue_of, scorer_of
from tests.integration.world import PARTITIONS, World
from tests.support.memory import MemoryStore

# A worker's batches are cut by fetches; these elsewhere.
_BATCH = 777


@dataclass
class Replay:
    """What comes of a timeline: states as bytes, and outputs as the bytes of their topics."""

    states: dict[int, dict[str, bytes]] = field(default_factory=dict)
    actions: dict[str, bytes] = field(default_factory=dict)
    decisions: dict[str, bytes] = field(default_factory=dict)
    lessons: list[Lesson] = field(default_factory=list)
    published: list[NextBestAction] = field(default_factory=list)
    decided: list[Decision] = field(default_factory=list)


class PublishedVersions:
    """Catalogues and models as they stand on their topics."""

    def __init__(self, world: World) -> None:
        self._catalogues = newest(world.read(CATALOGUES))
        self._snapshots = newest(world.read(MODEL_SNAPSHOTS))
        self._made: dict[str, Catalogue] = {}

    def catalogue(self, version: str) -> Catalogue:
        if version not in self._made:
            self._made[version] = catalogue_of(version, self._catalogues[version])
        return self._made[version]

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        data = None if version is None else self._snapshots[f"{model}@{version}"]
        snapshot = None if data is None else decode(data)
        return scorer_of(model, version, snapshot, actions)


def replay(world: World, salt: str) -> Replay:
    """Return what the world's timeline leads to."""
    done, encoders = Replay(), Encoders(BUNDLED_IDS)
    engine = Engine(PublishedVersions(world), salt)
    for number, records in timeline(world).items():
        store = MemoryStore()
        for first in range(0, len(records), _BATCH):
            out = engine.advance(number, records[first : first + _BATCH], store)
            for action in out.actions:
                done.actions[action.decision_id] = encoders.action(action)
            for decision in out.decisions:
                done.decisions[decision.decision_id] = encoders.decision(decision)
            done.published += out.actions
            done.decided += out.decisions
            done.lessons += out.lessons
        customers, whole = store.save()
        done.states[number] = {**customers, PARTITION_KEY: whole}
    return done


def timeline(world: World) -> dict[int, list[tuple[int, TimelineRecord]]]:
    """Return the records of each partition of the timeline with their offsets."""
    found: dict[int, list[tuple[int, TimelineRecord]]] = {n: [] for n in range(PARTITIONS)}
    for message in world.read(TIMELINE):
        place = found[message.partition() or 0]
        place.append((message.offset() or 0, TIMELINE_DECODER.decode(message.value() or b"")))
    return found


def newest(messages: Sequence[Message]) -> dict[str, bytes]:
    """Return the last value of each key of a compacted topic; keys of others are left out."""
    found: dict[bytes, bytes] = {}
    for message in messages:
        key, value = message.key() or b"", message.value()
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return {key.decode(): value for key, value in found.items() if key.isascii()}


def contents(messages: Sequence[Message]) -> Mapping[bytes, set[bytes]]:
    """Return every content that was written under each key."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for message in messages:
        found[message.key() or b""].add(message.value() or b"")
    return found
