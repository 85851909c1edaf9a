"""A wave: the customers who have a moment to be decided, as matrices.

Built once per wave from their states; every column function, rule and limit reads it. The number
of customers n, of catalogue families f and of actions a name the shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.catalogue.values import Answers
from streams.core.features.action_axis import ActionAxis
from streams.core.moments import MOMENT_NUMBER
from streams.core.state.customer import CustomerState
from streams.core.state.decay import ERA_MS, ERA_SLOTS, rounded_for_rules
from streams.core.state.layout import (
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
from streams.core.state.open_tickets import still_open
from streams.core.time_zones import offsets_ms
from streams.core.units import (
    DAY_MS,
)

Floats = NDArray[np.float64]

_UNKNOWN_CHANNEL = "other"
_CHANNEL_NUMBER = {channel: number for number, channel in enumerate(CHANNELS)}
_ERA_SLOTS = np.array(ERA_SLOTS)
_ERA_MS, _HALF_LIVES_MS = np.array(ERA_MS, np.float64), np.array(HALF_LIVES_MS, np.float64)


class Wave:
    """The states of n customers at the event times `at_ms`, read as columns."""

    def __init__(
        self,
        states: Sequence[CustomerState],
        at_ms: Sequence[int],
        moments: Sequence[str],
        axis: ActionAxis,
        time_zone: str = "UTC",
        channels: Sequence[str] | None = None,
    ) -> None:
        """`time_zone` is assumed of customers whose own zone is not known.

        `channels` (n,) is where each customer is, "other" where that is not known.
        """
        self.states = states
        self._channels = channels
        self.axis = axis
        self._time_zone = time_zone
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
    def local_ms(self) -> Floats:
        """Each customer's local time as if it were UTC, in milliseconds since 1970, shape (n,)."""
        names = [state.time_zone or self._time_zone for state in self.states]
        return self.at_ms + offsets_ms(names, self.at_ms)

    @cached_property
    def local_days(self) -> Floats:
        """The day of each customer's own calendar, in days since 1970, shape (n,)."""
        return np.floor_divide(self.local_ms, DAY_MS)

    @cached_property
    def day_part_ms(self) -> Floats:
        """The time on each customer's own clock, in milliseconds since midnight, shape (n,)."""
        return self.local_ms - self.local_days * DAY_MS

    @cached_property
    def fade(self) -> Floats:
        """What is left of a sum at each half-life, shape (n, half-lives)."""
        landmarks_ms = self.head.take(_ERA_SLOTS, axis=1) * _ERA_MS
        ahead = (landmarks_ms - self.at_ms[:, None]) / _HALF_LIVES_MS
        # A time long before the landmark must not make a sum infinite.
        return np.exp2(np.minimum(ahead, ERA_HALF_LIVES))

    def decayed(self, name: str, half_life: str) -> Floats:
        """Return the present value of a decayed sum, shape (n,); never negative."""
        fade = self.fade[:, HALF_LIFE_NAMES.index(half_life)]
        return np.maximum(rounded_for_rules(self.number(f"{name}_{half_life}") * fade), 0.0)

    @cached_property
    def _families(self) -> Floats:
        """Family rows on the catalogue's axis, (n, f + 1, width); the last is "no family"."""
        place = self.axis.family_place
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
        """Return the present value of a family's decayed slot, shape (n, f + 1)."""
        fade = self.fade[:, HALF_LIFE_NAMES.index(half_life), None]
        return np.maximum(rounded_for_rules(self.family(name) * fade), 0.0)

    def of_action(self, by_family: Floats) -> Floats:
        """Spread (n, f + 1, ...) over the actions by their family: shape (n, a, ...)."""
        return by_family.take(self.axis.family_of, axis=1)

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
        """Tell which contacts are within the window before now, shape (contacts,)."""
        return self._contact_ages_ms < window_ms

    @cached_property
    def _contact_ages_ms(self) -> Floats:
        return self.at_ms[self.contact_rows] - self.contact("at_ms")

    def count_by_customer(self, chosen: NDArray[np.bool_]) -> Floats:
        """Count the chosen contacts of each customer, shape (n,)."""
        return np.bincount(self.contact_rows[chosen], minlength=len(self)).astype(np.float64)

    def count_by_channel(self, chosen: NDArray[np.bool_]) -> Floats:
        """Count the chosen contacts of each customer per channel, in their order, (n, channels)."""
        cells = self.contact_rows * len(CHANNELS) + self.contact("channel").astype(np.intp)
        counts = np.bincount(cells[chosen], minlength=len(self) * len(CHANNELS))
        return counts.astype(np.float64).reshape(len(self), -1)

    def count_by_action(self, chosen: NDArray[np.bool_], kind: str) -> Floats:
        """Count the chosen contacts that agree with each action in a kind of name, (n, a)."""
        _, distinct, place_of = self.axis.numbered[kind]
        contacts, rows = self.contact(kind)[chosen], self.contact_rows[chosen]
        if not len(contacts):
            return np.zeros((len(self), len(place_of)))
        places = np.minimum(np.searchsorted(distinct, contacts), len(distinct) - 1)
        known = distinct[places] == contacts
        cells = rows[known] * len(distinct) + places[known]
        counts = np.bincount(cells, minlength=len(self) * len(distinct)).astype(np.float64)
        return counts.reshape(len(self), -1).take(place_of, axis=1)

    @cached_property
    def preferences(self) -> Floats:
        """Stated like (1) or dislike (-1) of each catalogue family, shape (n, f + 1).

        What a survey answer tells counts where the customer did not speak of the family itself.
        """
        places = self.axis.family_place
        weights = np.zeros((len(self), len(places) + 1))
        for row, state in enumerate(self.states):
            if state.answers and self.axis.answers:
                for family, liking in _implied(state, self.axis.answers).items():
                    if family in places:
                        weights[row, places[family]] = min(max(liking, -1.0), 1.0)
            for family, told in state.preferences.items():
                if family in places:
                    weights[row, places[family]] = told.weight
        return weights

    @cached_property
    def open_tickets(self) -> Floats:
        """Return the number of open tickets, shape (n,)."""
        closes_ms = self.axis.ticket_closes_ms
        return np.array(
            [
                sum(still_open(t, at_ms, closes_ms) for t in state.tickets.values())
                if state.tickets
                else 0
                for state, at_ms in zip(self.states, self.at_ms.tolist(), strict=True)
            ],
            np.float64,
        )

    @cached_property
    def cart_items(self) -> Floats:
        """Return the number of different products in the cart, shape (n,)."""
        return np.array(
            [sum(i.quantity_milli > 0 for i in state.cart.values()) for state in self.states],
            np.float64,
        )

    @cached_property
    def channel_numbers(self) -> NDArray[np.intp]:
        """Return the number of the channel on which each customer is, shape (n,)."""
        known = self._channels or [_UNKNOWN_CHANNEL] * len(self)
        return np.array([_CHANNEL_NUMBER[channel] for channel in known], np.intp)

    @cached_property
    def moment_numbers(self) -> NDArray[np.intp]:
        """Return the number of each customer's moment, shape (n,)."""
        return np.array([MOMENT_NUMBER[moment] for moment in self.moments], np.intp)


def _implied(state: CustomerState, answers: Answers) -> dict[str, float]:
    """Add up what a customer's answers tell of each family."""
    implied: dict[str, float] = {}
    # In the order of the questions: a sum must not hang on which answer came first.
    for question in sorted(state.answers.keys() & answers.keys()):
        told = answers[question].get(state.answers[question].value or "", {})
        for family, liking in told.items():
            implied[family] = implied.get(family, 0.0) + liking
    return implied
