"""Calibration: predicted probabilities, corrected by observed outcomes.

The blend of a bank's classifiers is a little too timid: each lags behind its customers, and a mean
of probabilities is nearer to the middle than its parts. Platt (1999) maps the log-log_odds of an
uncalibrated probability by `slope * log_odds + intercept`; learned online, lesson by lesson, this
is Online Platt Scaling (Gupta and Ramdas, ICML 2023). The two numbers are of the whole model, take
AdaGrad's steps of the same width as every other weight (Duchi, Hazan and Singer 2011), and begin at
1 and 0, which change nothing.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from models.learning_rates import DAMPING, STEP
from models.protocol import Floats

# Log-log_odds of 1 in a billion: the limit for probabilities of 0 and 1.
MOST_LOG_ODDS = 20.7
_LEAST = 1.0 / (1.0 + math.exp(MOST_LOG_ODDS))
# Order must not turn round, and no promise may become a certainty.
LEAST_SLOPE, MOST_SLOPE = 0.2, 5.0


class Calibration(msgspec.Struct, array_like=True):
    """A map of log-log_odds, and how much it has learned.

    >>> calibration = Calibration()
    >>> calibration.calibrate(0.25)
    0.25
    >>> for _ in range(1_000):
    ...     calibration.learn_one(0.25, False)
    >>> 0.0 < calibration.calibrate(0.25) < 0.05
    True
    """

    slope: float = 1.0
    intercept: float = 0.0
    slope_squares: float = DAMPING
    intercept_squares: float = DAMPING

    def calibrate(self, uncalibrated: float) -> float:
        """Return the calibrated probability of an uncalibrated one in [0, 1]."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return uncalibrated
        return 1.0 / (1.0 + math.exp(-self.slope * _log_odds(uncalibrated) - self.intercept))

    def learn_one(self, uncalibrated: float, label: bool) -> None:
        """Learn the outcome that followed an uncalibrated probability."""
        log_odds = _log_odds(uncalibrated)
        push = self.calibrate(uncalibrated) - label
        step = push * log_odds
        self.slope_squares += step * step
        self.intercept_squares += push * push
        slope = self.slope - STEP * step / math.sqrt(self.slope_squares)
        self.slope = min(max(slope, LEAST_SLOPE), MOST_SLOPE)
        self.intercept -= STEP * push / math.sqrt(self.intercept_squares)

    def calibrate_all(self, uncalibrated: Floats) -> Floats:
        """Return the calibrated probabilities of an array of uncalibrated ones."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return uncalibrated
        log_odds = np.clip(uncalibrated, _LEAST, 1.0 - _LEAST)
        log_odds /= 1.0 - log_odds
        np.log(log_odds, out=log_odds)
        log_odds *= -self.slope
        log_odds -= self.intercept
        np.exp(log_odds, out=log_odds)
        log_odds += 1.0
        propensities: Floats = np.reciprocal(log_odds, out=log_odds)
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
