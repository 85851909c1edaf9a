"""Attribution: which decisions were rewarded, and the lesson each one becomes.

Both labels wait for the end of the attribution window: learning a success at once and a failure
at the window's end would teach the model that success is more frequent than it is. Until then a
return undoes what its order was credited with.
"""

from __future__ import annotations

import numpy as np

from schemas.records import Lesson, LessonPlace, Outcome, Purchase
from schemas.symbols import ARMS
from streams.core.folds.order_credit import credit_order, take_back
from streams.core.state.customer import LASTING_REWARD, CustomerState, Pending
from streams.core.state.layout import HEAD
from streams.core.units import MINUTE_MS

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
                pending.lasting |= LASTING_REWARD
            return pending
    return None


def credit_purchase(state: CustomerState, event: Purchase) -> None:
    """Credit an order to every pending decision about one of its families, or about none.

    It is a conversion in every arm, and a reward where the action's reward is a purchase. So is a
    subscription that starts or is renewed, where the action's reward names subscriptions. What is
    returned or refunded before the decision is settled takes back what it was credited with.
    """
    is_order = event.kind == "order"
    if is_order or event.kind in SUBSCRIBING:
        for pending in state.pending:
            if (is_order or pending.subscription) and _within(pending, event.at_ms):
                credit_order(pending, event)
    elif event.kind in ("return", "refund"):
        for pending in state.pending:
            take_back(pending, event, state.products)


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
        if pending.rewarded:
            state.head[_IGNORED] = 0.0
        elif is_ignored(pending):
            state.head[_IGNORED] += 1.0
    return over


def is_ignored(pending: Pending) -> bool:
    """Return whether a settled offer was ignored; a service message asks for no response.

    A customer who does not click on "we have your question" has not ignored an offer.
    """
    return not (pending.rewarded or pending.service)


def shows_response(pending: Pending) -> bool:
    """Return whether the customer could respond: in every arm they can buy, but answer only if
    contacted.

    A customer who does not buy counts as uninterested in every arm. Otherwise the treated customers
    who are suppressed for that would be missing from their arm only, and the rest of it would buy
    more than the control group whatever the offers do.
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
