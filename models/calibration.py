"""Calibration: what a model promised, corrected by what came of it.

The blend of a bank's classifiers is a little too timid: each lags behind its customers, and a mean
of probabilities lies nearer to the middle than its parts. Platt (1999) passes the log-odds of such
a promise through `slope * odds + intercept`; learned online, lesson by lesson, as here, that is
Online Platt Scaling (Gupta and Ramdas, ICML 2023). The two numbers are of the whole model, take
AdaGrad's steps of the same width as every other weight (Duchi, Hazan and Singer 2011), and begin at
1 and 0, which change nothing.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from models.learning_rates import DAMPING, STEP
from models.protocol import Floats

# Log-odds of 1 in a billion: what a promise is taken for that says never, or always.
MOST_LOG_ODDS = 20.7
_LEAST = 1.0 / (1.0 + math.exp(MOST_LOG_ODDS))
# Order must not turn round, and no promise may become a certainty.
LEAST_SLOPE, MOST_SLOPE = 0.2, 5.0


class Calibration(msgspec.Struct, array_like=True):
    """A map of log-odds, and how much it has learned.

    >>> calibration = Calibration()
    >>> calibration.of(0.25)
    0.25
    >>> for _ in range(1_000):
    ...     calibration.learn_one(0.25, False)
    >>> 0.0 < calibration.of(0.25) < 0.05
    True
    """

    slope: float = 1.0
    intercept: float = 0.0
    slope_squares: float = DAMPING
    intercept_squares: float = DAMPING

    def of(self, promised: float) -> float:
        """Return the propensity behind a promise in [0, 1]."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return promised
        return 1.0 / (1.0 + math.exp(-self.slope * _log_odds(promised) - self.intercept))

    def learn_one(self, promised: float, label: bool) -> None:
        """Learn what came of a promise (as it was before `of`)."""
        odds = _log_odds(promised)
        push = self.of(promised) - label
        step = push * odds
        self.slope_squares += step * step
        self.intercept_squares += push * push
        slope = self.slope - STEP * step / math.sqrt(self.slope_squares)
        self.slope = min(max(slope, LEAST_SLOPE), MOST_SLOPE)
        self.intercept -= STEP * push / math.sqrt(self.intercept_squares)

    def of_all(self, promised: Floats) -> Floats:
        """Return `of` each of an array's promises."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return promised
        odds = np.clip(promised, _LEAST, 1.0 - _LEAST)
        odds /= 1.0 - odds
        np.log(odds, out=odds)
        odds *= -self.slope
        odds -= self.intercept
        np.exp(odds, out=odds)
        odds += 1.0
        propensities: Floats = np.reciprocal(odds, out=odds)
        return propensities

    @property
    def is_sound(self) -> bool:
        """Whether these numbers can have been learned."""
        sums = (self.slope_squares, self.intercept_squares)
        finite = all(map(math.isfinite, (self.intercept, *sums)))
        squares = min(sums)
        return finite and LEAST_SLOPE <= self.slope <= MOST_SLOPE and squares >= DAMPING

    def copy(self) -> Calibration:
        """Return an independent copy."""
        return Calibration(self.slope, self.intercept, self.slope_squares, self.intercept_squares)


def _log_odds(p: float) -> float:
    if not 0.0 < p < 1.0:
        return -MOST_LOG_ODDS if p <= 0.0 else MOST_LOG_ODDS
    return min(max(math.log(p) - math.log1p(-p), -MOST_LOG_ODDS), MOST_LOG_ODDS)
