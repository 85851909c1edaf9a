"""Published snapshots become scorers and banks; an unusable one is logged, counted and skipped.

An unusable snapshot never stops a worker. Decide uses the next older one, or an untrained scorer.
Learn goes back to the next older one, or to none, and learns the lessons since then again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from models.protocol import ActionKey, Scorer
from models.snapshot.snapshot_codec import decode
from models.snapshot.snapshot_record import Snapshot, SnapshotError
from streams.core.features.definitions import FEATURE_VERSION
from streams.shell.telemetry.metrics import SNAPSHOTS_REFUSED, Metrics
from streams.worker.version_makers import scorer_of

if TYPE_CHECKING:
    from models.learning.bank import Bank

# Reasons name versions, whose number grows: so many are remembered, and the oldest may repeat.
_MOST_LOGGED = 256

log = logging.getLogger("concierge.models")


class Snapshots:
    """Decodes and checks snapshots.

    `ends` are the offsets after the last lessons, by partition; a snapshot beyond is refused.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # What was logged already, the oldest first.
        self._logged: dict[tuple[str, str], None] = {}
        self.ends: Mapping[int, int] = {}

    def bank(self, model: str, data: bytes) -> Bank | None:
        """Return the model of a snapshot, None if it cannot be used."""
        # Imported here, because a worker that only decides creates no banks and needs no River.
        from streams.worker.new_models import restored_model

        try:
            snapshot = self._of(model, data)
            if snapshot is None:
                return None
            end = self.ends.get(snapshot.lessons_partition, 0)
            if snapshot.next_lesson_offset > end:
                why = f"{_name(snapshot)} has learned more lessons than there are ({end})"
                self._refuse(model, "foreign", f"{why}: it is another installation's")
                return None
            if snapshot.feature_version != FEATURE_VERSION:
                self._refuse(model, "features", f"{_name(snapshot)} knows other features")
            return restored_model(snapshot)
        except SnapshotError as error:
            self._refuse(model, "damaged", str(error))
            return None

    def scorer(
        self, model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
    ) -> Scorer | None:
        """Return the scorer of a snapshot, an untrained one without; None if it cannot be used."""
        try:
            snapshot = None if data is None else self._of(model, data)
            if data is not None and snapshot is None:
                return None
            if snapshot is not None and snapshot.feature_version != FEATURE_VERSION:
                self._refuse(model, "features", f"{_name(snapshot)} knows other features")
            return scorer_of(model, version, snapshot, actions)
        except SnapshotError as error:
            self._refuse(model, "damaged", f"version {version}: {error}")
            return None

    def _of(self, model: str, data: bytes) -> Snapshot | None:
        snapshot = decode(data)
        if snapshot.model == model:
            return snapshot
        self._refuse(model, "foreign", f"{_name(snapshot)} was published under its name")
        return None

    def _refuse(self, model: str, reason: str, why: str) -> None:
        self._metrics.add(SNAPSHOTS_REFUSED, 1, reason)
        if (model, why) not in self._logged:
            self._logged[model, why] = None
            if len(self._logged) > _MOST_LOGGED:
                del self._logged[next(iter(self._logged))]
            log.error("a snapshot of model %s is not used: %s", model, why)


def _name(snapshot: Snapshot) -> str:
    return f"{snapshot.model}@{snapshot.version}"
