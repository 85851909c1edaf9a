"""Quiet hours of a catalogue, and the time zone of customers whose zone is unknown."""

from __future__ import annotations

import re
from calendar import monthrange
from typing import cast

from streams.core.catalogue.contact_rules import (
    ALL_DAY,
    QUIET_ANSWERS,
    Date,
    QuietAnswer,
    QuietHours,
    QuietTimes,
    Span,
)
from streams.core.channels import REACHING_OUT
from streams.core.suggestions import near
from streams.core.time_zones import ZONES
from streams.core.units import WEEKDAYS
from streams.core.yaml_file.typed_node import Section, TypedNode

DEFAULT_ZONE = "UTC"
# Enough for ten years of holidays; it bounds the search for the next open day as well.
MAX_DATES = 200
_ALWAYS_QUIET, _ALL_DAY = "always_quiet", "all_day"
_TIMES = ("from", "until", "weekdays", "dates")
_DATE = re.compile(r"(?:([12]\d{3})-)?(\d\d)-(\d\d)")
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
    inside = place.section((*_TIMES, "then", "unknown_zone", "channels")) if place else None
    if inside is None:
        return QuietHours(unknown_zone=zone)
    then = inside.get("then")
    answer = cast(QuietAnswer | None, then.word(QUIET_ANSWERS, "answer") if then else None)
    times = _times(inside, QuietTimes())
    return QuietHours(
        times, answer or "other_channel", _zone(inside, zone), _by_channel(inside, times)
    )


def _by_channel(inside: Section, times: QuietTimes) -> tuple[tuple[str, QuietTimes], ...]:
    """Return the channels with times of their own; what one leaves out is as for all."""
    place = inside.get("channels")
    found = []
    for channel, entry in ((place.entries() if place else None) or {}).items():
        if channel not in REACHING_OUT:
            hint = near(channel, REACHING_OUT) or f"; known: {', '.join(REACHING_OUT)}"
            entry.wrong(f"`{channel}` is no channel that reaches out{hint}")
        section = entry.section(_TIMES)
        if section is not None:
            found.append((channel, _times(section, times)))
    return tuple(found)


def _times(section: Section, default: QuietTimes) -> QuietTimes:
    weekdays, dates = section.get("weekdays"), section.get("dates")
    found = QuietTimes(
        _span(section, default.daily),
        default.weekdays if weekdays is None else _weekdays(weekdays),
        default.dates if dates is None else _dates(dates),
    )
    if weekdays and len([span for _, span in found.weekdays if span == ALL_DAY]) == len(WEEKDAYS):
        weekdays.wrong("every day is quiet all day, so no customer could be contacted; open one")
    return found


def _span(section: Section, default: Span) -> Span:
    start, end = section.get("from"), section.get("until")
    if start is None and end is None:
        return default
    if start is None or end is None:
        section.place.wrong(
            "quiet hours need both ends, for example `from: 21:00` and `until: 08:00`"
        )
        return default
    first, last = _clock(start), _clock(end, may_be_24=True)
    if first is None or last is None:
        return default
    found = Span(first, last)
    if found.is_empty:
        section.place.wrong(
            "quiet hours from a time until the same time would never be; change one end"
        )
    return found


def _weekdays(place: TypedNode) -> tuple[tuple[int, Span], ...]:
    section = place.section(WEEKDAYS)
    found = []
    for name, entry in (section.entries if section else {}).items():
        if entry.is_mapping:
            inside = entry.section(("from", "until"))
            if inside and not inside.entries:
                entry.wrong(f"`{name}` needs `from` and `until`, or the word {_ALL_DAY}")
            span = _span(inside, ALL_DAY) if inside else ALL_DAY
        else:
            _check_word_of_day(name, entry)
            span = ALL_DAY
        found.append((int(WEEKDAYS[name]), span))
    return tuple(found)


def _check_word_of_day(name: str, entry: TypedNode) -> None:
    if entry.is_text:
        entry.word((_ALL_DAY,), "word for a day")
        return
    entry.wrong(
        f"write `{name}: {_ALL_DAY}` for a day that is quiet all day,"
        f" `{name}: {{from: 18:00, until: 24:00}}` for some hours,"
        " and leave out a day without quiet hours of its own"
    )


def _dates(place: TypedNode) -> tuple[Date, ...]:
    found: dict[Date, None] = {}
    items = place.items() or []
    if len(items) > MAX_DATES:
        place.wrong(f"{len(items)} dates, the limit is {MAX_DATES}; remove those that are past")
    for item in items:
        each = _date(item)
        if each in found:
            item.wrong(f"`{item.scalar()}` is in this list twice")
        elif each is not None:
            found[each] = None
    return tuple(found)


def _date(place: TypedNode) -> Date | None:
    text = place.scalar() or ""
    parts = _DATE.fullmatch(text)
    if parts is not None:
        year, month, day = int(parts[1] or 0), int(parts[2]), int(parts[3])
        # 2000 had a 29th of February, as a date of every year may.
        if 1 <= month <= 12 and 1 <= day <= monthrange(year or 2000, month)[1]:
            return Date(year, month, day)
    place.wrong(f"`{text}` is no date; write 2026-12-25, or 12-25 for one of every year")
    return None


def _clock(place: TypedNode, may_be_24: bool = False) -> int | None:
    text = place.scalar() or ""
    if may_be_24 and text == "24:00":
        return ALL_DAY.end
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
