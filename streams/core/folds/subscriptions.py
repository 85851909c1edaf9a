"""Folding subscriptions: which are active, on what plan, since when.

A start of a subscription that is known, and a change, renew it. Times are maxima, so the order of
arrival does not matter for whether it is active; a start and an end at the same time are an end.
The head tells of all of a customer's subscriptions together: `subscribed` is 1 while any is active.
"""

from __future__ import annotations

from schemas.records import Purchase
from streams.core.hashing import id_hash
from streams.core.state.baskets import Subscription
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD, MAX_SUBSCRIPTIONS, MAX_TEXT_BYTES
from streams.core.state.text import shortened

_SUBSCRIBED, _STARTED = HEAD["subscribed"], HEAD["subscription_start_ms"]
_ENDED = HEAD["subscription_end_ms"]


def fold_subscription(state: CustomerState, event: Purchase) -> None:
    """Apply a start, a change or an end of a subscription."""
    number = id_hash(event.order_id) >> 32
    known = state.subscriptions.get(number)
    if known is None:
        known = state.subscriptions[number] = Subscription("")
    plan, at_ms = shortened(event.lines[0].product, MAX_TEXT_BYTES), event.at_ms
    if event.kind == "subscription_end":
        known.plan = known.plan or plan
        known.ended_ms = max(known.ended_ms, at_ms)
    else:
        if at_ms >= known.latest_ms:
            known.plan = plan
        if at_ms > known.ended_ms:
            began = known.since_ms > known.ended_ms
            known.since_ms = min(known.since_ms, at_ms) if began else at_ms
        known.latest_ms = max(known.latest_ms, at_ms)
    if known.is_active and known.since_ms <= known.ended_ms:
        # The end of an earlier period arrived late.
        known.since_ms = known.latest_ms
    if len(state.subscriptions) > MAX_SUBSCRIPTIONS:
        del state.subscriptions[min(state.subscriptions, key=lambda n: (*_order(state, n), n))]
    sum_up(state)


def sum_up(state: CustomerState) -> None:
    """Write what holds of all subscriptions together into the head."""
    active = [each for each in state.subscriptions.values() if each.is_active]
    ended = [each for each in state.subscriptions.values() if not each.is_active]
    state.head[_SUBSCRIBED] = float(bool(active))
    latest = max(ended, key=lambda each: (each.ended_ms, each.since_ms), default=None)
    state.head[_ENDED] = 0.0 if active or latest is None else latest.ended_ms
    if active:
        state.head[_STARTED] = min(each.since_ms for each in active)
    else:
        state.head[_STARTED] = 0.0 if latest is None else latest.since_ms


def _order(state: CustomerState, number: int) -> tuple[bool, int]:
    known = state.subscriptions[number]
    return known.is_active, max(known.latest_ms, known.ended_ms)
