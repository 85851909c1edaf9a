"""Units: time in milliseconds, and the days of the week by number."""

from __future__ import annotations

from types import MappingProxyType

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# ISO 8601: Monday is 1.
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = MappingProxyType({name: float(number) for number, name in enumerate(_NAMES, 1)})
SATURDAY = WEEKDAYS["saturday"]
