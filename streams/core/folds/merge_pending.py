"""Merging the decisions that await an outcome, and the orders that were credited to them.

Takes the pending decisions of two states and returns new ones. Two identities have different
decisions; a decision is in both states only if they were merged before and went on apart.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.core.folds.order_credit import unreturned_minor
from streams.core.state.customer import (
    LASTING_CONVERSION,
    LASTING_REWARD,
    CreditedOrder,
    Pending,
)
from streams.core.state.layout import MAX_CREDITED_ORDERS, MAX_PENDING, PENDING_FOR_SERVICE

_encode = msgspec.msgpack.Encoder().encode


def merged_pending(a: Iterable[Pending], b: Iterable[Pending]) -> list[Pending]:
    """Return the decisions of both that await an outcome; those that end first are kept.

    Offers do not take the room that is reserved for service. Decisions that are dropped leave no
    lesson.
    """
    pending: dict[str, Pending] = {}
    for one in (*a, *b):
        known = pending.get(one.decision_id)
        pending[one.decision_id] = _copied(one) if known is None else _joined(known, one)
    kept, offers = list[Pending](), 0
    for each in sorted(pending.values(), key=lambda p: (p.settle_at_ms, p.decision_id)):
        offers += not each.service
        if each.service or offers <= MAX_PENDING - PENDING_FOR_SERVICE:
            kept.append(each)
    return kept[:MAX_PENDING]


def _copied(one: Pending) -> Pending:
    orders = [msgspec.structs.replace(order) for order in one.orders]
    return msgspec.structs.replace(one, orders=orders)


def _joined(one: Pending, other: Pending) -> Pending:
    """Return a decision as two states know it: what either of them was credited with.

    Of an order in both lists the larger entry counts. Money in two currencies is not added: the
    larger amount is kept, and orders in the other currency convert without money.
    """
    spent_minor, currency = max((each.spent_minor, each.currency) for each in (one, other))
    orders: dict[int, CreditedOrder] = {}
    for order in sorted((*one.orders, *other.orders), key=msgspec.structs.astuple):
        counted = order.counted and order.currency == currency
        orders[order.order] = msgspec.structs.replace(order, counted=counted)
    ranked = [orders[number] for number in sorted(orders)]
    dropped, listed = ranked[:-MAX_CREDITED_ORDERS], ranked[-MAX_CREDITED_ORDERS:]
    lasting = one.lasting | other.lasting
    for order in dropped:
        lasting |= LASTING_CONVERSION | LASTING_REWARD * order.rewards
    listed_minor = sum(unreturned_minor(order) for order in listed if order.counted)
    # What was decided is the same in both; one of them gives it, whichever comes first.
    return msgspec.structs.replace(
        max(one, other, key=_encode),
        rewarded=one.rewarded or other.rewarded,
        converted=one.converted or other.converted,
        spent_minor=max(spent_minor, listed_minor),
        currency=currency,
        first=one.first & other.first,
        orders=listed,
        lasting=lasting,
    )
