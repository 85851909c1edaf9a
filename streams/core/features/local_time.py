"""Columns of local time: the hour, the weekday and the weekend on the customer's own clock.

The zone is the customer's, or the catalogue's `time_zone` where it is not known. Rules read
`local_hour`, `local_weekday` and `weekend`. The model also gets the hour as a point on a circle,
because for a linear model 23 o'clock would else be as far from midnight as it can be.
"""

from __future__ import annotations

import numpy as np

from streams.core.features.wave import Floats, Wave
from streams.core.units import DAY_MS, HOUR_MS, SATURDAY, WEEKDAYS

# 1970-01-01, day 0, was a Thursday.
_DAY_0 = WEEKDAYS["thursday"]
_RADIANS_A_MS = 2 * np.pi / DAY_MS


def local_hour(wave: Wave) -> Floats:
    """Return the hour of the customer's day, 0 to 23, (n,)."""
    return np.floor_divide(wave.day_part_ms, HOUR_MS)


def local_weekday(wave: Wave) -> Floats:
    """Return the weekday of the customer's day, 1 (Monday) to 7, (n,)."""
    return weekday_of(wave.local_days)


def weekday_of(days: Floats) -> Floats:
    """Return the weekday, 1 (Monday) to 7, of days since 1970.

    >>> weekday_of(np.array([0.0, 20_788.0]))  # 1970-01-01 and 2026-12-01
    array([4., 2.])
    """
    return (days + (_DAY_0 - 1)) % 7 + 1


def is_weekend(wave: Wave) -> Floats:
    """Return the flag of the customer's Saturday and Sunday, (n,)."""
    return (local_weekday(wave) >= SATURDAY).astype(np.float64)


def hour_sin(wave: Wave) -> Floats:
    """Return the sine of the customer's time of day as an angle, (n,)."""
    return np.sin(wave.day_part_ms * _RADIANS_A_MS)


def hour_cos(wave: Wave) -> Floats:
    """Return the cosine of the same angle, (n,)."""
    return np.cos(wave.day_part_ms * _RADIANS_A_MS)
