"""Attribution: which decisions were rewarded, and the lesson each one becomes.

Both labels wait for the end of the attribution window: learning a success at once and a failure
at the window's end would teach the model that success is more frequent than it is.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from schemas.records import Lesson, LessonPlace, Outcome, Purchase
from schemas.symbols import ARMS
from streams.core.layout import HEAD, MINUTE_MS
from streams.core.state import CustomerState, Pending

# Outcomes of the window's last moments are still on the road when it ends.
SETTLE_GRACE_MS = 5 * MINUTE_MS
_IGNORED = HEAD["ignored_in_a_row"]
# What starts or renews a subscription.
SUBSCRIBING = frozenset({"subscription_start", "subscription_change"})


def credit_outcome(state: CustomerState, event: Outcome) -> Pending | None:
    """Credit an outcome to the pending decision it names, and return that; None without one."""
    for pending in state.pending:
        if pending.decision_id == event.decision_id:
            if event.kind in pending.outcomes and _within(pending, event.at_ms):
                pending.rewarded = True
            return pending
    return None


def credit_purchase(state: CustomerState, event: Purchase) -> None:
    """Credit an order to every pending decision about one of its families, or about none.

    It is a conversion in every arm, and a reward where the action's reward is a purchase. So is a
    subscription that starts or is renewed, where the action's reward names subscriptions.
    """
    is_order = event.kind == "order"
    if not (is_order or event.kind in SUBSCRIBING) or not state.pending:
        return
    spent_minor: Counter[str | None] = Counter()
    for line in event.lines:
        price_minor = round(line.quantity * line.unit_price_minor) - line.discount_minor
        spent_minor[line.family] += max(price_minor, 0)
    for pending in state.pending:
        about = pending.family is None or pending.family in spent_minor
        if about and (is_order or pending.subscription) and _within(pending, event.at_ms):
            pending.converted = True
            spent = spent_minor.total() if pending.family is None else spent_minor[pending.family]
            if spent and pending.currency in ("", event.currency):
                # What is spent in another currency converts, and adds no money.
                pending.currency = event.currency
                pending.spent_minor += spent
            pending.rewarded |= pending.family_purchase if is_order else pending.subscription


def _within(pending: Pending, at_ms: int) -> bool:
    return pending.decided_at_ms <= at_ms <= pending.window_end_ms


def settle(state: CustomerState, at_ms: int) -> list[Pending]:
    """Take the pending decisions whose window is over by `at_ms`, and return them in order."""
    over = [pending for pending in state.pending if pending.settle_at_ms <= at_ms]
    if not over:
        return []
    state.pending = [pending for pending in state.pending if pending.settle_at_ms > at_ms]
    over.sort(key=lambda pending: (pending.settle_at_ms, pending.decision_id))
    for pending in filter(shows_response, over):
        state.head[_IGNORED] = 0.0 if pending.rewarded else state.head[_IGNORED] + 1.0
    return over


def shows_response(pending: Pending) -> bool:
    """Tell whether the customer could respond: everybody can buy, only who got something answers.

    So who buys nothing counts as uninterested in every arm alike; or else the treated who are left
    alone for that would be missing from their arm only, and those still offered something would
    buy more than the held-out do, whatever the offers are worth.
    """
    return pending.published or pending.family_purchase or pending.subscription


def lesson_of(pending: Pending, place: LessonPlace) -> Lesson:
    """Return the lesson of a settled decision; `place` is that of the tick that settled it."""
    return Lesson(
        model=pending.model,
        action=pending.action,
        family=pending.family,
        issue=pending.issue,
        decision_id=pending.decision_id,
        feature_version=pending.feature_version,
        features=np.frombuffer(pending.features, np.float32).tolist(),
        label=float(pending.rewarded),
        action_probability=pending.action_probability,
        decided_at_ms=pending.decided_at_ms,
        settled_at_ms=pending.settle_at_ms,
        place=place,
        arm=ARMS[pending.arm],
        published=pending.published,
        converted=pending.converted,
        spent_minor=pending.spent_minor,
        first=pending.first,
        currency=pending.currency,
    )
