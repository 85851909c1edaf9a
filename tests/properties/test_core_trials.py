"""An action on trial is decided about like any other, and changes nothing that anybody gets."""

from __future__ import annotations

from hypothesis import given, settings

from streams.core.policy.ramp import TRIAL
from tests.support.made_up import Step, play, steps
from tests.support.shops import SHOP, LeaningVersions, load

_FIRST = "          - id: show_{family}\n"
_TRIAL = """          - id: bundle_{family}
            shadow: true
            moments: [browsing, searching, order_placed, cart_left, replenishment_due]
            value: 6
            treatments: [{id: shelf, channel: web, message: "More {family}"}]
"""
WITHOUT = load()
WITH = load(SHOP.replace(_FIRST, _TRIAL + _FIRST, 1))
ON_TRIAL = {action.id for action in WITH.actions if action.shadow}


@settings(max_examples=25)
@given(steps(longest=120, customers=2))
def test_a_trial_changes_no_decision_and_is_told_beside_it(made: list[Step]) -> None:
    versions = LeaningVersions(WITHOUT, WITH)
    real = play(made, versions, [WITHOUT]).out
    tried = play(made, versions, [WITH]).out
    assert len(ON_TRIAL) == 2
    told = [(d.decision_id, d.chosen, d.action_probability, d.arm) for d in real.decisions]
    assert [(d.decision_id, d.chosen, d.action_probability, d.arm) for d in tried.decisions] == told
    assert [(a.decision_id, a.action, a.why) for a in tried.actions] == [
        (a.decision_id, a.action, a.why) for a in real.actions
    ]
    for decision in real.decisions:
        assert decision.shadow is None
    for decision in tried.decisions:
        standing = dict(zip(decision.actions, decision.fates, strict=True))
        odds = dict(zip(decision.actions, decision.probabilities, strict=True))
        taking_part = [name for name in sorted(ON_TRIAL) if standing[name] == TRIAL]
        assert all(odds[name] == 0 and standing[name] != "candidate" for name in ON_TRIAL)
        assert (decision.shadow is not None) == bool(taking_part)
        if decision.shadow is not None:
            assert decision.shadow in taking_part or standing[decision.shadow] == "candidate"
