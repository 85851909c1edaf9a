"""A wave: the customers who are due for a decision, as matrices.

Built once per wave from their states; every column function, rule and limit reads it. The number
of customers n, of catalogue families f and of actions a name the shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streams.core.catalogue import Answers
from streams.core.chance import name_number
from streams.core.decay import ERA_MS, ERA_SLOTS
from streams.core.layout import (
    CONTACT,
    CONTACT_WIDTH,
    ERA_HALF_LIVES,
    FAMILY,
    FAMILY_WIDTH,
    HALF_LIFE_NAMES,
    HALF_LIVES_MS,
    HEAD,
    HEAD_WIDTH,
)
from streams.core.state import CustomerState

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ActionAxis:
    """The actions of a catalogue as the columns of a wave's matrices."""

    families: tuple[str, ...]
    family_of: NDArray[np.intp]
    action_numbers: Floats
    family_numbers: Floats
    issue_numbers: Floats
    answers: Answers

    @classmethod
    def of(
        cls,
        families: Sequence[str],
        actions: Sequence[tuple[str, str | None, str]],
        answers: Answers = MappingProxyType({}),
    ) -> ActionAxis:
        """Build the axis; `actions` are (action, family, issue) in catalogue order.

        `answers` say what a survey answer tells: question -> answer -> family -> liking.

        `family_of` is the place of an action's family in `families`, or len(families) for none.
        """
        place = {family: number for number, family in enumerate(families)}
        return cls(
            families=tuple(families),
            family_of=np.array([place.get(f or "", len(place)) for _, f, _ in actions], np.intp),
            action_numbers=np.array([name_number(action) for action, _, _ in actions]),
            family_numbers=np.array([name_number(family) for _, family, _ in actions]),
            issue_numbers=np.array([name_number(issue) for _, _, issue in actions]),
            answers=answers,
        )


class Wave:
    """The states of n customers at the event times `at_ms`, read as columns."""

    def __init__(
        self,
        states: Sequence[CustomerState],
        at_ms: Sequence[int],
        moments: Sequence[str],
        axis: ActionAxis,
    ) -> None:
        self.states = states
        self.axis = axis
        self.moments = moments
        self.at_ms = np.array(at_ms, np.float64)
        self.head = np.frombuffer(b"".join(s.head.tobytes() for s in states)).reshape(
            len(states), HEAD_WIDTH
        )

    def __len__(self) -> int:
        return len(self.states)

    def number(self, name: str) -> Floats:
        """Return one slot of the head, shape (n,)."""
        return self.head[:, HEAD[name]]

    @cached_property
    def _fade(self) -> tuple[Floats, ...]:
        # A time long before the landmark must not make a sum infinite.
        return tuple(
            np.exp2(
                np.minimum(
                    (self.head[:, ERA_SLOTS[i]] * ERA_MS[i] - self.at_ms) / HALF_LIVES_MS[i],
                    ERA_HALF_LIVES,
                )
            )
            for i in range(len(HALF_LIVES_MS))
        )

    def decayed(self, name: str, half_life: str) -> Floats:
        """Return what a decayed sum is worth now, shape (n,); never negative."""
        fade = self._fade[HALF_LIFE_NAMES.index(half_life)]
        return np.maximum(self.number(f"{name}_{half_life}") * fade, 0.0)

    @cached_property
    def _families(self) -> Floats:
        """Family rows on the catalogue's axis, (n, f + 1, width); the last is "no family"."""
        place = {family: number for number, family in enumerate(self.axis.families)}
        cube = np.zeros((len(self), len(place) + 1, FAMILY_WIDTH))
        rows, columns, parts = [], [], []
        for row, state in enumerate(self.states):
            for family, numbers in state.families.items():
                if (column := place.get(family)) is not None:
                    rows.append(row)
                    columns.append(column)
                    parts.append(numbers.tobytes())
        if rows:
            cube[rows, columns] = np.frombuffer(b"".join(parts)).reshape(-1, FAMILY_WIDTH)
        return cube

    def family(self, name: str) -> Floats:
        """Return one slot of every catalogue family, shape (n, f + 1)."""
        return self._families[:, :, FAMILY[name]]

    def family_decayed(self, name: str, half_life: str) -> Floats:
        """Return what a family's decayed slot is worth now, shape (n, f + 1)."""
        fade = self._fade[HALF_LIFE_NAMES.index(half_life)]
        return np.maximum(self.family(name) * fade[:, None], 0.0)

    def of_action(self, by_family: Floats) -> Floats:
        """Spread a (n, f + 1) column over the actions by their family: shape (n, a)."""
        return by_family[:, self.axis.family_of]

    @cached_property
    def contact_rows(self) -> NDArray[np.intp]:
        """Which customer each contact belongs to, shape (contacts,)."""
        counts = [len(state.contacts) // CONTACT_WIDTH for state in self.states]
        return np.repeat(np.arange(len(self)), counts)

    @cached_property
    def _contacts(self) -> Floats:
        joined = b"".join(state.contacts.tobytes() for state in self.states)
        return np.frombuffer(joined).reshape(-1, CONTACT_WIDTH)

    def contact(self, name: str) -> Floats:
        """Return one slot of every contact, shape (contacts,)."""
        return self._contacts[:, CONTACT[name]]

    def contacts_since(self, window_ms: float) -> NDArray[np.bool_]:
        """Tell which contacts lie within the window before now, shape (contacts,)."""
        return self.contact("at_ms") > self.at_ms[self.contact_rows] - window_ms

    def count_by_customer(self, chosen: NDArray[np.bool_]) -> Floats:
        """Count the chosen contacts of each customer, shape (n,)."""
        return np.bincount(self.contact_rows[chosen], minlength=len(self)).astype(np.float64)

    def count_by_action(self, chosen: NDArray[np.bool_], slot: str, numbers: Floats) -> Floats:
        """Count the chosen contacts whose `slot` equals each action's number, shape (n, a)."""
        # By distinct number: a matrix of contacts by a thousand actions would take 100 MiB.
        distinct, place_of = np.unique(numbers, return_inverse=True)
        contacts, rows = self.contact(slot)[chosen], self.contact_rows[chosen]
        places = np.minimum(np.searchsorted(distinct, contacts), len(distinct) - 1)
        known = distinct[places] == contacts
        cells = rows[known] * len(distinct) + places[known]
        counts = np.bincount(cells, minlength=len(self) * len(distinct)).astype(np.float64)
        return counts.reshape(len(self), -1)[:, place_of]

    @cached_property
    def preferences(self) -> Floats:
        """Stated like (1) or dislike (-1) of each catalogue family, shape (n, f + 1).

        What a survey answer tells counts where the customer did not speak of the family itself.
        """
        families = self.axis.families
        weights = np.zeros((len(self), len(families) + 1))
        for row, state in enumerate(self.states):
            if state.preferences:
                weights[row, :-1] = [
                    told.weight if (told := state.preferences.get(f)) else 0.0 for f in families
                ]
            if state.answers and self.axis.answers:
                implied = _implied(state, self.axis.answers)
                for place, family in enumerate(families):
                    if family in implied and family not in state.preferences:
                        weights[row, place] = min(max(implied[family], -1.0), 1.0)
        return weights

    @cached_property
    def open_tickets(self) -> Floats:
        """Return the number of open tickets, shape (n,)."""
        return np.array(
            [sum(t.is_open for t in state.tickets.values()) for state in self.states], np.float64
        )

    @cached_property
    def cart_items(self) -> Floats:
        """Return the number of different products in the cart, shape (n,)."""
        return np.array(
            [sum(i.quantity > 0 for i in state.cart.values()) for state in self.states], np.float64
        )

    @cached_property
    def moment_flags(self) -> dict[str, Floats]:
        """Return per moment that occurs, who has it (1.0) and who not (0.0), shape (n,)."""
        return {
            moment: np.array([moment == name for name in self.moments], np.float64)
            for moment in set(self.moments)
        }


def _implied(state: CustomerState, answers: Answers) -> dict[str, float]:
    """Add up what a customer's answers tell of each family."""
    implied: dict[str, float] = {}
    # In the order of the questions: a sum must not hang on which answer came first.
    for question in sorted(state.answers.keys() & answers.keys()):
        told = answers[question].get(state.answers[question].value or "", {})
        for family, liking in told.items():
            implied[family] = implied.get(family, 0.0) + liking
    return implied
