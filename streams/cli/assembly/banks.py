"""Models that learn: new ones and those of snapshots. With them comes River."""

from __future__ import annotations

import logging

from models.bank import Bank
from models.protocol import learns_from
from models.snapshot import restore
from models.snapshot_record import Snapshot
from streams.cli.assembly.models import PRIOR
from streams.core.features import FEATURE_NAMES, FEATURE_VERSION

log = logging.getLogger("concierge.models")


def new_model(name: str, partition: int) -> Bank:
    """Return a bank that has learned nothing; its name says with which learner it will."""
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
        "model %s@%s learned from features of another release: it is learned afresh",
        snapshot.model,
        snapshot.version,
    )
    bank = new_model(snapshot.model, snapshot.lessons_partition)
    bank.next_lesson_offset = snapshot.next_lesson_offset
    return bank
