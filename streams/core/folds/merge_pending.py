"""Merging the decisions that await an outcome, and the orders they were credited with."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.core.state.customer import CreditedOrder, Pending
from streams.core.state.layout import MAX_CREDITED_ORDERS, MAX_PENDING


def merged_pending(a: Iterable[Pending], b: Iterable[Pending]) -> list[Pending]:
    """Return the decisions of both that await an outcome; the first to be settled stay.

    Those that are dropped leave no lesson.
    """
    pending: dict[str, Pending] = {}
    for one in (*a, *b):
        known = pending.get(one.decision_id)
        pending[one.decision_id] = _joined(one, one if known is None else known)
    return sorted(pending.values(), key=lambda p: (p.settle_at_ms, p.decision_id))[:MAX_PENDING]


def _joined(one: Pending, other: Pending) -> Pending:
    """Return a decision as two states know it: of each order what is known of it at the most."""
    orders: dict[int, CreditedOrder] = {}
    for each in sorted((*one.orders, *other.orders), key=msgspec.structs.astuple):
        orders[each.order] = msgspec.structs.replace(each)
    latest = sorted(orders.values(), key=lambda each: each.order)[-MAX_CREDITED_ORDERS:]
    return msgspec.structs.replace(
        one,
        rewarded=one.rewarded or other.rewarded,
        orders=latest if one is not other else [msgspec.structs.replace(e) for e in one.orders],
        lasting=one.lasting | other.lasting,
    )
