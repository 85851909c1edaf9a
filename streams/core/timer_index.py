"""Which customers of a partition have a timer due: found without looking at the others."""

from __future__ import annotations

from heapq import heappop, heappush


class TimerIndex:
    """The earliest due time of each customer, in a heap.

    Entries that a later `arm` made stale stay in the heap and are recognised when they come up.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._armed: dict[str, int] = {}

    def arm(self, customer: str, due_ms: int) -> None:
        """Set a customer's earliest due time; 0 disarms."""
        if due_ms == self._armed.get(customer, 0):
            return
        if due_ms == 0:
            del self._armed[customer]
            return
        self._armed[customer] = due_ms
        heappush(self._heap, (due_ms, customer))

    def take_due(self, at_ms: int) -> list[str]:
        """Take the customers due at or before `at_ms`, by name; each must be armed anew."""
        due = set()
        while self._heap and self._heap[0][0] <= at_ms:
            due_ms, customer = heappop(self._heap)
            if self._armed.get(customer) == due_ms:
                del self._armed[customer]
                due.add(customer)
        return sorted(due)

    def __len__(self) -> int:
        return len(self._armed)
