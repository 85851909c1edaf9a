"""Timers: due times kept in the state, fired by tick records, in event time."""

from __future__ import annotations

import math
from array import array
from operator import itemgetter

from streams.core.moments import MOMENT_OF_TIMER, MOMENTS, QUIET_OVER
from streams.core.state.customer import CustomerState
from streams.core.state.layout import FAMILY, HEAD
from streams.core.units import DAY_MS

_DUE_SLOTS = {name: HEAD[f"due_{name}_ms"] for name in (*MOMENT_OF_TIMER, QUIET_OVER)}
_DUE_TIMES = itemgetter(*_DUE_SLOTS.values())
_WAITING = HEAD["waiting_moment"]
_MOMENTS = tuple(MOMENTS)
_NEVER_MS = math.inf
# Fewer purchases than this on distinct days are no rhythm.
RHYTHM_DAYS = 3


def next_due_ms(state: CustomerState) -> int:
    """Return when the earliest timer of a customer is due, or 0 when none is set."""
    earliest_ms = _NEVER_MS
    for due_ms in _DUE_TIMES(state.head):
        if 0 < due_ms < earliest_ms:
            earliest_ms = due_ms
    for pending in state.pending:
        if pending.settle_at_ms < earliest_ms:
            earliest_ms = pending.settle_at_ms
    return 0 if earliest_ms == _NEVER_MS else int(earliest_ms)


def due_timers(state: CustomerState, at_ms: int) -> list[tuple[int, str]]:
    """Return the moment timers due at or before `at_ms`, as (due time, name), earliest first."""
    return sorted(
        (int(state.head[slot]), name)
        for name, slot in _DUE_SLOTS.items()
        if 0 < state.head[slot] <= at_ms
    )


def is_due(state: CustomerState, name: str, due_ms: int) -> bool:
    """Return whether a timer is due at `due_ms` still: a decision of this tick may have set it."""
    return int(state.head[_DUE_SLOTS[name]]) == due_ms


def is_over(state: CustomerState, moment: str, at_ms: int) -> bool:
    """Return whether a moment that quiet hours held back has passed in the meantime."""
    if moment == "cart_left":
        return not any(item.quantity_milli > 0 for item in state.cart.values())
    if moment == "gone_quiet":
        # A customer who came back has set the timer again.
        return state.head[_DUE_SLOTS[moment]] > 0
    if moment == "replenishment_due":
        return not any(0 < _family_due_ms(f) <= at_ms for f in state.families.values())
    return False


def moment_of(state: CustomerState, name: str) -> str:
    """Return the moment that a timer brings: its own, or the one that quiet hours held back."""
    return MOMENT_OF_TIMER.get(name) or _MOMENTS[int(state.head[_WAITING])]


def pending_timers(state: CustomerState) -> list[float]:
    """Return when each moment timer is due, 0 where it is not set."""
    return [state.head[slot] for slot in _DUE_SLOTS.values()]


def drop_past_timers(state: CustomerState, before: list[float], now_ms: int) -> None:
    """Disarm the timers that were set since `before` and were due by `now_ms` already.

    For history that arrives late: a cart left two years ago is no moment today.
    """
    for (name, slot), was_ms in zip(_DUE_SLOTS.items(), before, strict=True):
        if state.head[slot] != was_ms and 0 < state.head[slot] <= now_ms:
            later_ms = next_replenishment_ms(state, now_ms) if name == "replenishment" else 0.0
            state.head[slot] = later_ms


def fire(state: CustomerState, name: str) -> None:
    """Mark a timer as fired: it stays silent until an event sets it again.

    Replenishment goes on to the next family that is due later.
    """
    slot = _DUE_SLOTS[name]
    fired_ms = state.head[slot]
    state.head[slot] = 0.0
    if name == "replenishment":
        state.head[slot] = next_replenishment_ms(state, fired_ms)


def next_replenishment_ms(state: CustomerState, after_ms: float) -> float:
    """Return when the next family is due by its own rhythm, later than `after_ms`, or 0."""
    due = [
        due_ms
        for family in state.families.values()
        if (due_ms := _family_due_ms(family)) > after_ms
    ]
    return min(due, default=0.0)


def _family_due_ms(numbers: array[float]) -> float:
    days = numbers[FAMILY["order_days"]]
    if days < RHYTHM_DAYS:
        return 0.0
    first, last = numbers[FAMILY["first_order_day"]], numbers[FAMILY["last_order_day"]]
    return numbers[FAMILY["last_order_ms"]] + (last - first) / (days - 1) * DAY_MS
