"""What would have changed a decision, in words for the employee who is asked about it.

Plain Python over one decision as it was logged: only decisions that somebody looks at need this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from schemas.decisions import Decision
from streams.core.catalogue import NO_ACTION, Action, Catalogue
from streams.core.extract import natural_value
from streams.core.features import ACTION_FEATURES, CUSTOMER_FEATURES, FEATURE_VERSION
from streams.core.funnel import CANDIDATE
from streams.core.rules.condition import Condition
from streams.core.rules.distance import Distance, distance

# Propensities nearer than this are one when they are told in tenths of a percent.
_SAME = 0.001


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest change that would have made another action the likeliest.

    `share` is the size of the change as a share of what it changes: smaller is nearer.
    """

    action: str
    says: str
    share: float


def distances(decision: Decision, catalogue: Catalogue) -> dict[str, Distance]:
    """Return, for each action that a rule dropped, how far the customer was from passing it.

    Empty for a decision whose features another release computed. `catalogue` is the one that the
    decision names.
    """
    if decision.feature_version != FEATURE_VERSION:
        return {}
    actions = {action.id: action for action in catalogue.actions}
    found = {}
    for place, (name, fate) in enumerate(zip(decision.actions, decision.fates, strict=True)):
        rule = _rule_of(actions.get(name), fate)
        if rule is not None and (far := distance(rule, _values(decision, place))) is not None:
            found[name] = replace(far, currency=catalogue.currency)
    return found


def flip(decision: Decision, far: Mapping[str, Distance]) -> Flip | None:
    """Return the smallest change that would have put another action first, or None.

    Either a candidate would have had to be likelier to be answered, or an action that ranks
    higher would have had to pass the one rule that dropped it (`far`, from `distances`).
    """
    candidates = [place for place, fate in enumerate(decision.fates) if fate == CANDIDATE]
    best = max(candidates, key=lambda place: decision.priorities[place])
    ways = [way for place in candidates if (way := _likelier(decision, place, best)) is not None]
    for name, distance_ in far.items():
        place = decision.actions.index(name)
        if decision.priorities[place] > decision.priorities[best] and not distance_.more:
            share = abs(distance_.gap) / max(abs(distance_.has), abs(distance_.needs), 1e-9)
            ways.append(Flip(name, f"{name} would lead: {distance_.sentence()}", share))
    return min(ways, key=lambda way: (way.share, way.action), default=None)


def _likelier(decision: Decision, place: int, best: int) -> Flip | None:
    """Return the propensity with which a candidate would have led, if there is one."""
    has, priority = decision.propensities[place], decision.priorities[place]
    name = decision.actions[place]
    if place == best or name == NO_ACTION or priority <= 0:
        return None
    needs = has * decision.priorities[best] / priority
    if needs > 1:
        return None
    if (needs - has) < _SAME * needs:
        return Flip(name, f"{name} stood level with it: chance chose between them", 0.0)
    says = f"{name} would lead if a reward were at least {needs:.1%} likely instead of {has:.1%}"
    return Flip(name, says, (needs - has) / needs if needs else 0.0)


def _rule_of(action: Action | None, fate: str) -> Condition | None:
    if action is None:
        return None
    return next((r.test for r in action.rules if f"{r.tier}:{r.id}" == fate), None)


def _values(decision: Decision, place: int) -> dict[str, float]:
    """Return what was known of the customer, and through the action at `place`, in its units."""
    width = len(ACTION_FEATURES)
    own = decision.action_features[place * width : (place + 1) * width]
    seen = zip((*CUSTOMER_FEATURES, *ACTION_FEATURES), (*decision.features, *own), strict=True)
    return {feature.name: natural_value(feature.name, value) for feature, value in seen}
