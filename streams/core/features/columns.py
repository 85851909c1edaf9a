"""Columns: what features read off a wave, each declared as data or as a function.

Most customer columns are of a few kinds (a number of the head, the days since a time, a decayed
sum, being at a moment). A kind is data, so that `Matrix` computes all columns of one kind in one
go: for a single customer, a numpy call costs more than what it computes.

Shapes: n customers, f + 1 families with "no family" last, a actions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.features.wave import Wave
from streams.core.moments import MOMENT_NUMBER
from streams.core.state.decay import rounded_for_rules
from streams.core.state.layout import (
    HALF_LIFE_NAMES,
    HEAD,
)
from streams.core.units import (
    DAY_MS,
    MINUTE_MS,
)

Floats = NDArray[np.float64]
Block = Callable[[Wave], Floats]

# "Never" as a number of days: every rule such as `days_since_purchase > 14` holds for it.
NEVER_DAYS = 3650.0
WEEK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the head as it is."""

    slot: str


@dataclass(frozen=True, slots=True)
class Since:
    """The days since a time in the head; `NEVER_DAYS` where it is 0."""

    slot: str


@dataclass(frozen=True, slots=True)
class Decayed:
    """The present value of a decayed sum."""

    name: str
    half_life: str


@dataclass(frozen=True, slots=True)
class AtMoment:
    """1 for a customer at this moment, 0 for the others."""

    moment: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A function of its own, from a wave to (n,)."""

    of: Block


Column = Number | Since | Decayed | AtMoment | Computed


class Matrix:
    """Columns of a wave side by side, (n, columns), in the order they were given."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._width = len(columns)
        self._blocks: list[tuple[NDArray[np.intp], Block]] = []
        self._own: list[tuple[int, Block]] = []
        for kind, block in _BLOCKS:
            places = [place for place, column in enumerate(columns) if isinstance(column, kind)]
            if places:
                self._blocks.append((np.array(places), block([columns[p] for p in places])))
        for place, column in enumerate(columns):
            if isinstance(column, Computed):
                self._own.append((place, column.of))

    def of(self, wave: Wave) -> Floats:
        """Compute all columns, (n, columns); not yet held to any bounds."""
        matrix = np.empty((len(wave), self._width))
        for places, block in self._blocks:
            matrix[:, places] = block(wave)
        for place, column in self._own:
            matrix[:, place] = column(wave)
        return matrix


def _numbers(columns: Sequence[Number]) -> Block:
    slots = np.array([HEAD[column.slot] for column in columns])
    return lambda wave: wave.head.take(slots, axis=1)


def _days(columns: Sequence[Since]) -> Block:
    slots = np.array([HEAD[column.slot] for column in columns])
    return lambda wave: days_since(wave.at_ms[:, None], wave.head.take(slots, axis=1))


def _decayed(columns: Sequence[Decayed]) -> Block:
    slots = np.array([HEAD[f"{column.name}_{column.half_life}"] for column in columns])
    lives = np.array([HALF_LIFE_NAMES.index(column.half_life) for column in columns])
    return lambda wave: np.maximum(
        rounded_for_rules(wave.head.take(slots, axis=1) * wave.fade[:, lives]), 0.0
    )


def _at_moments(columns: Sequence[AtMoment]) -> Block:
    flags = np.zeros((len(MOMENT_NUMBER), len(columns)))
    for place, column in enumerate(columns):
        flags[MOMENT_NUMBER[column.moment], place] = 1.0
    return lambda wave: flags.take(wave.moment_numbers, axis=0)


_BLOCKS: tuple[tuple[type, Callable[..., Block]], ...] = (
    (Number, _numbers),
    (Since, _days),
    (Decayed, _decayed),
    (AtMoment, _at_moments),
)


def days_since(at_ms: Floats, then_ms: Floats) -> Floats:
    """Return the days from `then_ms` (0 = never) to `at_ms`; a time ahead of now is today."""
    days = np.maximum((at_ms - then_ms) / DAY_MS, 0.0)
    since: Floats = np.where(then_ms > 0, days, NEVER_DAYS)
    return since


def cart_items(wave: Wave) -> Floats:
    """Return the number of different products in the cart, (n,)."""
    return wave.cart_items


def open_tickets(wave: Wave) -> Floats:
    """Return how many tickets are open, (n,)."""
    return wave.open_tickets


def cart_minutes(wave: Wave) -> Floats:
    """Return how long the cart was not touched, (n,); 0 for an empty one."""
    minutes: Floats = (wave.at_ms - wave.number("latest_carted")) / MINUTE_MS
    return np.where(wave.cart_items > 0, minutes, 0.0)


def subscription_ended(wave: Wave) -> Floats:
    """Return the flag of customers whose last subscription has ended, (n,)."""
    flags: Floats = (wave.number("subscription_end_ms") > 0).astype(np.float64)
    return flags


def contacts_in_a_week(wave: Wave) -> Floats:
    """Return how many actions were published to each customer in a week, (n,)."""
    return wave.count_by_customer(wave.contacts_since(WEEK_MS))


def families_bought(wave: Wave) -> Floats:
    """Return from how many of the catalogue's families each customer bought, (n,)."""
    count: Floats = (wave.family("order_days") > 0).sum(axis=1).astype(np.float64)
    return count


def usual_due(wave: Wave) -> Floats:
    """Return how overdue each customer's most overdue family is, (n,)."""
    most: Floats = overdue(wave).max(axis=1)
    return most


def overdue(wave: Wave) -> Floats:
    """Time since the last order of a family over its usual gap, (n, f + 1); 0 without a rhythm."""
    days = wave.family("order_days")
    has_rhythm = days >= 3
    if not has_rhythm.any():
        return np.zeros(days.shape)
    span = wave.family("last_order_day") - wave.family("first_order_day")
    has_rhythm &= span > 0
    since = np.maximum(wave.at_ms[:, None] / DAY_MS - wave.family("last_order_day"), 0.0)
    gap = np.where(has_rhythm, span / np.maximum(days - 1, 1), 1.0)
    overdue: Floats = np.where(has_rhythm, np.minimum(since / gap, 3.0), 0.0)
    return overdue


def family_interest(wave: Wave) -> Floats:
    """Return the interest of the last day or so in each family, (n, f + 1)."""
    return wave.family_decayed("interest_1d", "1d")


def family_share(wave: Wave) -> Floats:
    """Return each family's share of a customer's lasting interest, (n, f + 1)."""
    interest = wave.family_decayed("interest_30d", "30d")
    share: Floats = interest / np.maximum(interest.sum(axis=1, keepdims=True), 1e-9)
    return share


def family_orders(wave: Wave) -> Floats:
    """Return the orders of each family that are remembered, (n, f + 1)."""
    return wave.family_decayed("orders_30d", "30d")


def family_days(wave: Wave) -> Floats:
    """Return the days since the last order of each family, (n, f + 1)."""
    return days_since(wave.at_ms[:, None], wave.family("last_order_ms"))


def shown(wave: Wave) -> Floats:
    """Return how often each action was published to each customer in a week, (n, a)."""
    return wave.count_by_action(wave.contacts_since(WEEK_MS), "action")
