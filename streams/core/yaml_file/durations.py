"""Durations as an owner writes and reads them."""

from __future__ import annotations

from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS

UNITS_MS = {"seconds": 1_000, "minutes": MINUTE_MS, "hours": HOUR_MS, "days": DAY_MS}


def durations(stem: str) -> tuple[str, ...]:
    """Return the keys of a duration: `window_minutes`, `window_days`..."""
    return tuple(f"{stem}_{unit}" for unit in UNITS_MS)


def spoken(duration_ms: int) -> str:
    """Return a duration in the largest unit that divides it: "1 minute", "7 days"."""
    unit = next(
        (u for u in reversed(UNITS_MS) if duration_ms and duration_ms % UNITS_MS[u] == 0), "seconds"
    )
    number = duration_ms // UNITS_MS[unit]
    return f"{number} {unit.removesuffix('s') if number == 1 else unit}"
