"""The three roles: decide and learn are the product's own, over cheap models; intake is a line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any, cast

import msgspec

from models.learning.bank import Bank
from models.lesson_result import LearnerProgress
from models.protocol import ActionKey, Scorer
from models.scoring import prior_scorer
from schemas.records import ENCODER, Decision, Lesson, NextBestAction, Switch
from streams.agents.decide import Decide
from streams.agents.learn import Learn, LearnOptions, ModelStore
from streams.core.catalogue.values import Catalogue
from streams.core.decision.decider import Decider
from streams.core.engine.deciders import Deciders
from streams.core.engine.engine import Engine
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.core.state.partition import PartitionState
from streams.shell.kafka_records import Chunk, Partition
from streams.shell.runner.checkpoint import Cut
from streams.shell.state.changelog import keep_newest, without_stamps
from streams.shell.state.partition_store import StateCodec
from streams.shell.state.partitions import Partitions
from streams.shell.versions.leader import Timeline
from tests.simulation.cluster import CHANGELOG, PARTITIONS, SNAPSHOTS, TIMELINE, Cluster
from tests.simulation.loop import pause
from tests.simulation.post import Post
from tests.simulation.shop import CATALOGUES
from tests.support.shops import LeaningScorer

SALT = "simulated"
SOURCES = [
    Partition(topic, partition)
    for topic in ("clickstream", "purchases", "support", "profile", "outcomes")
    for partition in range(2)
]
LEADS = Partition("clickstream", 0)
# One engine's share of a budget, as the worker's assembly gives it.
SHARE = 1 / PARTITIONS
_EVERY_LESSONS, _INTERVAL_MS, _KEEP = 3, 3_600_000, 64
MODEL = CATALOGUES[0].model
_BY_VERSION = {catalogue.version: catalogue for catalogue in CATALOGUES}
# Deciders hold nothing between waves, and are dear to make.
_DECIDERS: dict[tuple[str, str | None], Decider] = {}


class CheapVersions:
    """Every model version leans elsewhere, so that deciding under a wrong one shows."""

    def catalogue(self, version: str) -> Catalogue:
        return _BY_VERSION[version]

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        return prior_scorer(actions, 0.05) if version is None else LeaningScorer(version, actions)


class PooledDeciders(Deciders):
    """Deciders that all engines share."""

    def at(self, known: PartitionState, offset: int) -> Decider | None:
        version = known.version("catalogue", "catalogue", offset)
        key = (version or "", known.version("model", MODEL, offset))
        found = _DECIDERS.get(key) or super().at(known, offset)
        if found is not None:
            _DECIDERS[key] = found
        return found


class PooledEngine(Engine):
    """The engine, sharing its deciders with all others."""

    def __init__(self) -> None:
        super().__init__(CheapVersions(), SALT, SHARE)
        self._deciders = PooledDeciders(CheapVersions(), SALT)


class CheapBank(Bank):
    """A bank that remembers which lessons it learned, and learns nothing from them."""

    def __init__(self, name: str, partition: int) -> None:
        super().__init__(name, FEATURE_VERSION, FEATURE_NAMES, lessons_partition=partition)
        self.learned: list[str] = []

    def _learn(self, lesson: Lesson) -> LearnerProgress:
        self.learned.append(lesson.decision_id)
        return LearnerProgress(self.prior, lesson.label == 1.0)

    def save(self) -> tuple[str, bytes]:
        """Return the version and the snapshot."""
        kept = (self.lessons_partition, self.next_lesson_offset, self.taught, self.learned)
        return f"{self.next_lesson_offset:012}", ENCODER.encode(kept)

    @classmethod
    def load(cls, name: str, data: bytes) -> CheapBank:
        partition, next_offset, taught, learned = msgspec.msgpack.decode(data)
        bank = cls(name, partition)
        bank.next_lesson_offset, bank.learned = next_offset, learned
        bank.taught = {int(number): tuple(order) for number, order in taught.items()}
        return bank


class Encoders:
    """Outputs as bytes, and what they were."""

    def __init__(self) -> None:
        self.known: dict[bytes, Any] = {}

    def action(self, action: NextBestAction) -> bytes:
        return self._keep(action)

    def decision(self, decision: Decision) -> bytes:
        return self._keep(decision)

    def _keep(self, record: object) -> bytes:
        # What a decision holds as packed numbers goes out as a list.
        value = msgspec.msgpack.encode(record, enc_hook=list)
        self.known[value] = record
        return value


class Published:
    """Waits for a version as the product does; here a switch never comes before what it names."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def available(self, kind: str, name: str, version: str) -> None:
        if kind == "model":
            key = f"{name}@{version}".encode()
            log = self._cluster.logs[Partition(SNAPSHOTS, 0)]
            assert any(record.key == key for record in log), f"switched to {version} too early"


class Intake:
    """Passes what is read on to the timeline; leads where the first clicks are its own."""

    name = "intake"
    topics = tuple(sorted({place.topic for place in SOURCES}))

    def __init__(self, post: Post, in_use: list[Switch]) -> None:
        self._post = post
        self._in_use = in_use
        self.leads = False

    async def work(self, *chunks: Chunk) -> None:
        for chunk in chunks:
            for record in chunk.records:
                self._post.send(TIMELINE, record.key, record.value)
        await self._post.publish()

    async def assigned(
        self, positions: Mapping[Partition, int], new: Collection[Partition]
    ) -> Mapping[Partition, int]:
        if LEADS in positions:
            self.leads = True
            Timeline(TIMELINE, PARTITIONS).send_to_all(self._post, self._in_use[-1])
            await self._post.publish()
        return positions

    def revoked(self) -> None:
        self.leads = False

    def encode_ahead(self, most: int) -> int:
        return 0

    def cut(self, positions: Mapping[Partition, int]) -> Cut:
        return Cut(positions)

    def written(self, cut: Cut) -> None: ...


def recovered(cluster: Cluster, number: int) -> dict[str, bytes]:
    """Return every key's newest payload of a changelog partition."""
    states: dict[str, bytes] = {}
    for record in cluster.logs[Partition(CHANGELOG, number)]:
        keep_newest(states, record.key or b"", record.value)
    without_stamps(states)
    return states


def make_decide(cluster: Cluster, post: Post, encoders: Encoders, chance: Random) -> Decide:
    """Return the product's role over its own store."""

    async def read_states(numbers: Sequence[int]) -> Mapping[int, dict[str, bytes]]:
        await pause()
        return {number: recovered(cluster, number) for number in numbers}

    hot_limit = chance.choice((1, 50_000))
    return Decide(
        PooledEngine(),
        Partitions(CHANGELOG, StateCodec(), hot_limit),
        Published(cluster),
        post,
        encoders=encoders,
        read_states=read_states,
        dead_letters=cast(Any, None),
    )


def make_learn(cluster: Cluster, post: Post, now_ms: Any) -> Learn:
    """Return the product's role over cheap banks."""

    async def published() -> dict[str, dict[str, bytes]]:
        await pause()
        found: dict[str, dict[str, bytes]] = {}
        for record in cluster.logs[Partition(SNAPSHOTS, 0)]:
            name, version = (record.key or b"").decode().split("@")
            found.setdefault(name, {})[version] = record.value or b""
        return found

    models = ModelStore(
        CheapBank, CheapBank.load, lambda bank: cast(CheapBank, bank).save(), published
    )
    timeline = Timeline(TIMELINE, PARTITIONS)
    options = LearnOptions(_EVERY_LESSONS, _INTERVAL_MS, _KEEP)
    return Learn(models, post, timeline, now_ms, options)
