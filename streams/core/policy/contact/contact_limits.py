"""Contact limits: how many contacts of a kind a customer had in a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from schemas.symbols import CHANNELS
from streams.core.arrays import Mask
from streams.core.catalogue.contact_rules import Calendar, ContactLimit
from streams.core.catalogue.values import Action
from streams.core.features.wave import Floats, Wave
from streams.core.state.layout import MAX_CONTACTS

_CHANNELS = np.array(CHANNELS)

Locals = Sequence[datetime | None]


class Windows:
    """Which of a wave's contacts are within a limit's window, computed once per window."""

    def __init__(self, wave: Wave, local: Locals) -> None:
        self._wave = wave
        self._local = local
        self._found: dict[int | Calendar, tuple[NDArray[np.bool_], Floats]] = {}

    def within(self, limit: ContactLimit) -> tuple[NDArray[np.bool_], Floats]:
        """Tell which contacts are within the limit's window, (contacts,), and how many a customer.

        The count is (n, 1).
        """
        key = limit.calendar or limit.window_ms
        found = self._found.get(key)
        if found is None:
            recent = self._within(limit)
            count = self._wave.count_by_customer(recent)[:, None]
            found = self._found[key] = recent, count
        return found

    def _within(self, limit: ContactLimit) -> NDArray[np.bool_]:
        wave, calendar = self._wave, limit.calendar
        if calendar is None:
            return wave.contacts_since(limit.window_ms)
        starts = np.array(
            [
                # For customers without a known or assumed zone: the longest that the calendar's
                # window can be.
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


def limited(limit: ContactLimit, actions: Sequence[Action]) -> Mask:
    """Tell which actions a limit is about, shape (a,); for every scope but "channel".

    Service is owed: offers must not use up what an apology needs, and a second ticket within a week
    is acknowledged like the first. So a limit holds for service only where it names the action or
    its issue.
    """
    service = np.array([action.purpose == "service" for action in actions])
    if limit.scope == "overall":
        return ~service
    name_of = attrgetter("id" if limit.scope == "action" else limit.scope)
    names = list(map(name_of, actions))
    # An action without a family is not limited by family.
    about = np.array([name is not None and limit.name in (None, name) for name in names])
    names_it = limit.name is not None and limit.scope in ("action", "issue")
    return about if names_it else about & ~service


def over_limit(wave: Wave, windows: Windows, limit: ContactLimit, about: Mask) -> Mask:
    """Tell which action would be one contact too many for each customer, (n, a).

    `about` (a,) is what `limited` says. For every scope but "channel", which
    `channels_over_limit` answers.
    """
    recent, in_window = windows.within(limit)
    if limit.scope == "overall":
        return about & (in_window >= limit.max_contacts)
    # A ring that is full of contacts within the window may have forgotten others within it, and a
    # limit must hold even then.
    used = wave.count_by_action(recent, limit.scope)
    over: Mask = about & ((used >= limit.max_contacts) | (in_window >= MAX_CONTACTS))
    return over


def channels_over_limit(wave: Wave, windows: Windows, limit: ContactLimit) -> Mask:
    """Tell which channels a limit of scope "channel" closes for each customer, (n, channels)."""
    recent, in_window = windows.within(limit)
    used = wave.count_by_channel(recent)
    over: Mask = (used >= limit.max_contacts) | (in_window >= MAX_CONTACTS)
    if limit.name is not None:
        over &= limit.name == _CHANNELS
    return over
