"""What a decision leaves behind in the customer's state."""

from __future__ import annotations

from schemas.symbols import ARMS
from streams.core.catalogue.service import is_service
from streams.core.decision.decision_records import DecidedWave
from streams.core.features.definitions import FEATURE_VERSION
from streams.core.folds.attribution import SETTLE_GRACE_MS
from streams.core.folds.contacts import record_contact
from streams.core.moments import MOMENT_NUMBER
from streams.core.state.customer import Pending
from streams.core.state.enrolment import enrol
from streams.core.state.layout import HEAD, MAX_PENDING

_LAST_DECISION = HEAD["last_decision_ms"]
_WAITING, _QUIET_OVER = HEAD["waiting_moment"], HEAD["due_quiet_over_ms"]


def apply_decision(decided: DecidedWave, catalogue_model: str) -> None:
    """Change the customer's state as a decision demands: contact, pending outcome, cool-down.

    What a customer of the control group would have got counts in the same way: the same limits
    bind, and purchases are attributed, or the two groups could not be compared.

    A service action is published though there may be no room left to await its outcome. Then its
    outcome is not learned from (its contact is remembered, so a refusal counts all the same).
    Giving up the oldest pending decision instead would cut off its answers and bias what is
    learned of offers. Service takes no part in the comparison of arms: every arm gets it.
    """
    due, state, decision = decided.due, decided.due.state, decided.decision
    state.head[_LAST_DECISION] = max(state.head[_LAST_DECISION], due.at_ms)
    action, treatment = decided.action, decided.treatment
    if action is None or treatment is None:
        if decided.wait_until_ms:
            state.head[_QUIET_OVER] = decided.wait_until_ms
            state.head[_WAITING] = MOMENT_NUMBER[due.moment]
        return
    record_contact(
        state,
        due.at_ms,
        action.id,
        action.family,
        action.issue,
        treatment.channel,
        decision.decision_id,
        service=is_service(action),
    )
    if len(state.pending) >= MAX_PENDING:
        return
    window_end_ms = due.at_ms + action.reward.window_ms
    state.pending.append(
        Pending(
            decision_id=decision.decision_id,
            model=catalogue_model,
            action=action.id,
            family=action.family,
            issue=action.issue,
            channel=treatment.channel,
            decided_at_ms=due.at_ms,
            window_end_ms=window_end_ms,
            settle_at_ms=window_end_ms + SETTLE_GRACE_MS,
            outcomes=sorted(action.reward.outcomes),
            family_purchase=action.reward.family_purchase,
            action_probability=decision.action_probability,
            feature_version=FEATURE_VERSION,
            features=decided.seen,
            arm=ARMS.index(decision.arm),
            published=decision.published,
            first=0 if is_service(action) else enrol(state, action.id, action.family),
            subscription=action.reward.subscription,
            service=is_service(action),
        )
    )
