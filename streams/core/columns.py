"""Column functions: a wave in, one number per customer (or per customer and family) out.

Shapes are (n,) for customers and (n, f + 1) for families; see `streams.core.wave`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streams.core.layout import DAY_MS, HOUR_MS, MINUTE_MS
from streams.core.wave import Wave

Floats = NDArray[np.float64]

# "Never" as a number of days: every rule such as `days_since_purchase > 14` holds for it.
NEVER_DAYS = 3650.0
WEEK_MS = 7 * DAY_MS


def days_since(wave: Wave, then_ms: Floats) -> Floats:
    """Return the days from `then_ms` (0 = never) to now, in its shape: (n,) or (n, f + 1)."""
    at_ms = wave.at_ms if then_ms.ndim == 1 else wave.at_ms[:, None]
    days = np.clip((at_ms - then_ms) / DAY_MS, 0.0, NEVER_DAYS)
    since: Floats = np.where(then_ms > 0, days, NEVER_DAYS)
    return since


def since(slot: str) -> Callable[[Wave], Floats]:
    """Return the column of the days since a time in the head."""
    return lambda wave: days_since(wave, wave.number(slot))


def decayed(name: str, half_life: str) -> Callable[[Wave], Floats]:
    """Return the column of a decayed sum."""
    return lambda wave: wave.decayed(name, half_life)


def number(slot: str) -> Callable[[Wave], Floats]:
    """Return the column of a number in the head."""
    return lambda wave: wave.number(slot)


def at_moment(moment: str) -> Callable[[Wave], Floats]:
    """Return the flag of who is at a moment."""
    return lambda wave: wave.moment_flags.get(moment, np.zeros(len(wave)))


def cart_minutes(wave: Wave) -> Floats:
    """Return how long the cart was not touched; 0 for an empty one."""
    minutes = np.clip((wave.at_ms - wave.number("latest_carted")) / MINUTE_MS, 0.0, 60 * 24 * 30)
    return np.where(wave.cart_items > 0, minutes, 0.0)


def overdue(wave: Wave) -> Floats:
    """Time since the last order of a family over its usual gap, (n, f + 1); 0 without a rhythm."""
    days = wave.family("order_days")
    span = wave.family("last_order_day") - wave.family("first_order_day")
    since = np.maximum(wave.at_ms[:, None] / DAY_MS - wave.family("last_order_day"), 0.0)
    has_rhythm = (days >= 3) & (span > 0)
    gap = np.where(has_rhythm, span / np.maximum(days - 1, 1), 1.0)
    overdue: Floats = np.where(has_rhythm, np.minimum(since / gap, 3.0), 0.0)
    return overdue


def family_share(wave: Wave) -> Floats:
    """Return each family's share of a customer's lasting interest, (n, f + 1)."""
    interest = wave.family_decayed("interest_30d", "30d")
    share: Floats = interest / np.maximum(interest.sum(axis=1, keepdims=True), 1e-9)
    return share


def shown(wave: Wave) -> Floats:
    """Return how often each action was published to each customer in a week, (n, a)."""
    recent = wave.contacts_since(WEEK_MS)
    return wave.count_by_action(recent, "action", wave.axis.action_numbers)


def hour_angle(wave: Wave) -> Floats:
    """Return the hour of the day (UTC) as an angle."""
    return np.mod(wave.at_ms, DAY_MS) / HOUR_MS * (2 * np.pi / 24)


def is_weekend(wave: Wave) -> Floats:
    """Return the flag of Saturday and Sunday (UTC)."""
    # 1970-01-01 was a Thursday; Saturday and Sunday are days 2 and 3 after it.
    return np.isin(np.mod(wave.at_ms // DAY_MS, 7), (2.0, 3.0)).astype(np.float64)
