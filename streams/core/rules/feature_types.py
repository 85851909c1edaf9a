"""What a rule must know of a feature: number or flag, its unit and its range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class DeclaredFeature(Protocol):
    """A declared feature, as far as rules go.

    `kind` is "number" or "flag" (0 or 1); `low` and `high` (inclusive) bound what a column holds.
    """

    @property
    def kind(self) -> str:
        """Return "number" or "flag"."""

    @property
    def unit(self) -> str:
        """Return the unit, its noun before the first comma; may be empty."""

    @property
    def low(self) -> float:
        """Return the least value."""

    @property
    def high(self) -> float:
        """Return the greatest value."""

    @property
    def words(self) -> Mapping[str, float]:
        """Return the names of values, which a rule may write instead of the number; often none."""

    @property
    def instead(self) -> str | None:
        """Return the feature that a rule should read in its place, None where this is the one."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """A feature of which only the kind is known: any number, or a flag."""

    kind: str
    unit: str = ""

    @property
    def low(self) -> float:
        """Return the least value."""
        return 0.0 if self.kind == "flag" else -math.inf

    @property
    def high(self) -> float:
        """Return the greatest value."""
        return 1.0 if self.kind == "flag" else math.inf

    @property
    def words(self) -> Mapping[str, float]:
        """Return no names of values."""
        return {}

    @property
    def instead(self) -> str | None:
        """Return no other feature."""
        return None


Features = Mapping[str, DeclaredFeature | str]
"""DeclaredFeature features by name; a bare kind stands for a feature of unknown unit and range."""


def declared(features: Features, name: str) -> DeclaredFeature:
    """Return the declaration of a known feature."""
    found = features[name]
    return OfKind(found) if isinstance(found, str) else found


def offered(features: Features) -> list[str]:
    """Return the features that a rule should be written with, sorted."""
    return sorted(name for name in features if declared(features, name).instead is None)


def noun(feature: DeclaredFeature) -> str:
    """Return the noun of a feature's unit.

    >>> noun(OfKind("number", "orders, half-life 30 days"))
    'orders'
    """
    return feature.unit.partition(",")[0].strip()
