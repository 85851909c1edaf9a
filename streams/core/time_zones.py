"""Time zones, from the pinned `tzdata` package: the same on every host, unlike the host's own.

`offsets_ms` gives the UTC offset of many instants at once. A zone changes its offset at most once
in a UTC day (no zone of the database has two changes within 48 hours), so one day of one zone is
two offsets and the instant between them. Those are computed once and kept; a wave of customers
costs one look-up for each distinct zone and day, not one date a customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ZONES = frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())

_DAY_MS = 86_400_000
# Some 1.5 MB. Live traffic needs one or two days of each zone in use; a replay of years moves on.
_MOST_DAYS = 8_192


@lru_cache(maxsize=len(ZONES))
def zone(name: str | None) -> tzinfo:
    """Return a zone by its IANA name; UTC for none, and for an unknown name.

    >>> zone("Europe/London").key, zone("Europe")
    ('Europe/London', datetime.timezone.utc)
    """
    if name is None or name not in ZONES:
        return UTC
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def offsets_ms(names: Sequence[str], at_ms: Floats) -> Floats:
    """Return how far local time is ahead of UTC, (n,), in zone `names[k]` at `at_ms[k]`.

    A name that is unknown counts as UTC. Each offset depends on its own zone and instant only.

    >>> offsets_ms(["America/Los_Angeles", "UTC"], np.array([1.79e12, 1.79e12])) / 3_600_000
    array([-7.,  0.])
    """
    if len(names) == 1:
        # A wave of one: what follows would cost more than it computes.
        return np.array([offset_ms(names[0], float(at_ms[0]))])
    keys = list(zip(names, (at_ms // _DAY_MS).tolist(), strict=True))
    distinct = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    days = np.array([_offsets_of_day(name, int(day)) for name, day in distinct]).reshape(-1, 3)
    if len(distinct) > 1:
        days = days[[distinct[key] for key in keys]]
    offsets: Floats = np.where(at_ms < days[:, 1], days[:, 0], days[:, 2])
    return offsets


def offset_ms(name: str, at_ms: float) -> float:
    """Return how far local time is ahead of UTC at one instant."""
    before, change, after = _offsets_of_day(name, int(at_ms // _DAY_MS))
    return before if at_ms < change else after


def instants_ms(name: str, wall_ms: float) -> list[float]:
    """Return when clocks of a zone show a local time (milliseconds since 1970 as if it were UTC).

    Once on most days; twice within the hour that comes twice. A time that clocks leave out is
    taken as if they had not changed, so up to an hour later.

    >>> instants_ms("UTC", 5.0), len(instants_ms("Europe/Berlin", 1_792_895_400_000.0))
    ([5.0], 2)
    """
    # Not more than a day apart from what UTC shows, and not more than one change between the two.
    around = [offset_ms(name, wall_ms + side * _DAY_MS) for side in (-1, 1)]
    shown = [wall_ms - offset for offset in dict.fromkeys(around)]
    right = [at_ms for at_ms in shown if at_ms + offset_ms(name, at_ms) == wall_ms]
    return sorted(right) or shown[:1]


@lru_cache(maxsize=_MOST_DAYS)
def _offsets_of_day(name: str, day: int) -> tuple[float, float, float]:
    """Return the offset at the start of a UTC day, when it changes, and the offset from then on."""
    known = zone(name)

    def offset_ms(at_ms: int) -> float:
        offset = datetime.fromtimestamp(at_ms / 1000, known).utcoffset()
        return 0.0 if offset is None else offset.total_seconds() * 1000

    start_ms, end_ms = day * _DAY_MS, (day + 1) * _DAY_MS
    before, after = offset_ms(start_ms), offset_ms(end_ms)
    if before == after:
        return before, float(end_ms), after
    # The last second of the old offset and the first one of the new: offsets change on seconds.
    low_s, high_s = start_ms // 1000, end_ms // 1000
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if offset_ms(middle_s * 1000) == before:
            low_s = middle_s
        else:
            high_s = middle_s
    return before, high_s * 1000.0, after
