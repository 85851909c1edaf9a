"""Models that learn: new ones and those of snapshots. This module imports River."""

from __future__ import annotations

import logging

from models.learning.bank import Bank
from models.learning.capture import restore
from models.protocol import learns_from
from models.snapshot.snapshot_record import Snapshot
from streams.core.features.definitions import FEATURE_NAMES, FEATURE_VERSION
from streams.worker.version_makers import PRIOR

log = logging.getLogger("concierge.models")


def new_model(name: str, partition: int) -> Bank:
    """Return an untrained bank; its name contains the learner."""
    _, learner = learns_from(name)
    return Bank(
        name,
        FEATURE_VERSION,
        FEATURE_NAMES,
        prior=PRIOR,
        learner=learner,
        lessons_partition=partition,
    )


def restored_model(snapshot: Snapshot) -> Bank:
    """Return the bank of a snapshot; one of other features starts untrained at the same lesson."""
    if snapshot.feature_version == FEATURE_VERSION:
        return restore(snapshot)
    log.warning(
        "model %s@%s learned from features of another release: it starts untrained",
        snapshot.model,
        snapshot.version,
    )
    bank = new_model(snapshot.model, snapshot.lessons_partition)
    bank.next_lesson_offset = snapshot.next_lesson_offset
    return bank
