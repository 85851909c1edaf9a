"""The whole road in memory: gate, engine and learning, with no broker and no event loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from models.learning.bank import Bank
from models.learning.capture import Snapshot, take
from models.protocol import ActionKey, Scorer
from models.scoring import LinearScorer, prior_scorer
from schemas.bundled import bundled_schemas
from schemas.records import (
    CATALOGUE,
    MODEL,
    Decision,
    Origin,
    Rejection,
    Switch,
    Tick,
    TimelineRecord,
)
from schemas.wire import encode_event
from streams.core.admission.admit import admit
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Engine, Outputs
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION, FEATURES
from streams.core.moments import MOMENTS
from streams.demo.kafka_road import rounds
from streams.demo.story import StoryDecision
from streams.feed.sent_event import Sent
from tests.support.checkout import ROOT
from tests.support.memory import MemoryStore

SHOP = ROOT / "deploy" / "catalogue" / "shop.yaml"


def shop() -> Catalogue:
    """Return the shop's catalogue that comes with the project."""
    return load_catalogue(SHOP.read_text("utf-8"), SHOP.name, FEATURES, MOMENTS)


class LearnedVersions:
    """A catalogue, and every model version that was snapshot so far."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.snapshots: dict[str, Snapshot] = {}

    def catalogue(self, version: str) -> Catalogue:
        if version != self._catalogue.version:
            raise KeyError(version)
        return self._catalogue

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        if version is None:
            return prior_scorer(actions, 0.05)
        return LinearScorer(self.snapshots[version], actions)


class LoopbackRoad:
    """A `Road` of `partitions` timelines. With `learn` False the model stays untrained."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        partitions: int = 4,
        learn: bool = True,
        snapshot_every: int = 200,
        salt: str = "loopback",
    ) -> None:
        self._versions = LearnedVersions(catalogue)
        self._engine = Engine(self._versions, salt)
        self.stores = [MemoryStore() for _ in range(partitions)]
        self._offsets = [0] * partitions
        self._written: Counter[str] = Counter()
        self._learn, self._snapshot_every = learn, snapshot_every
        self.bank = Bank(catalogue.model, FEATURE_VERSION, FEATURE_NAMES)
        self._lessons = 0
        self._last_version = 0
        self._out = Outputs()
        self.rejections: list[Rejection] = []
        self.decisions: list[Decision] = []
        self._everywhere(Switch("catalogue", CATALOGUE, catalogue.version))

    @property
    def snapshots(self) -> list[Snapshot]:
        """Every model version that was put into use, in order."""
        return list(self._versions.snapshots.values())

    @property
    def model_versions(self) -> int:
        """How many versions were put into use."""
        return len(self._versions.snapshots)

    def send(self, events: Sequence[Sent]) -> None:
        for together in rounds(events):
            self._send_round(together)

    def _send_round(self, events: Sequence[Sent]) -> None:
        batches: dict[int, list[tuple[int, TimelineRecord]]] = {}
        for topic, event in events:
            value = encode_event(topic, event)
            origin = Origin(topic, 0, self._written[topic], event["occurred_at"])
            self._written[topic] += 1
            record = admit(topic, value, origin, bundled_schemas())
            if isinstance(record, Rejection):
                self.rejections.append(record)
                continue
            partition = self._partition_of(record.customer)
            batches.setdefault(partition, []).append((self._offsets[partition], record))
            self._offsets[partition] += 1
        for partition, batch in batches.items():
            self._take(self._engine.advance(partition, batch, self.stores[partition]))

    def pass_time(self, at_ms: int) -> StoryDecision:
        self._everywhere(Tick(at_ms))
        out, self._out = self._out, Outputs()
        self.decisions += out.decisions
        for lesson in out.lessons:
            self.bank.learn_one(lesson, self._lessons)
            self._lessons += 1
        if self._learn and self._lessons >= self._last_version + self._snapshot_every:
            snapshot = take(self.bank)
            self._versions.snapshots[snapshot.version] = snapshot
            self._last_version = self._lessons
            self._everywhere(Switch(MODEL, self.bank.name, snapshot.version))
        return StoryDecision(out.actions, out.decisions)

    def _everywhere(self, record: Tick | Switch) -> None:
        for partition, store in enumerate(self.stores):
            offset = self._offsets[partition]
            self._offsets[partition] += 1
            self._take(self._engine.advance(partition, [(offset, record)], store))

    def _take(self, out: Outputs) -> None:
        self._out.actions += out.actions
        self._out.decisions += out.decisions
        self._out.lessons += out.lessons
        self._out.notes += out.notes

    def _partition_of(self, customer: str) -> int:
        digest = blake2b(customer.encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") % len(self.stores)
