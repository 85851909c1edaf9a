"""Refused records leave here, verbatim, at a bounded rate."""

from __future__ import annotations

from collections.abc import Callable

from schemas.dead_letters import dead_letter
from schemas.records import Origin, Rejection
from schemas.topics import DEAD_LETTERS
from streams.runtime.chunk import RawRecord
from streams.runtime.endings import Ending
from streams.runtime.role import Sender

_SLOTS_OF_A_WINDOW = 60
# With dead letters in every second, a day of a window of a minute; 10 MB.
_MAX_SLOTS = 86_400


class TooManyDeadLetters(Ending):
    """Something upstream broke: input is refused faster than anybody would look at it."""


class DeadLetterRate:
    """Count dead letters by when they arrived, whenever they are read.

    `limit` is the most that may have arrived within any `window_ms`. So a backlog that is caught
    up with at many times the speed of its arrival is judged as it would have been on time.
    Partitions are read side by side: times need not come in order. A window is known to a 60th.
    """

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._slot_ms = max(window_ms // _SLOTS_OF_A_WINDOW, 1)
        self._counts: dict[int, int] = {}

    def add(self, at_ms: int) -> bool:
        """Count one more; return whether the limit is passed."""
        slot = at_ms // self._slot_ms
        self._counts[slot] = self._counts.get(slot, 0) + 1
        if len(self._counts) > _MAX_SLOTS:
            del self._counts[next(iter(self._counts))]
        # Of all windows that hold it: partitions behind each other fill the same ones in turn.
        last = slot + _SLOTS_OF_A_WINDOW - 1
        around = range(slot - _SLOTS_OF_A_WINDOW + 1, last + 1)
        counts = [self._counts.get(each, 0) for each in around]
        return any(
            sum(counts[first : first + _SLOTS_OF_A_WINDOW]) > self._limit
            for first in range(_SLOTS_OF_A_WINDOW)
        )


class DeadLetters:
    """Send refused records to the dead-letter topic; past the rate, stop the worker instead."""

    def __init__(
        self,
        outbox: Sender,
        rate: DeadLetterRate,
        now_ms: Callable[[], int],
        version: str,
        prefix: str = "",
        noted: Callable[[str, str], None] = lambda topic, reason: None,
    ) -> None:
        self._outbox = outbox
        self._topic = DEAD_LETTERS.with_prefix(prefix).name
        self._rate = rate
        self._now_ms = now_ms
        self._version = version
        self._noted = noted

    def refuse(self, origin: Origin, record: RawRecord, rejection: Rejection) -> None:
        """Send one record away; raises `TooManyDeadLetters` past the limit."""
        now_ms = self._now_ms()
        key, value, headers = dead_letter(
            origin, record.key, record.value, rejection, now_ms, self._version
        )
        self._outbox.send(self._topic, key, value, headers=headers)
        self._noted(origin.topic, rejection.reason)
        if self._rate.add(origin.seen_at_ms):
            raise TooManyDeadLetters(
                "more bad records arrived than CONCIERGE_DEAD_LETTER_LIMIT allows within "
                f"CONCIERGE_DEAD_LETTER_WINDOW_MS; the last one: {rejection.reason} "
                f"({rejection.detail}) at {origin.topic}/{origin.partition} offset "
                f"{origin.offset}. See the dead-letters topic, mend the source, start again"
            )
