"""Which customers of a partition have a timer due: found without looking at the others."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

# Stale entries are swept out once they outnumber the live ones by this many.
_SLACK = 1_024


class TimerIndex:
    """The earliest due time of each customer, in a heap.

    Most events only put a due time off. The entry then stays where it is and is put off when it
    comes up; only a due time that moves *forward* needs a new entry. So the heap holds about one
    entry per customer, however many events they have.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}
        # Where each customer's live entry stands: never later than they are due.
        self._entry: dict[str, int] = {}

    def arm(self, customer: str, due_ms: int) -> None:
        """Set a customer's earliest due time; 0 disarms."""
        if due_ms == 0:
            self._due.pop(customer, None)
            return
        self._due[customer] = due_ms
        if (entry_ms := self._entry.get(customer)) is None or due_ms < entry_ms:
            self._enter(customer, due_ms)

    def take_due(self, at_ms: int) -> list[str]:
        """Take the customers due at or before `at_ms`, by name; each must be armed anew."""
        due = []
        while self._heap and self._heap[0][0] <= at_ms:
            entry_ms, customer = heappop(self._heap)
            if self._entry.get(customer) != entry_ms:
                continue
            del self._entry[customer]
            due_ms = self._due.get(customer)
            if due_ms is None:
                continue
            if due_ms <= at_ms:
                del self._due[customer]
                due.append(customer)
            else:
                self._enter(customer, due_ms)
        return sorted(due)

    def _enter(self, customer: str, due_ms: int) -> None:
        self._entry[customer] = due_ms
        heappush(self._heap, (due_ms, customer))
        if len(self._heap) > 2 * len(self._entry) + _SLACK:
            self._heap = [(entry_ms, name) for name, entry_ms in self._entry.items()]
            heapify(self._heap)

    def __len__(self) -> int:
        return len(self._due)
