"""The bank's learner for back-tests: the steps of `models.learning.bank`, over a log's rows.

A back-test scores every action at every row and throws the model away: here the actions are known
before, and one product scores them all. The arithmetic is the bank's: the two agree within 1e-9,
which a test holds them to. Two things are added:

- a column may be *missing* in a row (NaN): it then counts as its mean and teaches nothing;
- pipelines that learn and forget the same lessons (the issue and everything, when there is one
  issue) are one row, learned once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.backoff import HALF_EVIDENCE_LESSONS, LEVELS, PipelineKey, mixture, path_of
from models.calibration import Calibration
from models.drift import Watch
from models.learning_rates import DAMPING, INTERCEPT_STEP, REMEMBERED_LESSONS, STEP
from models.protocol import ActionKey, Floats

# exp of more overflows; a propensity is 0 or 1 to 17 digits long before.
_MOST_LOG_ODDS = 40.0


class ArrayBank:
    """Learns and scores a fixed list of actions over `width` columns.

    `prior`, in (0, 1), is the propensity before anything was learned.

    >>> bank = ArrayBank([ActionKey("card", None, "sell"), ActionKey("loan", None, "sell")], 2)
    >>> bank.learn_one(np.array([1.0, 3.0]), 0, True)
    >>> bank.propensities(np.array([[1.0, 3.0]])).round(3).tolist()
    [[0.069, 0.069]]
    """

    def __init__(self, actions: Sequence[ActionKey], width: int, prior: float = 0.05) -> None:
        if not 0.0 < prior < 1.0:
            raise ValueError(f"prior {prior} is not between 0 and 1; give a response rate like .05")
        paths = [path_of(action) for action in actions]
        rows = _rows_of(paths)
        count = max(rows.values(), default=-1) + 1
        # The last row is for pipelines that do not exist; it never has a lesson.
        self._paths: NDArray[np.intp] = np.array(
            [[rows[key] if key else count for key in path] for path in paths], dtype=np.intp
        ).reshape(-1, len(LEVELS))
        # The index of an action's level in the matrix of shares, (actions, rows), as a flat array.
        starts = np.arange(len(paths))[:, None] * (count + 1)
        self._places: NDArray[np.intp] = (starts + self._paths).ravel()
        # Each action's rows without repetition, and the index of each of its levels among them.
        self._taught = [np.array(sorted(set(path) - {count})) for path in self._paths.tolist()]
        self._levels = [
            [rows.tolist().index(row) if row < count else -1 for row in path]
            for rows, path in zip(self._taught, self._paths.tolist(), strict=True)
        ]
        self._watches = [Watch() for _ in actions]
        self._calibration = Calibration()
        self._weights = np.zeros((count + 1, width))
        self._squares = np.full((count + 1, width), DAMPING)
        self._intercepts = np.full(count + 1, math.log(prior / (1.0 - prior)))
        self._lessons = np.zeros(count + 1)
        self._counts, self._means, self._variances = np.zeros((3, width))
        self._inverse = np.zeros(width)
        self.lessons = 0
        self._prior = prior
        self._halves = np.array(HALF_EVIDENCE_LESSONS)
        # Shares by (row of pipelines, action), and that of the prior; None when out of date.
        self._shares: tuple[Floats, Floats] | None = None

    def learn_one(self, features: Floats, action: int, label: bool) -> None:
        """Learn one row: `features` (width,), NaN where missing; `action` by its number."""
        scaled = self._learn_scale(features)
        rows = self._taught[action]
        weights = self._weights[rows]
        odds = weights @ scaled + self._intercepts[rows]
        said = _expit(odds)
        uncalibrated = self._promise(action, said)
        drifted = self._watches[action].update(uncalibrated, label)
        self._calibration.learn_one(uncalibrated, label)
        gradient = said - label
        steps = gradient[:, None] * scaled
        squares = self._squares[rows]
        squares += steps * steps
        self._squares[rows] = squares
        steps *= STEP
        steps /= np.sqrt(squares)
        weights -= steps
        self._weights[rows] = weights
        lessons = self._lessons[rows]
        lessons += 1.0
        self._intercepts[rows] -= gradient * INTERCEPT_STEP / np.sqrt(lessons)
        self._lessons[rows] = lessons
        self.lessons += 1
        self._shares = None
        if drifted:
            self._forget(self._paths[action, :2])

    def _promise(self, action: int, said: Floats) -> float:
        """Return what one action's rows promise, before calibration."""
        lessons, answers = self._lessons[self._taught[action]].tolist(), said.tolist()
        levels = self._levels[action]
        shares = mixture([lessons[place] if place >= 0 else 0 for place in levels])
        propensity = shares[-1] * self._prior
        for share, place in zip(shares, levels, strict=False):
            if place >= 0:
                propensity += share * answers[place]
        return propensity

    def _forget(self, rows: NDArray[np.intp]) -> None:
        """Doubt what these rows learned, as a bank of pipelines does; weights stay."""
        stale = np.unique(rows[self._lessons[rows] > REMEMBERED_LESSONS])
        left = REMEMBERED_LESSONS / self._lessons[stale]
        self._squares[stale] = DAMPING + (self._squares[stale] - DAMPING) * left[:, None]
        self._lessons[stale] = REMEMBERED_LESSONS

    def propensities(self, features: Floats) -> Floats:
        """Return P(reward) of each action, (n, actions), for `features` (n, width)."""
        scaled = features - self._means
        scaled *= self._inverse
        missing = np.isnan(scaled)
        if missing.any():
            scaled[missing] = 0.0
        levels = _expit(scaled @ self._weights.T + self._intercepts)
        if self._shares is None:
            self._shares = self._blend()
        by_row, of_prior = self._shares
        return self._calibration.calibrate_all(levels @ by_row + of_prior)

    def _learn_scale(self, features: Floats) -> Floats:
        """Take a row into the means and variances (Welford) and return it scaled."""
        seen = features == features
        away = features - self._means
        self._counts += seen
        whole = bool(seen.all())
        if not whole:
            away[~seen] = 0.0
        divisor = self._counts if whole else np.maximum(self._counts, 1.0)
        self._means += away / divisor
        left = features - self._means
        change = (away * left - self._variances) / divisor
        if not whole:
            left[~seen] = 0.0
            change[~seen] = 0.0
        self._variances += change
        spread = np.sqrt(self._variances)
        self._inverse = np.divide(1.0, spread, out=np.zeros(len(spread)), where=spread > 0.0)
        left *= self._inverse
        return left

    def _blend(self) -> tuple[Floats, Floats]:
        """Return the mixture of `models.backoff` as a matrix, (rows, actions)."""
        lessons = self._lessons[self._paths]
        own = lessons / (lessons + self._halves)
        rest = np.cumprod(1.0 - own, axis=1)
        own[:, 1:] *= rest[:, :-1]
        # Levels of one action may share a row, so shares add up.
        flat: Floats = np.zeros(len(own) * len(self._lessons))
        flat += np.bincount(self._places, own.ravel(), len(flat))
        return flat.reshape(len(own), -1).T, rest[:, -1] * self._prior


def _rows_of(paths: Sequence[tuple[PipelineKey | None, ...]]) -> dict[PipelineKey, int]:
    """Number the pipelines; those that learn and forget by the same actions get the same number."""
    taught_by: dict[PipelineKey, list[int]] = {}
    for number, path in enumerate(paths):
        for key in path:
            if key is not None:
                taught_by.setdefault(key, []).append(number)
    numbers: dict[tuple[bool, tuple[int, ...]], int] = {}
    # At a drift the action and its family forget; the issue and everything do not.
    return {
        key: numbers.setdefault((key.level in LEVELS[:2], tuple(by)), len(numbers))
        for key, by in taught_by.items()
    }


def _expit(odds: Floats) -> Floats:
    clipped = np.clip(odds, -_MOST_LOG_ODDS, _MOST_LOG_ODDS)
    np.negative(clipped, out=clipped)
    np.exp(clipped, out=clipped)
    clipped += 1.0
    result: Floats = np.reciprocal(clipped, out=clipped)
    return result
