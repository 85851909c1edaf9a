"""Cautions: what is allowed in a catalogue and probably not meant, or will not be allowed for ever.

`concierge check` prints them as warnings; unlike a problem, a caution refuses nothing. One function
of the table below finds one kind, and gives the line of the catalogue's text (0: the whole file).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from streams.core.catalogue.service import is_service
from streams.core.catalogue.values import Catalogue


class Caution(NamedTuple):
    """What to look at, and in which line of the catalogue's text (1-based, 0 for all of it)."""

    line: int
    says: str


def cautions(catalogue: Catalogue) -> list[Caution]:
    """Return what a valid catalogue should be looked at for, in the order of its lines."""
    return sorted({caution for kind in _KINDS for caution in kind(catalogue)})


def _retired_features(catalogue: Catalogue) -> Iterator[Caution]:
    """Rules over features that the next release will offer to models only."""
    for action in catalogue.actions:
        for rule in action.rules:
            for name, feature in rule.test.features.items():
                if feature.instead is not None:
                    says = f"rule `{rule.id}` reads `{name}`, which the next release will refuse"
                    yield Caution(rule.line, f"{says}; write it with `{feature.instead}`")


def _owed_by_one_channel(catalogue: Catalogue) -> Iterator[Caution]:
    """Service actions that reach no customer whose only channel for them is closed."""
    names = sorted(
        f"{action.id} ({action.treatments[0].channel})"
        for action in catalogue.actions
        if is_service(action) and not action.shadow
        if len({treatment.channel for treatment in action.treatments}) == 1
    )
    if names:
        says = f"service is owed, and has only one channel: {', '.join(names)}"
        yield Caution(0, f"{says}; add a treatment on another one for where that is closed")


_KINDS: tuple[Callable[[Catalogue], Iterator[Caution]], ...] = (
    _retired_features,
    _owed_by_one_channel,
)
