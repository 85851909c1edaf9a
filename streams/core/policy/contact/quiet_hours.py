"""Quiet hours: the times of a customer's local day, week and year without contact.

Local time is wall-clock time, so on the days when clocks change quiet hours still begin and end
when the clock on the wall says so: a night is an hour shorter or longer, and an hour that comes
twice is quiet both times. Quiet times become tables over the minutes of a week, so that a wave
costs a look-up a customer; dates are days since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.catalogue.contact_rules import Date, QuietHours, QuietTimes, Span
from streams.core.channels import REACHING_OUT
from streams.core.features.wave import Wave
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD
from streams.core.time_zones import instants_ms, offset_ms
from streams.core.units import MINUTE_MS

Flags = NDArray[np.bool_]

_FROM, _UNTIL = HEAD["quiet_from_minute"], HEAD["quiet_until_minute"]
_DAY_MINUTES, _WEEK_DAYS = 24 * 60, 7
_WEEK_MINUTES = _WEEK_DAYS * _DAY_MINUTES
_EPOCH = date(1970, 1, 1)
# 1970 began on a Thursday, three days into a week that begins on Monday.
_INTO_THE_WEEK = 3 * _DAY_MINUTES
# The years for which a date of every year is spelt out.
_YEARS = range(1970, 2101)


def own_hours(state: CustomerState) -> Span:
    """Return the quiet hours that a customer set; empty where they set none."""
    return Span(int(state.head[_FROM]), int(state.head[_UNTIL]))


class QuietTable:
    """The quiet times of a channel as tables: minutes of a week from Monday, and days since 1970.

    `week` (10080,) holds for customers without hours of their own; `others` leaves out the daily
    span, for customers whose own hours replace it.
    """

    def __init__(self, times: QuietTimes) -> None:
        of_day, week = dict(times.weekdays), range(1, _WEEK_DAYS + 1)
        self.week = np.concatenate([_minutes(of_day.get(day, times.daily)) for day in week])
        self.others = np.concatenate([_minutes(of_day.get(day, Span())) for day in week])
        self.dates = frozenset(day for each in times.dates for day in _days(each))
        self.is_empty = times.is_empty
        # The week comes round, and after the last date there is none: what is open at all is open
        # within so many days.
        self._most_days = _WEEK_DAYS + 1 + len(times.dates)
        self._until_open = _until_open(self.week)
        self._until_others_open = _until_open(self.others)

    def opens_ms(self, wall_ms: float, own: Span) -> float:
        """Return the local time at which quiet times end that hold at one; -1 where they never do.

        Local times are milliseconds since 1970 as if they were UTC.
        """
        until_open = self._until_open if own.is_empty else self._until_others_open
        minute = int(wall_ms // MINUTE_MS)
        end = (minute // _DAY_MINUTES + self._most_days + 1) * _DAY_MINUTES
        while minute < end:
            before, of_day = minute, minute % _DAY_MINUTES
            if own.holds(of_day):
                minute += (own.end - of_day) % _DAY_MINUTES or _DAY_MINUTES
            minute += int(until_open[(minute + _INTO_THE_WEEK) % _WEEK_MINUTES])
            day = minute // _DAY_MINUTES
            if day in self.dates:
                minute = (day + 1) * _DAY_MINUTES
            if minute == before:
                return float(minute * MINUTE_MS)
        return -1.0


def _minutes(span: Span) -> Flags:
    """Return which minutes of a day are in a span, (1440,)."""
    minute = np.arange(_DAY_MINUTES)
    if span.start <= span.end:
        return (span.start <= minute) & (minute < span.end)
    return (minute >= span.start) | (minute < span.end)


def _until_open(quiet: Flags) -> NDArray[np.intp]:
    """Return for each minute of a week how many remain until one that is not quiet, (10080,).

    A week that is quiet throughout counts as open after it, so a search goes on to its own end.
    """
    open_ = np.flatnonzero(~quiet)
    first = open_[0] if len(open_) else 0
    following = np.append(open_, first + _WEEK_MINUTES)
    minute = np.arange(_WEEK_MINUTES)
    return following[np.searchsorted(following, minute)] - minute


def _days(each: Date) -> set[int]:
    """Return a date as days since 1970; one of every year for all that there are."""
    found = set()
    for year in (each.year,) if each.year else _YEARS:
        try:
            found.add((date(year, each.month, each.day) - _EPOCH).days)
        except ValueError:
            # The 29th of February is not in every year.
            continue
    return found


class QuietPlan:
    """The quiet hours of a catalogue, for every channel that reaches out."""

    def __init__(self, rule: QuietHours) -> None:
        self._zone = rule.unknown_zone
        self._tables = {
            CHANNELS.index(channel): QuietTable(rule.of(channel)) for channel in REACHING_OUT
        }
        self._reaching = np.array([channel in REACHING_OUT for channel in CHANNELS])
        # Rows by minute of the week, so that a customer's are found side by side.
        shape = (_WEEK_MINUTES, len(CHANNELS))
        self._week, self._others = np.zeros(shape, bool), np.zeros(shape, bool)
        self._ever = np.zeros(len(CHANNELS), bool)
        for channel, table in self._tables.items():
            self._week[:, channel], self._others[:, channel] = table.week, table.others
            self._ever[channel] = not table.is_empty
        self._dates = frozenset().union(*(table.dates for table in self._tables.values()))

    def quiet(self, wave: Wave) -> Flags | None:
        """Tell which channels are in quiet hours, (n, channels); None if none is for anyone."""
        start, end = wave.number("quiet_from_minute"), wave.number("quiet_until_minute")
        has_own = start != end
        some_have = has_own.any()
        if not some_have and not self._ever.any():
            return None
        minutes = np.floor_divide(wave.local_ms, MINUTE_MS).astype(np.int64)
        cells = (minutes + _INTO_THE_WEEK) % _WEEK_MINUTES
        quiet: Flags = self._week.take(cells, axis=0)
        if some_have:
            minute = cells % _DAY_MINUTES
            inside = (start <= minute) & (minute < end)
            around = (minute >= start) | (minute < end)
            theirs = has_own & np.where(start <= end, inside, around)
            others = self._others.take(cells, axis=0) | (theirs[:, None] & self._reaching)
            quiet = np.where(has_own[:, None], others, quiet)
        if self._dates:
            self._add_dates(quiet, minutes // _DAY_MINUTES)
        if self._zone is None:
            unknown = np.array([state.time_zone is None for state in wave.states])
            always = self._ever | (has_own[:, None] & self._reaching)
            quiet = np.where(unknown[:, None], always, quiet)
        return quiet

    def _add_dates(self, quiet: Flags, days: NDArray[np.int64]) -> None:
        """Make channels quiet all day on their dates; most days of most waves are none."""
        for day in set(days.tolist()) & self._dates:
            for channel, table in self._tables.items():
                if day in table.dates:
                    quiet[days == day, channel] = True

    def over_ms(self, state: CustomerState, at_ms: float, channels: Sequence[int]) -> int:
        """Return when the first of some channels, quiet at `at_ms`, opens again; 0 for never."""
        name = state.time_zone or self._zone
        if name is None:
            return 0
        wall_ms, own = at_ms + offset_ms(name, at_ms), own_hours(state)
        opens = [self._tables[channel].opens_ms(wall_ms, own) for channel in channels]
        # The clock shows a time twice on some nights: the showing that follows is meant.
        found = [
            next((t for t in instants_ms(name, wall) if t > at_ms), 0.0)
            for wall in opens
            if wall >= 0
        ]
        return round(min(filter(None, found), default=0.0))
