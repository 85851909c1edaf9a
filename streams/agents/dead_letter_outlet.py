"""Refused records leave here, verbatim, at a bounded rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from schemas.dead_letter_record import dead_letter
from schemas.records import Origin, Rejection
from schemas.topics import DEAD_LETTERS
from streams.shell.exits import WorkerExit
from streams.shell.kafka_records import RawRecord
from streams.shell.runner.role import Sender

_SLOTS_OF_A_WINDOW = 60
# With dead letters in every second, a day of a window of a minute; 10 MB.
_MAX_SLOTS = 86_400


class TooManyDeadLetters(WorkerExit):
    """Something upstream broke: input is refused faster than anybody would look at it."""


class DeadLetterRate:
    """Count dead letters by when they arrived, whenever they are read.

    `limit` is the most that may have arrived within any `window_ms`. So a backlog that is caught
    up with at many times the speed of its arrival is judged as it would have been on time.
    Partitions are read side by side: times need not come in order. A window is known to a 60th,
    a slot.

    Every window lies within two adjacent blocks of a window's length each. While no two adjacent
    blocks hold more than the limit together, no window can: three look-ups a record. Above that
    (half the limit or more) the windows around the record are summed, one slot in and one slot out
    at a time; the room that they leave is remembered, and so many more records need no sum. On the
    machine where summing each window took 49 us a record, this takes 1 to 2.
    """

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._slot_ms = max(window_ms // _SLOTS_OF_A_WINDOW, 1)
        self._counts: dict[int, int] = {}
        self._blocks: Counter[int] = Counter()
        self._added = 0
        # By slot: up to how many records in all no window around it can pass the limit.
        self._room_until: dict[int, int] = {}

    def add(self, at_ms: int) -> bool:
        """Count one more; return whether the limit is passed."""
        slot = at_ms // self._slot_ms
        block = slot // _SLOTS_OF_A_WINDOW
        self._counts[slot] = self._counts.get(slot, 0) + 1
        self._blocks[block] += 1
        self._added += 1
        if len(self._counts) > _MAX_SLOTS:
            self._forget_oldest()
        beside = max(self._blocks[block - 1], self._blocks[block + 1])
        if self._blocks[block] + beside <= self._limit:
            return False
        if self._added <= self._room_until.get(slot, 0):
            return False
        fullest = self._fullest_window(slot)
        self._room_until[slot] = self._added + self._limit - fullest
        return fullest > self._limit

    def _fullest_window(self, slot: int) -> int:
        """Return the most that any window with this slot in it holds.

        Windows that end later count, too: partitions behind each other fill the same ones in turn.
        """
        count = self._counts.get
        first, last = slot - _SLOTS_OF_A_WINDOW + 1, slot + _SLOTS_OF_A_WINDOW
        held = fullest = sum(count(each, 0) for each in range(first, slot + 1))
        for entering in range(slot + 1, last):
            held += count(entering, 0) - count(entering - _SLOTS_OF_A_WINDOW, 0)
            fullest = max(fullest, held)
        return fullest

    def _forget_oldest(self) -> None:
        """Drop the slot that was counted first, so that what is kept stays bounded."""
        oldest = next(iter(self._counts))
        block = oldest // _SLOTS_OF_A_WINDOW
        self._blocks[block] -= self._counts.pop(oldest)
        self._room_until.pop(oldest, None)
        if not self._blocks[block]:
            del self._blocks[block]


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
        # By the record's stamp, also where producers set it. There a whole backlog arrives when it
        # is read, and its ordinary share of bad records would fall into one window.
        if self._rate.add(min(record.timestamp, now_ms)):
            raise TooManyDeadLetters(
                "more bad records arrived than CONCIERGE_DEAD_LETTER_LIMIT allows within "
                f"CONCIERGE_DEAD_LETTER_WINDOW_MS; the last one: {rejection.reason} "
                f"({rejection.detail}) at {origin.topic}/{origin.partition} offset "
                f"{origin.offset}. See the dead-letters topic, mend the source, start again"
            )
