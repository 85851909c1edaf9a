"""What the engine asks for by version: catalogues and scorers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models.protocol import ActionKey, Scorer
from streams.core.catalogue.values import Catalogue


class Versions(Protocol):
    """Every version that a switch record named must be at hand when the engine meets it."""

    def catalogue(self, version: str) -> Catalogue:
        """Return a catalogue; raises `KeyError` for a version that is not at hand."""

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        """Return a scorer for the actions, in this order.

        Without a version it is the untrained one. Raises `KeyError` for an unknown version.
        """
