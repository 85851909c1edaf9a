"""Quiet hours: the times of a customer's own day at which nobody disturbs them.

Local time is wall-clock time, so on the days when clocks change quiet hours still begin and end
when the clock on the wall says so: a night is an hour shorter or longer, and an hour that comes
twice is quiet both times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from streams.core.contact_rules import QuietHours
from streams.core.layout import HEAD
from streams.core.state import CustomerState
from streams.core.zones import zone

_FROM, _UNTIL = HEAD["quiet_from_minute"], HEAD["quiet_until_minute"]


class Hours(NamedTuple):
    """From when until when it is quiet for somebody, in minutes after their midnight."""

    start: int
    end: int

    def hold(self, minute: int) -> bool:
        """Tell whether it is quiet; hours may pass midnight, and equal ends mean never."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def hours_of(state: CustomerState, rule: QuietHours) -> Hours:
    """Return a customer's quiet hours: their own word, or else the catalogue's."""
    own = Hours(int(state.head[_FROM]), int(state.head[_UNTIL]))
    return Hours(rule.from_minute, rule.until_minute) if own.start == own.end else own


def local_time(state: CustomerState, at_ms: float, rule: QuietHours) -> datetime | None:
    """Return the customer's local time; None where their zone is neither known nor assumed."""
    name = state.time_zone or rule.unknown_zone
    return None if name is None else datetime.fromtimestamp(at_ms / 1000, zone(name))


def in_quiet_hours(state: CustomerState, local: datetime | None, rule: QuietHours) -> bool:
    """Tell whether the customer must not be disturbed now."""
    hours = hours_of(state, rule)
    if hours.start == hours.end:
        return False
    return True if local is None else hours.hold(local.hour * 60 + local.minute)


def quiet_until_ms(state: CustomerState, local: datetime | None, rule: QuietHours) -> int:
    """Return when the present quiet hours end; 0 where nobody can tell."""
    if local is None:
        return 0
    hour, minute = divmod(hours_of(state, rule).end, 60)
    # An end within the hour that comes twice is the one that follows now.
    end = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if end <= local:
        # By the calendar, not by 24 hours: times of one zone are compared and moved on the wall.
        end = end.replace(fold=0) + timedelta(days=1)
    return int(end.timestamp() * 1000)
