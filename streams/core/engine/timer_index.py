"""Which customers of a partition have a timer due: found without looking at the others."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from streams.core.units import HOUR_MS

# How far ahead one scan of all customers looks. A scan takes some 70 ns a customer, once in this
# time; in between only the customers due within it are looked at.
_AHEAD_MS = HOUR_MS
# Stale entries are swept out once they outnumber the live ones by this many.
_SLACK = 1_024


class TimerIndex:
    """The earliest due time of each customer; those that come up soon are in a heap as well.

    Most timers are weeks away, and put off by the next event. So most customers are an entry of a
    dictionary and no more: that is what a worker pays for each of a million.
    """

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        # An entry (due time, customer) is live while it agrees with the above.
        self._soon: list[tuple[int, str]] = []
        self._most = _SLACK
        # Whoever is due before it has a live entry.
        self._horizon_ms = 0

    def arm(self, customer: str, due_ms: int) -> None:
        """Set a customer's earliest due time; 0 disarms."""
        if due_ms == 0:
            self._due.pop(customer, None)
            return
        self._due[customer] = due_ms
        if due_ms < self._horizon_ms:
            heappush(self._soon, (due_ms, customer))
            if len(self._soon) > self._most:
                self._keep({entry for entry in self._soon if self._is_live(entry)})

    def take_due(self, at_ms: int) -> list[str]:
        """Take the customers due at or before `at_ms`, by name; each must be scheduled again."""
        if at_ms >= self._horizon_ms:
            self._horizon_ms = horizon_ms = at_ms + _AHEAD_MS
            self._keep((due, who) for who, due in self._due.items() if due < horizon_ms)
        taken = []
        while self._soon and self._soon[0][0] <= at_ms:
            entry = heappop(self._soon)
            if self._is_live(entry):
                customer = entry[1]
                del self._due[customer]
                taken.append(customer)
        return sorted(taken)

    def _is_live(self, entry: tuple[int, str]) -> bool:
        due_ms, customer = entry
        return self._due.get(customer) == due_ms

    def _keep(self, live: Iterable[tuple[int, str]]) -> None:
        self._soon = list(live)
        heapify(self._soon)
        self._most = 2 * len(self._soon) + _SLACK

    def __len__(self) -> int:
        return len(self._due)
