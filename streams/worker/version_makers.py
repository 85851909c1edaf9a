"""Catalogues and scorers from the bytes of a published version."""

from __future__ import annotations

from collections.abc import Sequence

from models.protocol import ActionKey, Scorer
from models.scoring import linear_scorer, prior_scorer
from models.snapshot.snapshot_record import Snapshot
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURE_VERSION
from streams.shell.versions.catalogue_file import parse_catalogue

# The response rate of an action before anyone has answered it: a typical one.
PRIOR = 0.05


def catalogue_of(version: str, data: bytes) -> Catalogue:
    """Return a published catalogue."""
    return parse_catalogue(data, f"catalogue {version}")


def scorer_of(
    model: str, version: str | None, snapshot: Snapshot | None, actions: Sequence[ActionKey]
) -> Scorer:
    """Return the scorer of a published snapshot; without a snapshot an untrained one."""
    if snapshot is None or snapshot.feature_version != FEATURE_VERSION:
        # A release with other features learned it: its weights do not fit these features.
        return prior_scorer(actions, PRIOR)
    return linear_scorer(snapshot, actions, FEATURE_VERSION)
