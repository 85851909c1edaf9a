"""Attribution: which decisions were rewarded, and the lesson each one becomes.

Both labels wait for the end of the attribution window: learning a success at once and a failure
at the window's end would teach the model that success is more frequent than it is.
"""

from __future__ import annotations

import numpy as np

from schemas.records import Lesson, LessonPlace, Outcome, Purchase
from streams.core.layout import HEAD, MINUTE_MS
from streams.core.state import CustomerState, Pending

# Outcomes of the window's last moments are still on the road when it ends.
SETTLE_GRACE_MS = 5 * MINUTE_MS
_IGNORED = HEAD["ignored_in_a_row"]


def credit_outcome(state: CustomerState, event: Outcome) -> bool:
    """Credit an outcome to the pending decision it names; False when none is pending."""
    for pending in state.pending:
        if pending.decision_id == event.decision_id:
            if event.kind in pending.outcomes and _within(pending, event.at_ms):
                pending.rewarded = True
            return True
    return False


def credit_purchase(state: CustomerState, event: Purchase) -> None:
    """Credit an order to every pending decision whose reward is a purchase of its family."""
    if event.kind != "order" or not state.pending:
        return
    families = {line.family for line in event.lines}
    for pending in state.pending:
        bought = pending.family is None or pending.family in families
        if pending.family_purchase and bought and _within(pending, event.at_ms):
            pending.rewarded = True


def _within(pending: Pending, at_ms: int) -> bool:
    return pending.decided_at_ms <= at_ms <= pending.window_end_ms


def settle(state: CustomerState, at_ms: int, place: LessonPlace) -> list[Lesson]:
    """Take the pending decisions whose window is over by `at_ms`; return their lessons in order.

    `place` is that of the tick that tells so.
    """
    over = [pending for pending in state.pending if pending.settle_at_ms <= at_ms]
    if not over:
        return []
    state.pending = [pending for pending in state.pending if pending.settle_at_ms > at_ms]
    over.sort(key=lambda pending: (pending.settle_at_ms, pending.decision_id))
    for pending in over:
        state.head[_IGNORED] = 0.0 if pending.rewarded else state.head[_IGNORED] + 1.0
    return [_lesson(pending, place) for pending in over]


def _lesson(pending: Pending, place: LessonPlace) -> Lesson:
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
    )
