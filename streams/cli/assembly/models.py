"""How versions are made: catalogues, scorers and banks, from the bytes that were published."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from models.bank import Bank
from models.protocol import ActionKey, Scorer, learns_from
from models.scorer import linear_scorer, prior_scorer
from models.snapshot import restore
from models.snapshot_codec import decode
from streams.core.catalogue import Catalogue
from streams.core.features import FEATURE_NAMES, FEATURE_VERSION
from streams.runtime.catalogue_file import parse_catalogue

# What we believe of an action before anybody has answered it: a typical response rate.
PRIOR = 0.05

log = logging.getLogger("concierge.models")


def catalogue_of(version: str, data: bytes) -> Catalogue:
    """Return a published catalogue."""
    return parse_catalogue(data, f"catalogue {version}")


def scorer_of(
    model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
) -> Scorer:
    """Return the scorer of a published snapshot; the untrained one without."""
    snapshot = None if data is None else decode(data)
    if snapshot is None or snapshot.feature_version != FEATURE_VERSION:
        # Learned by a release with other features: its weights mean nothing here.
        return prior_scorer(actions, PRIOR)
    return linear_scorer(snapshot, actions, FEATURE_VERSION)


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


def restored_model(data: bytes) -> Bank:
    """Return the bank of a snapshot; one of other features is begun anew at the same lesson."""
    snapshot = decode(data)
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
