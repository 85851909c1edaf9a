"""All rules of a catalogue as one program over truth slots, run for a wave in few numpy calls.

Each comparison, `not` and two-sided `and` / `or` of any rule is a slot: a row of truths, one per
customer. The same sub-expression is the same slot in all rules. Slots of one level and one operator
are contiguous, so that each such group is one gather and one numpy call; the number of calls
depends on how deep rules nest, not on how many there are.

A rule over action features is compiled once for each action that uses it; a feature of one action
is then a column like any customer feature.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from streams.core.rules.slots import CUSTOMER, Column, Slot, Slots
from streams.core.rules.tree import Test

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Places = NDArray[np.intp]
Columns = Mapping[str, Floats]
"""Customer features as (n,) and action features as (n, a), float64, by name."""

TRUE = 0
"""The slot that is true for everybody."""

_CALLS: Mapping[str, np.ufunc] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    "==": np.equal,
    "not": np.logical_not,
    "and": np.logical_and,
    "or": np.logical_or,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One numpy call: fills the slots from `start` to `stop` from gathered rows."""

    call: np.ufunc
    start: int
    stop: int
    left: Places
    right: Places | None
    numbers: Floats | None


class Program:
    """Many tests compiled together; `slots` (t,) tells in which slot each one's truth is."""

    def __init__(
        self, tests: Sequence[tuple[Test, int]], action_features: Collection[str] = ()
    ) -> None:
        """Compile tests, each for an action (any number where it reads no action feature)."""
        made = Slots(action_features)
        chosen = [made.add(test, action) for test, action in tests]
        columns = sorted(made.columns)
        self._customer = [name for action, name in columns if action == CUSTOMER]
        by_action = sorted((name, action) for action, name in columns if action != CUSTOMER)
        self._by_action = [
            (name, np.array([action for _, action in group], np.intp))
            for name, group in groupby(by_action, key=lambda column: column[0])
        ]
        ordered = [Column(CUSTOMER, name) for name in self._customer]
        ordered += [Column(action, name) for name, action in by_action]
        self._columns = len(ordered)
        row = {made.columns[column]: place for place, column in enumerate(ordered)}
        order = sorted(range(len(made.slots)), key=lambda place: _group(made.slots[place]))
        moved = {place: new for new, place in enumerate(order, TRUE + 1)}
        self.slots = np.array([moved[place] for place in chosen], np.intp)
        self._compares: list[_Step] = []
        self._joins: list[_Step] = []
        start = TRUE + 1
        for (level, _, _), group in groupby((made.slots[p] for p in order), key=_group):
            members = list(group)
            steps, places = (self._joins, moved) if level else (self._compares, row)
            steps.append(_step(members, start, places))
            start += len(members)
        self.count = start

    @property
    def bytes_per_row(self) -> int:
        """Return how much a run holds at once per customer, roughly."""
        widest = max((step.stop - step.start for step in self._compares), default=0)
        return 8 * (widest + self._columns) + 3 * self.count

    def run(self, columns: Columns, rows: slice) -> Truths:
        """Return the truth of every slot for the rows of a wave, shape (slots, n).

        KeyError when a feature is missing. A row gets the same truths in any wave.
        """
        table = self._table(columns, rows)
        truths = np.empty((self.count, rows.stop - rows.start), bool)
        truths[TRUE] = True
        for source, steps in ((table, self._compares), (truths, self._joins)):
            for step in steps:
                out, left = truths[step.start : step.stop], source.take(step.left, axis=0)
                if step.right is not None:
                    step.call(left, source.take(step.right, axis=0), out=out)
                elif step.numbers is not None:
                    step.call(left, step.numbers, out=out)
                else:
                    step.call(left, out=out)
        return truths

    def _table(self, columns: Columns, rows: slice) -> Floats:
        """Gather the columns that the program reads, one row each, (columns, n)."""
        parts = [columns[name][rows] for name in self._customer]
        for name, actions in self._by_action:
            parts.append(columns[name][rows].take(actions, axis=1).T.ravel())
        joined = np.concatenate(parts) if parts else np.empty(0)
        return joined.reshape(self._columns, rows.stop - rows.start)


def _group(slot: Slot) -> tuple[int, str, bool]:
    """Return what slots must share to be filled by one call."""
    return slot.level, slot.sign, slot.right < 0


def _step(members: Sequence[Slot], start: int, places: Mapping[int, int]) -> _Step:
    first = members[0]
    left = np.array([places[slot.left] for slot in members], np.intp)
    right, numbers = None, None
    if first.right >= 0:
        right = np.array([places[slot.right] for slot in members], np.intp)
    elif first.level == 0:
        numbers = np.array([[slot.number] for slot in members], np.float64)
    return _Step(_CALLS[first.sign], start, start + len(members), left, right, numbers)
