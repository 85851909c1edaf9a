"""Quiet hours of a catalogue, and the time zone of customers who did not tell theirs."""

from __future__ import annotations

import re
from typing import cast

from streams.core.catalogue_yaml.sections import Place, Section
from streams.core.contact_rules import QUIET_ANSWERS, QuietAnswer, QuietHours
from streams.core.rules.names import near
from streams.core.zones import ZONES

DEFAULT_ZONE = "UTC"
_ALWAYS_QUIET = "always_quiet"
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def read_time_zone(section: Section) -> str:
    """Return the zone that is assumed where a customer's own is not known.

    `time_zone` at the top, else `quiet_hours.unknown_zone`, else UTC. Two different ones are
    refused: a customer cannot live in both.
    """
    place, inside = section.get("time_zone"), section.get("quiet_hours")
    entries = (inside.entries() if inside and inside.is_mapping else None) or {}
    unknown = entries.get("unknown_zone")
    told = None if unknown is None else unknown.scalar()
    quiet_zone = told if told in ZONES else None
    if place is None:
        return quiet_zone or DEFAULT_ZONE
    name = place.text(64)
    if name is not None and name not in ZONES:
        place.wrong(f"`{name}` is no time zone; write one like Europe/London{near(name, ZONES)}")
    elif unknown is not None and quiet_zone not in (None, name):
        unknown.wrong(f"`time_zone` says {name}; remove this, or write {_ALWAYS_QUIET}")
    return name if name in ZONES else DEFAULT_ZONE


def read_quiet_hours(section: Section) -> QuietHours:
    """Return the quiet hours at the top of a catalogue."""
    place, zone = section.get("quiet_hours"), read_time_zone(section)
    inside = place.section(("from", "until", "then", "unknown_zone")) if place else None
    if inside is None:
        return QuietHours(unknown_zone=zone)
    then = inside.get("then")
    answer = cast(QuietAnswer | None, then.word(QUIET_ANSWERS, "answer") if then else None)
    start, end = _clock(inside.get("from")), _clock(inside.get("until"))
    if place and (start is None) != (end is None):
        place.wrong("quiet hours need both ends, for example `from: 21:00` and `until: 08:00`")
    elif place and start is not None and start == end:
        place.wrong("quiet hours from a time until the same time would never be; change one end")
    return QuietHours(start or 0, end or 0, answer or "other_channel", _zone(inside, zone))


def _clock(place: Place | None) -> int | None:
    if place is None:
        return None
    text = place.scalar() or ""
    found = _CLOCK.fullmatch(text)
    if found is None:
        place.wrong(f"`{text}` is no time of day; write hours and minutes, for example 21:00")
    return int(found[1]) * 60 + int(found[2]) if found else None


def _zone(section: Section, default: str) -> str | None:
    place = section.get("unknown_zone")
    name = place.text(64) if place else default
    if place and name is not None and name != _ALWAYS_QUIET and name not in ZONES:
        place.wrong(
            f"`{name}` is no time zone; write one like Europe/London, or {_ALWAYS_QUIET} to leave "
            "those in peace whose zone is not known"
        )
    return None if name == _ALWAYS_QUIET else name
