"""Do the features, or the time, predict which action was taken?

A log without the probabilities of its actions can still be evaluated if the actions were drawn by
lot: then each has the same probability in every row. This module tests that. It learns to predict
the action from features and time in four fifths of the customers, and checks whether it predicts
better than the shares of the actions in the remaining fifth, for each fifth in turn. Whole
customers are left out, so a customer who always gets the same action (an A/B test by customer)
predicts nothing.

Three kinds of predictors are tried: every column alone, every pair of columns (a rule such as "gold
customers in May" need not show in one column), and a linear one over all columns. What each gains
is the probability that it gave to the logged action, less that action's share.

- *Foretold*: some predictor's mean gain is `MIN_Z` standard errors above 0 (rows of a customer
  count as one), and its AUC is at least `MIN_AUC`. Below that AUC an estimate is off by no more
  than its interval is wide; only logs of more than about 100,000 rows show less for certain.
- *Too few rows*: a rule with an AUC of `SEEN_AUC` could have been missed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.binned_columns import Binned, Codes
from streams.analysis.backtest.campaign_log import Flags, Floats, Ints
from streams.analysis.backtest.prediction_quality import auc
from streams.core.hashing import id_hash, uniforms

# Up to 300 predictors are tried; by chance one in a thousand logs has one of them above this.
MIN_Z = 4.5
MIN_AUC = 0.51
SEEN_AUC = 0.60
FOLDS = 5
# More rows see nothing further: 50,000 show an AUC of .515.
MOST_ROWS = 50_000
# Bound the time: the linear predictor takes the columns that predict best alone, pairs fewer.
LINEAR_COLUMNS, PAIRED_COLUMNS = 40, 23
# A cell of few rows says little: so many rows of the shares are mixed in.
SHARE_ROWS = 10.0
RIDGE = 10.0
_SAMPLE_SALT, _FOLD_SALT = id_hash("backtest sample"), id_hash("backtest fold")
ALL_TOGETHER = "all together"


@dataclass(frozen=True)
class TargetingTest:
    """How well the action is predicted in rows that the predictor had not seen.

    `by` names the columns of the clearest predictor, `auc` is its AUC (over the actions, weighted
    by their rows; .5 is chance), `z` its mean gain in standard errors. `detectable` is the AUC from
    which a rule would have been seen.
    """

    by: str
    auc: float
    z: float
    detectable: float
    rows: int

    @property
    def found(self) -> bool:
        """Tell whether the action is predicted."""
        return self.z >= MIN_Z and self.auc >= MIN_AUC

    @property
    def enough(self) -> bool:
        """Tell whether there were rows enough to see a rule."""
        return self.detectable <= SEEN_AUC


class _Rows:
    """The rows of one test: their actions, customers, and in which fold a customer is held out."""

    def __init__(self, action: Ints, count: int, customer: Ints) -> None:
        self.action, self.count = action, count
        self._fold = fold_of(customer)
        _, self._customer = np.unique(customer, return_inverse=True)
        shares, rows = self._learned(np.zeros(len(action), np.int64), 1)
        # By fold: the shares of the actions among all customers that are not held out.
        self._shares = shares[:, 0] / np.maximum(rows, 1.0)
        self._places = np.arange(len(action))

    def gains_by_table(self, codes: Codes, bins: int) -> Floats:
        """Return what the cells of a table gain: P(logged action) less its share, (n,)."""
        seen, rows = self._learned(codes, bins)
        share = self._shares[self._fold, self.action]
        mixed = seen[self._fold, codes, self.action] + SHARE_ROWS * share
        gains: Floats = mixed / (rows[self._fold, codes] + SHARE_ROWS) - share
        return gains

    def by_table(self, codes: Codes, bins: int) -> Floats:
        """Predict from the cells of a table: P(action), (n, actions)."""
        seen, rows = self._learned(codes, bins)
        mixed = seen + SHARE_ROWS * self._shares[:, None, :]
        found: Floats = (mixed / (rows + SHARE_ROWS)[:, :, None])[self._fold, codes]
        return found

    def by_line(self, columns: Sequence[Binned]) -> Floats:
        """Predict by ridge regression on all bins: P(action) nearly, (n, actions)."""
        made = bins_as_columns(columns, len(self.action))
        wanted = np.zeros((len(self.action), self.count), np.float32)
        wanted[self._places, self.action] = 1.0
        parts = [self._fold == fold for fold in range(FOLDS)]
        grams = [(made[part].T @ made[part]).astype(np.float64) for part in parts]
        sums = [(made[part].T @ wanted[part]).astype(np.float64) for part in parts]
        found = np.empty(wanted.shape)
        for fold, part in enumerate(parts):
            gram = sum(grams) - grams[fold] + RIDGE * np.eye(made.shape[1])
            found[part] = made[part] @ np.linalg.solve(gram, sum(sums) - sums[fold])
        return found

    def gains(self, predicted: Floats) -> Floats:
        """Return what was predicted for each logged action, less its share, (n,)."""
        gains: Floats = predicted[self._places, self.action] - self._shares[self._fold, self.action]
        return gains

    def z(self, gains: Floats) -> float:
        """Return the mean gain in standard errors, the rows of a customer as one."""
        sums = np.bincount(self._customer, gains)
        spread = float(np.sqrt(sums @ sums))
        return float(sums.sum()) / spread if spread > 0.0 else 0.0

    def auc(self, predicted: Floats) -> float:
        """Return the AUC of telling each action from all others, weighted by its rows."""
        total = weight = 0.0
        for number in range(self.count):
            rows = self.action == number
            found = auc(predicted[:, number], rows)
            if found is not None:
                total, weight = total + rows.sum() * found, weight + rows.sum()
        return float(total / weight) if weight else 0.5

    def detectable(self, gains: Floats) -> float:
        """Return the AUC from which a predictor would be `MIN_Z` standard errors above chance."""
        n, rows = len(self.action), np.bincount(self.action, minlength=self.count)
        rows = rows[(rows > 0) & (rows < n)]
        if not len(rows):
            return 1.0
        # Mann and Whitney's error of one AUC. Those of two actions are one and the same, those of
        # many nearly independent; the factor of two covers both.
        squares = (n + 1) / (12.0 * rows * (n - rows))
        error = float(np.sqrt(2.0 * ((rows / n) ** 2 * squares).sum()))
        sums = np.bincount(self._customer, gains)
        # Where the rows of a customer resemble each other there are fewer than they seem.
        alike = float(sums @ sums) / max(float(gains @ gains), 1e-300)
        return min(0.5 + MIN_Z * error * math.sqrt(max(1.0, alike)), 1.0)

    def _learned(self, codes: Codes, bins: int) -> tuple[Floats, Floats]:
        """Count, for every fold, the rows of all others: by cell and action, and by cell."""
        cells = (self._fold * bins + codes) * self.count + self.action
        counts = np.bincount(cells, minlength=FOLDS * bins * self.count)
        by_fold = counts.reshape(FOLDS, bins, self.count).astype(np.float64)
        learned = by_fold.sum(axis=0) - by_fold
        return learned, learned.sum(axis=2)


def targeting_test(
    columns: Sequence[Binned], action: Ints, count: int, customer: Ints
) -> TargetingTest:
    """Test whether `columns` predict `action` (numbers below `count`, (n,))."""
    columns, kept = sampled(columns, customer)
    action, customer = action[kept], customer[kept]
    rows = _Rows(action, count, customer)
    gains = {c.name: rows.gains_by_table(c.codes, c.bins) for c in columns}
    ordered = sorted(columns, key=lambda column: -rows.z(gains[column.name]))
    if not ordered or not len(action):
        return TargetingTest("nothing", 0.5, 0.0, 1.0, len(action))
    first = ordered[0]
    detectable = rows.detectable(gains[first.name])

    def concluded(by: str, z: float, predicted: Floats) -> TargetingTest:
        return TargetingTest(by, rows.auc(predicted), z, detectable, len(action))

    alone = concluded(first.name, rows.z(gains[first.name]), rows.by_table(first.codes, first.bins))
    if alone.found:
        return alone
    line = rows.by_line(ordered[:LINEAR_COLUMNS])
    together = concluded(ALL_TOGETHER, rows.z(rows.gains(line)), line)
    if together.found:
        return together
    paired = [pair_of(*pair) for pair in combinations(ordered[:PAIRED_COLUMNS], 2)]
    if not paired:
        return alone
    clearest = max(paired, key=lambda p: rows.z(rows.gains_by_table(p.codes, p.bins)))
    table = rows.by_table(clearest.codes, clearest.bins)
    pair = concluded(clearest.name, rows.z(rows.gains(table)), table)
    return pair if pair.found else max(alone, together, key=lambda found: found.auc)


def fold_of(customer: Ints) -> Ints:
    """Return in which fold the rows of each customer are held out, (n,)."""
    return (uniforms(customer.astype(np.uint64), _FOLD_SALT) * FOLDS).astype(np.int64)


def sampled(columns: Sequence[Binned], customer: Ints) -> tuple[Sequence[Binned], Flags]:
    """Return the columns of at most about `MOST_ROWS` rows, whole customers, and which they are."""
    if len(customer) <= MOST_ROWS:
        return columns, np.ones(len(customer), bool)
    kept = uniforms(customer.astype(np.uint64), _SAMPLE_SALT) < MOST_ROWS / len(customer)
    return [Binned(c.name, c.codes[kept], c.bins) for c in columns], kept


def bins_as_columns(columns: Sequence[Binned], rows: int) -> NDArray[np.float32]:
    """Return a constant and a column of 0 and 1 for each bin, (n, 1 + bins)."""
    made = np.zeros((rows, 1 + sum(column.bins for column in columns)), np.float32)
    made[:, 0] = 1.0
    places, start = np.arange(rows), 1
    for column in columns:
        made[places, start + column.codes] = 1.0
        start += column.bins
    return made


def pair_of(first: Binned, second: Binned) -> Binned:
    """Return two columns as one, with a bin for each pair of bins."""
    codes = first.codes * second.bins + second.codes
    return Binned(f"{first.name} with {second.name}", codes, first.bins * second.bins)
