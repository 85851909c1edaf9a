"""How versions are made: catalogues and scorers, from the bytes that were published."""

from __future__ import annotations

from collections.abc import Sequence

from models.protocol import ActionKey, Scorer
from models.scoring import linear_scorer, prior_scorer
from models.snapshot.snapshot_record import Snapshot
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURE_VERSION
from streams.shell.versions.catalogue_file import parse_catalogue

# What we believe of an action before anybody has answered it: a typical response rate.
PRIOR = 0.05


def catalogue_of(version: str, data: bytes) -> Catalogue:
    """Return a published catalogue."""
    return parse_catalogue(data, f"catalogue {version}")


def scorer_of(
    model: str, version: str | None, snapshot: Snapshot | None, actions: Sequence[ActionKey]
) -> Scorer:
    """Return the scorer of a published snapshot; the untrained one without."""
    if snapshot is None or snapshot.feature_version != FEATURE_VERSION:
        # Learned by a release with other features: its weights mean nothing here.
        return prior_scorer(actions, PRIOR)
    return linear_scorer(snapshot, actions, FEATURE_VERSION)
