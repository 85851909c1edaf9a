"""Laying out rules as slots: equal sub-expressions once, in the order of their level.

A slot of level 0 compares a column with a number or another column; one of level k + 1 joins
slots of which the highest has level k.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from streams.core.rules.tree import MIRRORED, AllOf, AnyOf, Compare, Not, Test

CUSTOMER = -1
"""The action of a column that is the same for all actions."""


class Column(NamedTuple):
    """A column that rules read: a feature, and the action it is read for or `CUSTOMER`."""

    action: int
    name: str


class Slot(NamedTuple):
    """One truth per customer: `sign` on two columns, a column and a number, or two slots.

    `left` and `right` are indices of columns (level 0) or of slots; `right` is -1 if `number` is
    compared instead, and for `not`.
    """

    level: int
    sign: str
    left: int
    right: int
    number: float


class Slots:
    """The slots of many tests; they grow with each test that is added."""

    def __init__(self, action_features: Collection[str]) -> None:
        self._action_features = frozenset(action_features)
        self.columns: dict[Column, int] = {}
        self._made: dict[Slot, int] = {}
        self.slots: list[Slot] = []

    def add(self, test: Test, action: int) -> int:
        """Return the place of a test's slot, made if need be."""
        match test:
            case Compare():
                return self._compare(test, action)
            case Not(Not(inner)):
                return self.add(inner, action)
            case Not(inner):
                return self._join("not", self.add(inner, action))
            case AllOf():
                return self._fold("and", {self.add(p, action) for p in _flat(test)})
            case AnyOf():
                return self._fold("or", {self.add(p, action) for p in _flat(test)})

    def _compare(self, test: Compare, action: int) -> int:
        left = self._column(test.left, action)
        if isinstance(test.right, str):
            return self._two_columns(test.sign, left, self._column(test.right, action))
        number = test.right
        match test.sign:
            # Exact, and one group less: there is no float between a number and the next one.
            case "<=":
                return self._slot(0, "<", left, number=math.nextafter(number, math.inf))
            case ">=":
                return self._slot(0, ">", left, number=math.nextafter(number, -math.inf))
            case "!=":
                # Not numpy's `!=`, which is true for an unknown value.
                sides = (self._slot(0, sign, left, number=number) for sign in "<>")
                return self._fold("or", set(sides))
        return self._slot(0, test.sign, left, number=number)

    def _two_columns(self, sign: str, left: int, right: int) -> int:
        if sign == "!=":
            sides = {self._slot(0, "<", left, right), self._slot(0, "<", right, left)}
            return self._fold("or", sides)
        if sign in (">", ">="):
            return self._slot(0, MIRRORED[sign], right, left)
        return self._slot(0, sign, left, right)

    def _fold(self, sign: str, parts: set[int]) -> int:
        """Join any number of slots two by two, the lowest first, so that levels stay few."""
        waiting = [(self.slots[part].level, part) for part in parts]
        heapq.heapify(waiting)
        while len(waiting) > 1:
            joined = self._join(sign, heapq.heappop(waiting)[1], heapq.heappop(waiting)[1])
            heapq.heappush(waiting, (self.slots[joined].level, joined))
        return waiting[0][1]

    def _join(self, sign: str, left: int, right: int = -1) -> int:
        level = 1 + max(self.slots[part].level for part in (left, right) if part >= 0)
        return self._slot(level, sign, left, right)

    def _slot(self, level: int, sign: str, left: int, right: int = -1, number: float = 0.0) -> int:
        slot = Slot(level, sign, left, right, number)
        place = self._made.setdefault(slot, len(self.slots))
        if place == len(self.slots):
            self.slots.append(slot)
        return place

    def _column(self, name: str, action: int) -> int:
        of = action if name in self._action_features else CUSTOMER
        return self.columns.setdefault(Column(of, name), len(self.columns))


def _flat(join: AllOf | AnyOf) -> Sequence[Test]:
    """Return the parts of a join, those of like joins among them in their place."""
    parts: list[Test] = []
    for part in join.parts:
        # Not `isinstance(part, Every | Some)`: only a join of the same kind may be opened.
        if isinstance(part, type(join)):
            parts.extend(_flat(part))
        else:
            parts.append(part)
    return parts
