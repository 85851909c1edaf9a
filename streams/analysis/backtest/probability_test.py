"""Do the features, or the time, predict the action beyond its logged probability?

If the logged probabilities are right, the rows of an action, each weighted by 1 / probability,
count for all rows in which it could have been taken: in every part of the log, for at most as many
rows as the part has. A probability that was written by hand (`0.5 AS probability`) is right for all
rows together and wrong in the parts that a rule selected. So this module looks for a part in which
the rows of an action count for too many. It learns in some fifths of the customers which cells and
actions have too much weight, sums their weights in the next fifth, and adds that fifth to what it
learns from. (Learning each fifth from all others would count a chance agreement of two fifths
twice: the statistic would vary by 1.4 standard errors instead of 1.) The cells are those of every
column alone, of every pair of columns, and of a linear predictor over all.

Probabilities that depend on features, as those of a contextual policy, raise no alarm by that, and
neither do actions that some customers cannot get: they stand for fewer rows, never for more. Of 60
simulated contextual logs (inverse-gap weighting, 1,500 to 12,000 rows, 2 to 8 actions, half of them
without one action for some customers) none raised an alarm, nor did 60 in which a customer keeps
the action that it drew (tests/properties/test_backtest_contradicted.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from streams.analysis.backtest.binned_columns import Binned, Codes
from streams.analysis.backtest.campaign_log import Floats, Ints
from streams.analysis.backtest.targeting_test import (
    ALL_TOGETHER,
    FOLDS,
    LINEAR_COLUMNS,
    MIN_Z,
    PAIRED_COLUMNS,
    RIDGE,
    SHARE_ROWS,
    bins_as_columns,
    fold_of,
    pair_of,
    sampled,
)

# Probabilities that were rounded make a part stand for a few rows more than it has.
MIN_TIMES = 1.05
# A row that weighs more than this share of the log is left to the estimates of the policies.
MOST_OF_THE_LOG = 1.0 / 50.0


@dataclass(frozen=True)
class ProbabilityTest:
    """Which columns contradict the logged probabilities most clearly.

    `times` is how many times as many rows as there are the rows of the overweight cells stand for,
    `z` is how many standard errors (over customers) that is above once.
    """

    by: str
    times: float
    z: float

    @property
    def found(self) -> bool:
        """Tell whether the probabilities cannot be right."""
        return self.z >= MIN_Z and self.times >= MIN_TIMES


class _Weighed:
    """The rows of one test: their actions, weights, and in which fold a customer is held out."""

    def __init__(self, action: Ints, count: int, customer: Ints, probability: Floats) -> None:
        self.action, self.count = action, count
        self._fold = fold_of(customer)
        _, self._customer = np.unique(customer, return_inverse=True)
        weights = 1.0 / probability
        self._weights = np.where(weights > len(action) * MOST_OF_THE_LOG, 0.0, weights)
        self._places = np.arange(len(action))
        one = np.zeros(len(action), np.int64)
        squares, rows = self._earlier(one, 1, self._weights**2)[:, 0], self._earlier_rows(one, 1)
        # As many squares as some rows have on average, so that a cell of few rows says little.
        self._more_squares = SHARE_ROWS * squares / np.maximum(rows, 1.0) + 1e-12

    def by_table(self, name: str, codes: Codes, bins: int) -> ProbabilityTest:
        """Test the cells of one table."""
        rows = self._earlier_rows(codes, bins)[:, :, None]
        too_much = np.maximum(self._earlier(codes, bins, self._weights) - rows, 0.0)
        squares = self._earlier(codes, bins, self._weights**2)
        over = too_much / (squares + self._more_squares[:, None, :])
        return self._concluded(
            name, over[self._fold, codes, self.action], over.sum(axis=2)[self._fold, codes]
        )

    def by_line(self, columns: Sequence[Binned]) -> ProbabilityTest:
        """Test what a ridge regression on all bins says of the weights."""
        made = bins_as_columns(columns, len(self.action))
        wanted = np.full((len(self.action), self.count), -1.0, np.float32)
        wanted[self._places, self.action] += self._weights
        parts = [self._fold == fold for fold in range(FOLDS)]
        over: Floats = np.zeros(wanted.shape)
        gram, sums = RIDGE * np.eye(made.shape[1]), np.zeros((made.shape[1], self.count))
        for fold, part in enumerate(parts):
            if fold:
                found = np.maximum(made[part] @ np.linalg.solve(gram, sums), 0.0)
                over[part] = found / self._more_squares[fold]
            gram += made[part].T @ made[part]
            sums += made[part].T @ wanted[part]
        return self._concluded(ALL_TOGETHER, over[self._places, self.action], over.sum(axis=1))

    def _earlier(self, codes: Codes, bins: int, weights: Floats) -> Floats:
        """Sum weights, for every fold, over the rows of earlier ones: by cell and action."""
        cells = (self._fold * bins + codes) * self.count + self.action
        sums = np.bincount(cells, weights, minlength=FOLDS * bins * self.count)
        by_fold = sums.reshape(FOLDS, bins, self.count).astype(np.float64)
        earlier: Floats = np.cumsum(by_fold, axis=0) - by_fold
        return earlier

    def _earlier_rows(self, codes: Codes, bins: int) -> Floats:
        """Count, for every fold, the rows of earlier ones by cell."""
        counts = np.bincount(self._fold * bins + codes, minlength=FOLDS * bins)
        by_fold = counts.reshape(FOLDS, bins).astype(np.float64)
        earlier: Floats = np.cumsum(by_fold, axis=0) - by_fold
        return earlier

    def _concluded(self, by: str, taken: Floats, rows: Floats) -> ProbabilityTest:
        """Compare weights with rows; both count as much as a cell was overweight elsewhere."""
        weighed = taken * self._weights
        sums = np.bincount(self._customer, weighed - rows)
        spread, there = float(np.sqrt(sums @ sums)), float(rows.sum())
        if spread <= 0.0 or there <= 0.0:
            return ProbabilityTest(by, 1.0, 0.0)
        return ProbabilityTest(by, float(weighed.sum()) / there, float(sums.sum()) / spread)


def probability_test(
    columns: Sequence[Binned], action: Ints, count: int, customer: Ints, probability: Floats
) -> ProbabilityTest:
    """Test whether `columns` predict `action` beyond `probability`, that of each action (n,)."""
    columns, kept = sampled(columns, customer)
    if not columns or not kept.any():
        return ProbabilityTest("nothing", 1.0, 0.0)
    rows = _Weighed(action[kept], count, customer[kept], probability[kept])
    alone = {c.name: rows.by_table(c.name, c.codes, c.bins) for c in columns}
    ordered = sorted(columns, key=lambda column: -alone[column.name].z)
    tests: list[Callable[[], list[ProbabilityTest]]] = [
        lambda: list(alone.values()),
        lambda: [rows.by_line(ordered[:LINEAR_COLUMNS])],
        lambda: [
            rows.by_table(pair.name, pair.codes, pair.bins)
            for pair in (pair_of(*two) for two in combinations(ordered[:PAIRED_COLUMNS], 2))
        ],
    ]
    clearest = alone[ordered[0].name]
    for test in tests:
        for found in test():
            clearest = max(clearest, found, key=lambda one: (one.found, one.z))
        if clearest.found:
            break
    return clearest
