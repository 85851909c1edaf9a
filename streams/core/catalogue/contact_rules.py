"""The contact rules of a catalogue as values: how often, when, and when not at all.

Durations are milliseconds, times of day are minutes after local midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from streams.core.units import HOUR_MS

Scope = Literal["overall", "channel", "issue", "family", "action"]
Calendar = Literal["day", "week", "month"]
QuietAnswer = Literal["other_channel", "discard", "wait"]
After = Literal["ignored", "rejected", "objected"]

SCOPES: tuple[Scope, ...] = ("overall", "channel", "issue", "family", "action")
CALENDARS: tuple[Calendar, ...] = ("day", "week", "month")
QUIET_ANSWERS: tuple[QuietAnswer, ...] = ("other_channel", "discard", "wait")
AFTERS: tuple[After, ...] = ("ignored", "rejected", "objected")


@dataclass(frozen=True, slots=True)
class ContactLimit:
    """At most `max_contacts` (1..16) contacts in a window.

    The window is any rolling `window_ms`, or, with `calendar`, the day, the week (from Monday)
    or the month of the customer's own zone, and `window_ms` is its longest extent.
    `name` is the channel, issue, family or action that is limited; None limits each one of that
    scope by itself ("overall" has no name).
    """

    id: str
    scope: Scope
    name: str | None
    max_contacts: int
    window_ms: int
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a day, in minutes after midnight; it passes midnight if it ends before it starts.

    Equal ends mean never, 0 to 1440 the whole day.
    """

    start: int = 0
    end: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether it is never."""
        return self.start == self.end

    def holds(self, minute: int) -> bool:
        """Tell whether a minute of the day is in it."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


ALL_DAY = Span(0, 24 * 60)


class Date(NamedTuple):
    """A day of the calendar; of every year, where `year` is 0."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """When it is quiet: each day for a span, on some weekdays for another one, on dates all day.

    `weekdays` are (1 = Monday .. 7, the quiet part of that day).
    """

    daily: Span = Span()
    weekdays: tuple[tuple[int, Span], ...] = ()
    dates: tuple[Date, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it is never quiet."""
        return self.daily.is_empty and not self.weekdays and not self.dates


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When customers are not contacted, unless their own settings say otherwise.

    `times` hold for every channel that reaches out, except those in `by_channel`. A customer's own
    hours replace `times.daily`; weekdays and dates hold for them too. `then` says what happens to
    an action whose first treatment is in quiet hours: its next treatment on another channel is
    used, or it is dropped, or the decision is made again when the quiet hours end. `unknown_zone`
    is the zone of customers whose zone is unknown; None means that for them it is always quiet.
    """

    times: QuietTimes = QuietTimes()
    then: QuietAnswer = "other_channel"
    unknown_zone: str | None = "UTC"
    by_channel: tuple[tuple[str, QuietTimes], ...] = ()

    def of(self, channel: str) -> QuietTimes:
        """Return the quiet times of a channel that reaches out."""
        return dict(self.by_channel).get(channel, self.times)


@dataclass(frozen=True, slots=True)
class Suppression:
    """After `times` answers of a kind in a row, an action or its family is left out for a while.

    "ignored" is a window that ended without a reward; a reward resets the count. An action without
    a family counts by itself even if `scope` is "family".
    """

    id: str
    scope: Literal["action", "family"]
    after: After
    times: int
    term_ms: int


@dataclass(frozen=True, slots=True)
class AfterPurchase:
    """Actions of these issues (all, if None) are suppressed after a purchase of their family."""

    id: str
    issues: frozenset[str] | None
    term_ms: int


@dataclass(frozen=True, slots=True)
class TicketSilence:
    """Marketing is silent while a ticket of some severity is open, and a while after it.

    `least_severity` is a place in `SEVERITIES`.
    """

    least_severity: int = 0
    after_resolved_ms: int = 0


# A customer who objects is not asked again for half a year, whatever the catalogue says.
DEFAULT_SUPPRESSION = Suppression("objected", "family", "objected", 1, 182 * 24 * HOUR_MS)


@dataclass(frozen=True, slots=True)
class ContactRules:
    """All contact rules of a catalogue.

    `tickets` None: open tickets suppress nothing. `automated_in_a_row`: after this many messages by
    e-mail or text without an answer only people may contact the customer; None for no limit.
    `service_after_unsubscribe`: whether service may still use a channel that the customer closed.
    `calendar_zone`: the zone of days, weeks and months for customers whose zone is unknown; None if
    none is assumed.
    """

    limits: tuple[ContactLimit, ...] = ()
    quiet: QuietHours = QuietHours()
    suppressions: tuple[Suppression, ...] = (DEFAULT_SUPPRESSION,)
    after_purchase: tuple[AfterPurchase, ...] = ()
    tickets: TicketSilence | None = TicketSilence()
    automated_in_a_row: int | None = None
    service_after_unsubscribe: bool = True
    calendar_zone: str | None = "UTC"
