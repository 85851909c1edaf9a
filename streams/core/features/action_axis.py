"""The actions of a catalogue as the columns of a wave's matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Floats
from streams.core.catalogue.values import Answers, Timers
from streams.core.hashing import name_number


class Numbered(NamedTuple):
    """The actions' names of one kind as numbers (a,): each, the distinct ones, and where in them.

    By distinct number, because a matrix of contacts by a thousand actions would take 100 MiB.
    """

    each: Floats
    distinct: Floats
    place_of: NDArray[np.intp]

    @classmethod
    def of(cls, names: Sequence[str | None]) -> Numbered:
        """Number the names; None is 0."""
        each = np.array([name_number(name) for name in names])
        distinct, place_of = np.unique(each, return_inverse=True)
        return cls(each, distinct, place_of)


@dataclass(frozen=True, slots=True)
class ActionAxis:
    """The actions of a catalogue as the columns of a wave's matrices.

    `family_of` (a,) is the index of an action's family in `families`, or len(families) for none.
    `numbered` has the actions' own names, their families' and their issues'. `answers` give the
    preference that a survey answer expresses: question -> answer -> family -> preference. A ticket
    without an event for `ticket_closes_ms` counts as closed.
    """

    families: tuple[str, ...]
    family_place: Mapping[str, int]
    family_of: NDArray[np.intp]
    numbered: Mapping[str, Numbered]
    answers: Answers
    ticket_closes_ms: int

    @classmethod
    def of(
        cls,
        families: Sequence[str],
        actions: Sequence[tuple[str, str | None, str]],
        answers: Answers = MappingProxyType({}),
        ticket_closes_ms: int = Timers().ticket_closes_ms,
    ) -> ActionAxis:
        """Build the axis; `actions` are (action, family, issue), sorted by action id."""
        place = {family: number for number, family in enumerate(families)}
        return cls(
            families=tuple(families),
            family_place=place,
            family_of=np.array([place.get(f or "", len(place)) for _, f, _ in actions], np.intp),
            numbered={
                kind: Numbered.of([action[number] for action in actions])
                for number, kind in enumerate(("action", "family", "issue"))
            },
            answers=answers,
            ticket_closes_ms=ticket_closes_ms,
        )
