"""The time at which an outcome counts: never before the decision it names."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.records import Outcome
from streams.core.folds.contacts import contacted_about
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD

_LAST_DECISION = HEAD["last_decision_ms"]


def dated_at_decision(state: CustomerState, event: Outcome) -> Outcome:
    """Return an outcome that is not dated before the decision it names.

    Nothing is answered before it was decided: an earlier date comes of a channel's slow clock, or
    of one that cuts off seconds. Such an outcome counts as at the decision, also for a decision
    that is settled while its contact is remembered.
    """
    if event.at_ms >= state.head[_LAST_DECISION]:
        return event
    for pending in state.pending:
        if pending.decision_id == event.decision_id:
            decided_ms = pending.decided_at_ms
            break
    else:
        contact = contacted_about(state, event.decision_id)
        decided_ms = event.at_ms if contact is None else contact.at_ms
    return event if event.at_ms >= decided_ms else replace(event, at_ms=decided_ms)
