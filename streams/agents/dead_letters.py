"""Refused records leave here, verbatim, at a bounded rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from schemas.dead_letters import dead_letter
from schemas.records import Origin, Rejection
from schemas.topics import DEAD_LETTERS
from streams.runtime.chunk import RawRecord
from streams.runtime.endings import Ending
from streams.runtime.role import Sender


class TooManyDeadLetters(Ending):
    """Something upstream broke: input is refused faster than anybody would look at it."""


class DeadLetterRate:
    """Count dead letters in a sliding window; time is an argument.

    `limit` is the most that may fall into any `window_ms`.
    """

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._window_ms = window_ms
        self._times: deque[int] = deque(maxlen=limit + 1)

    def add(self, at_ms: int) -> bool:
        """Count one more; return whether the limit is passed."""
        self._times.append(at_ms)
        while self._times[0] <= at_ms - self._window_ms:
            self._times.popleft()
        return len(self._times) > self._limit


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
        if self._rate.add(now_ms):
            raise TooManyDeadLetters(
                "more records were refused than CONCIERGE_DEAD_LETTER_LIMIT allows within "
                f"CONCIERGE_DEAD_LETTER_WINDOW_MS; the last one: {rejection.reason} "
                f"({rejection.detail}) at {origin.topic}/{origin.partition} offset "
                f"{origin.offset}. See the dead-letters topic, mend the source, start again"
            )
