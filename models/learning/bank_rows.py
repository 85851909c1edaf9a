"""The weights of a bank's classifiers as rows of matrices, and River's steps on many rows at once.

A lesson teaches four classifiers that see the same scaled features. River's objects take a step
feature by feature, classifier by classifier, in some 150 us; on the rows of a matrix the same steps
cost a fifth. A test holds them equal to River's within 1e-9. Loss, rates and damping are those of
the pipelines in `models.learning.learners`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from river import compose
from river.utils.math import sigmoid

from models.backoff import PipelineKey
from models.learning.learners import Learned, Scaling, parts
from models.protocol import Floats

# Rows made ready at first; a matrix that is full is doubled.
_FIRST_ROWS = 32


class ScalerRow:
    """River's `StandardScaler` for lessons that always carry all `width` features."""

    def __init__(self, width: int) -> None:
        self._counts, self._means, self._variances = np.zeros((3, width))

    @property
    def scaling(self) -> Scaling:
        """A copy of what was learned."""
        return Scaling(self._counts.copy(), self._means.copy(), self._variances.copy())

    def restore(self, scaling: Scaling) -> None:
        """Go on from what was learned before."""
        self._counts, self._means, self._variances = (each.copy() for each in scaling)

    def learn(self, features: Floats) -> Floats:
        """Take a lesson's features (width,) into means and variances; return them scaled.

        Welford (1962), as River has it.
        """
        self._counts += 1.0
        before = features - self._means
        self._means += before / self._counts
        after = features - self._means
        before *= after
        before -= self._variances
        before /= self._counts
        self._variances += before
        return self._over_deviation(after)

    def scaled(self, features: Floats) -> Floats:
        """Return (x - mean) / deviation, 0 for a feature that never varied; (width,)."""
        return self._over_deviation(features - self._means)

    def _over_deviation(self, away: Floats) -> Floats:
        varied = self._variances > 0.0
        return np.divide(away, np.sqrt(self._variances), out=np.zeros(len(away)), where=varied)


class ClassifierRows:
    """River's `LogisticRegression` under AdaGrad, once for each pipeline key.

    AdaGrad: Duchi, Hazan and Singer (2011), section 1.1, diagonal form. `fresh` is the pipeline
    that every row begins as.
    """

    def __init__(self, width: int, fresh: compose.Pipeline) -> None:
        _, classifier = parts(fresh)
        self._loss = classifier.loss
        self._rate: float = classifier.optimizer.learning_rate
        self._damping: float = classifier.optimizer.eps
        self._intercept_rate = classifier.intercept_lr
        self._intercept_init: float = classifier.intercept
        self._rows: dict[PipelineKey, int] = {}
        self._weights, self._squares = np.zeros((2, _FIRST_ROWS, width))
        self._intercepts: list[float] = []
        self._lessons: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[PipelineKey]:
        return iter(self._rows)

    def row(self, key: PipelineKey) -> int:
        """Return a pipeline's row, made if need be."""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._rows)
            self._intercepts.append(self._intercept_init)
            self._lessons.append(0)
            if row == len(self._weights):
                self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
                self._squares = np.concatenate([self._squares, np.zeros_like(self._squares)])
        return row

    def lessons(self, key: PipelineKey) -> int:
        """Return how many lessons a pipeline has learned."""
        row = self._rows.get(key)
        return 0 if row is None else self._lessons[row]

    def learned(self, key: PipelineKey) -> Learned:
        """Return a copy of what a pipeline has learned; nothing for one that is not there."""
        row = self._rows.get(key)
        if row is None:
            nothing = np.zeros(self._weights.shape[1])
            return Learned(0, self._intercept_init, nothing, nothing.copy())
        weights, squares = self._weights[row].copy(), self._squares[row].copy()
        return Learned(self._lessons[row], self._intercepts[row], weights, squares)

    def restore(self, key: PipelineKey, learned: Learned) -> None:
        """Let a pipeline go on from what was learned before."""
        row = self.row(key)
        self._lessons[row], self._intercepts[row] = learned.lessons, learned.intercept
        self._weights[row], self._squares[row] = learned.weights, learned.squares

    def log_odds(self, rows: NDArray[np.intp], scaled: Floats) -> list[float]:
        """Return what each row (k,) says of scaled features (width,)."""
        # Not BLAS: the last bits must not depend on which processor learns.
        sums: list[float] = np.einsum("kf,f->k", self._weights[rows], scaled).tolist()
        return [s + self._intercepts[row] for s, row in zip(sums, rows.tolist(), strict=True)]

    def learn(
        self, rows: NDArray[np.intp], scaled: Floats, label: bool, log_odds: Sequence[float]
    ) -> None:
        """Take one AdaGrad step of each row (k,) towards the label; no row may occur twice."""
        pushes = [self._loss.gradient(y_true=label, y_pred=odds) for odds in log_odds]
        for row, push in zip(rows.tolist(), pushes, strict=True):
            self._intercepts[row] -= self._intercept_rate.get(self._lessons[row]) * push
            self._lessons[row] += 1
        steps = np.array(pushes)[:, None] * scaled
        squares = self._squares[rows]
        squares += steps * steps
        self._squares[rows] = squares
        squares += self._damping
        steps *= self._rate
        steps /= np.sqrt(squares, out=squares)
        self._weights[rows] -= steps

    def forget(self, row: int, remembered_lessons: int) -> None:
        """Make a row doubt what it learned: it steps as wide as after so many lessons.

        Its weights stay, as the best guess there is; its evidence is that of so many lessons.
        """
        lessons = self._lessons[row]
        if lessons > remembered_lessons:
            self._squares[row] *= remembered_lessons / lessons
            self._lessons[row] = remembered_lessons


def probability(log_odds: float) -> float:
    """Return River's probability for log-odds.

    >>> probability(0.0)
    0.5
    """
    return float(sigmoid(log_odds))
