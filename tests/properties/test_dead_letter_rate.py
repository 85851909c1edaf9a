"""Law of the dead-letter limit: the running sums say what summing every window would say."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.agents import dead_letter_outlet as dead_letters
from streams.agents.dead_letter_outlet import DeadLetterRate

SLOTS = 60


class NaiveRate:
    """Counts by slot, and sums every window of 60 slots that holds the newest record."""

    def __init__(self, limit: int, most_slots: int) -> None:
        self.limit = limit
        self.most_slots = most_slots
        self.counts: dict[int, int] = {}

    def add(self, slot: int) -> bool:
        self.counts[slot] = self.counts.get(slot, 0) + 1
        if len(self.counts) > self.most_slots:
            del self.counts[next(iter(self.counts))]
        windows = (range(last - SLOTS + 1, last + 1) for last in range(slot, slot + SLOTS))
        return any(
            sum(self.counts.get(each, 0) for each in window) > self.limit for window in windows
        )


# Times in slots: several around one place, so that windows fill up, and some far away.
SLOT = st.integers(-5, 200) | st.integers(10**6, 10**6 + 90)


@given(st.integers(0, 40), st.lists(SLOT, max_size=150))
def test_any_order_of_arrival_gives_the_verdicts_of_the_naive_sum(
    limit: int, slots: list[int]
) -> None:
    naive, rate = NaiveRate(limit, 86_400), DeadLetterRate(limit, SLOTS)
    assert [rate.add(slot) for slot in slots] == [naive.add(slot) for slot in slots]


@settings(max_examples=50)
@given(st.integers(0, 20), st.integers(0, 2**32))
def test_forgotten_slots_leave_the_running_sums_too(limit: int, seed: int) -> None:
    random = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dead_letters, "_MAX_SLOTS", 30)
        naive, rate = NaiveRate(limit, 30), DeadLetterRate(limit, SLOTS)
        slots = [random.randrange(150) for _ in range(200)]
        assert [rate.add(slot) for slot in slots] == [naive.add(slot) for slot in slots]
    assert rate._blocks.total() == sum(rate._counts.values())
    assert all(rate._blocks.values())


def test_slots_are_a_60th_of_the_window() -> None:
    rate = DeadLetterRate(limit=1, window_ms=60_000)
    # 59 slots later is the same window, 60 slots later the next one.
    assert [rate.add(at_ms) for at_ms in (0, 60_000, 119_000)] == [False, False, True]
