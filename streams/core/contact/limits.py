"""Contact limits: how many contacts of a kind a customer had in a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.chance import name_number
from streams.core.contact_rules import Calendar, ContactLimit
from streams.core.funnel import Mask
from streams.core.layout import MAX_CONTACTS
from streams.core.wave import Floats, Wave

Locals = Sequence[datetime | None]


class Windows:
    """Which of a wave's contacts lie within a limit's window, asked once per window."""

    def __init__(self, wave: Wave, local: Locals) -> None:
        self._wave = wave
        self._local = local
        self._found: dict[int | Calendar, NDArray[np.bool_]] = {}

    def within(self, limit: ContactLimit) -> NDArray[np.bool_]:
        """Tell which contacts lie within the limit's window, shape (contacts,)."""
        key = limit.calendar or limit.window_ms
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._within(limit)
        return found

    def _within(self, limit: ContactLimit) -> NDArray[np.bool_]:
        wave, calendar = self._wave, limit.calendar
        if calendar is None:
            return wave.contacts_since(limit.window_ms)
        starts = np.array(
            [
                # For whom no zone is assumed, the longest that the calendar's window can be.
                at_ms - limit.window_ms if local is None else _start_ms(local, calendar)
                for local, at_ms in zip(self._local, wave.at_ms, strict=True)
            ]
        )
        within: NDArray[np.bool_] = wave.contact("at_ms") >= starts[wave.contact_rows]
        return within


def _start_ms(local: datetime, calendar: Calendar) -> float:
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if calendar == "week":
        start -= timedelta(days=start.weekday())
    elif calendar == "month":
        start = start.replace(day=1)
    return start.timestamp() * 1000


def over_limit(wave: Wave, windows: Windows, limit: ContactLimit) -> Mask:
    """Tell for whom one more contact would be one too many, (n, a) or (n, 1).

    For every scope but "channel", which `channels_over_limit` answers.
    """
    recent = windows.within(limit)
    in_window = wave.count_by_customer(recent)[:, None]
    if limit.scope == "overall":
        return in_window >= limit.max_contacts
    numbers: Floats = getattr(wave.axis, f"{limit.scope}_numbers")
    used = wave.count_by_action(recent, limit.scope, numbers)
    # An action without a family is not limited by family.
    limited = (numbers > 0 if limit.name is None else numbers == name_number(limit.name))[None]
    # A ring that is full of contacts within the window may have forgotten others within it, and a
    # limit must hold even then.
    over: Mask = limited & ((used >= limit.max_contacts) | (in_window >= MAX_CONTACTS))
    return over


def channels_over_limit(wave: Wave, windows: Windows, limit: ContactLimit) -> Mask:
    """Tell which channels a limit of scope "channel" closes for whom, (n, channels)."""
    recent = windows.within(limit)
    full = wave.count_by_customer(recent) >= MAX_CONTACTS
    over = np.zeros((len(wave), len(CHANNELS)), bool)
    for number, channel in enumerate(CHANNELS):
        if limit.name in (None, channel):
            of_channel = recent & (wave.contact("channel") == number)
            used = wave.count_by_customer(of_channel)
            over[:, number] = (used >= limit.max_contacts) | full
    return over
