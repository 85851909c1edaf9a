"""Time zones, from the pinned `tzdata` package: the same on every host, unlike the host's own."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

ZONES = frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())


@lru_cache(maxsize=len(ZONES))
def zone(name: str | None) -> tzinfo:
    """Return a zone by its IANA name; UTC for none, and for a name that nobody knows.

    >>> zone("Europe/London").key, zone("Europe")
    ('Europe/London', datetime.timezone.utc)
    """
    if name is None or name not in ZONES:
        return UTC
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
