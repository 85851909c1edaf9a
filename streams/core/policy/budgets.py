"""Volume: budgets of so many actions a day, spread over the day, for each timeline partition.

How much was used is part of the partition's own state, and whether a budget is open is settled at
each tick and kept with the tick's place: so a replay finds every budget as open or closed as it
was, however much of it is replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams.core.catalogue.values import Action, Budget
from streams.core.state.partition import Closed, PartitionState, Used
from streams.core.units import DAY_MS

# How many changes of openness a partition remembers: those since its last checkpoint may be asked
# for again. A budget changes at most once a tick, and a worker checkpoints every second or so.
MAX_CLOSED = 1_024


def is_in(budget: Budget, action: Action, channel: str) -> bool:
    """Tell whether an action by a channel uses up a budget."""
    name = {
        "channel": channel,
        "issue": action.issue,
        "family": action.family,
        "action": action.id,
    }[budget.scope]
    return name == budget.name


def closed_at(known: PartitionState, offset: int) -> frozenset[str]:
    """Return the budgets that are closed for the record at `offset`."""
    for change in reversed(known.closed):
        if change.offset <= offset:
            return frozenset(change.budgets)
    return frozenset()


def settle_tick(
    known: PartitionState, budgets: Sequence[Budget], share: float, offset: int, at_ms: int
) -> None:
    """Settle at a tick which budgets are open until the next; a replayed tick stays as it was.

    A partition may use its `share` of a budget, and at no time of the (UTC) day more of that than
    the day is old. What a second brings is let through whole, so a budget may be exceeded by as
    much as is chosen between two ticks.
    """
    if offset <= known.settled_offset:
        return
    known.settled_offset = offset
    day, elapsed = divmod(at_ms, DAY_MS)
    closed = []
    for budget in budgets:
        if _used(known, budget, day).count >= budget.per_day * share * (elapsed / DAY_MS):
            closed.append(budget.id)
    before = known.closed[-1].budgets if known.closed else []
    if closed != before:
        known.closed = [*known.closed, Closed(offset, closed)][-MAX_CLOSED:]


def count_use(
    known: PartitionState, budgets: Iterable[Budget], action: Action, channel: str, at_ms: int
) -> None:
    """Count an action that is published towards its budgets."""
    for budget in budgets:
        if is_in(budget, action, channel):
            used = _used(known, budget, at_ms // DAY_MS)
            known.used[budget.id] = Used(used.day, used.count + 1)


def _used(known: PartitionState, budget: Budget, day: int) -> Used:
    """Return what was used on a day, or on a later one that has begun already.

    An event of last night that arrives after midnight must not reset today's count.
    """
    used = known.used.get(budget.id)
    return used if used is not None and used.day >= day else Used(day, 0)
