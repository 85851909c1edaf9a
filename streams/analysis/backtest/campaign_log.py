"""A log in memory: rows in time order, each with when its label is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.protocol import ActionKey
from streams.analysis.backtest.category_codes import Category

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# All actions are of one issue: a log knows families, and everything.
ISSUE = "log"


@dataclass(frozen=True)
class Log:
    """n rows in time order. `label` is settled, and may be learned, at `due_ms`.

    `due_ms` is later than `time_ms`: an outcome that is known at once counts from the next
    millisecond on. `outcome_ms` is when an outcome came, -1 without a time. `known` is false where
    the log ends before the label is settled. `reward` is what the row brought: 1 for an outcome, or
    its money, less its cost, in `currency`. `probability` is that of the logged action; `assumed`
    where the log has none. `declared` is the value of an action's outcome (by its number), where
    that was known beforehand. `control` is the number of the action that means that nothing was
    done. `row` is the number of the row for people, `copy` marks the copies of an earlier row,
    `alike` counts rows that may be copies, `late` outcomes that came after their window.
    """

    time_ms: Ints
    due_ms: Ints
    outcome_ms: Ints
    customer: Ints
    has_customers: bool
    has_time: bool
    actions: tuple[ActionKey, ...]
    action: Ints
    probability: Floats
    assumed: Flags
    label: Flags
    known: Flags
    money: Floats
    cost: Floats
    reward: Floats
    numbers: Mapping[str, Floats]
    categories: Mapping[str, Category]
    policy_key: Category
    declared: Mapping[int, float]
    row: Ints
    copy: Flags
    alike: int
    late: int
    currency: str | None
    control: int | None

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def judged(self) -> Flags:
        """Which rows are judged: labels known, and none before the first lesson could be learned.

        Earlier rows teach. There every policy would be a guess, so none is compared on them.
        """
        due = self.due_ms[self.known]
        delayed = self.due_ms[self.known] > self.time_ms[self.known] + 1
        first = int(due.min()) if len(due) and bool(delayed.any()) else 0
        return self.known & (self.time_ms >= first)

    @property
    def assumed_everywhere(self) -> bool:
        """Tell whether no row has a logged probability."""
        return bool(self.assumed.all())

    @property
    def evidence(self) -> Flags:
        """Which judged rows count for estimates and intervals: copies do not.

        Where some rows have a logged probability, neither do rows without one.
        """
        rows = self.judged & ~self.copy
        return rows if self.assumed_everywhere else rows & ~self.assumed
