"""The smallest change that would have changed a decision, in words for an employee.

Plain Python over one decision as it was logged, because it is computed on request only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.decisions import Decision
from schemas.symbols import ARMS
from streams.core.arbitration.arms import MODEL_ONLY, RANDOM
from streams.core.catalogue.service import SERVICE_FIRST, is_service
from streams.core.catalogue.values import NO_ACTION, Action, Catalogue
from streams.core.features.definitions import (
    ACTION_FEATURES,
    CUSTOMER_FEATURES,
    FEATURE_VERSION,
)
from streams.core.features.extract import natural_value
from streams.core.policy.funnel import CANDIDATE
from streams.core.rules.condition import Condition
from streams.core.rules.constant_conditions import neighbours
from streams.core.rules.distance import Distance, distance
from streams.core.rules.tree import holds

# Ranks that differ by less than this share of the higher one count as nearly equal.
_NEARLY = 0.001
# Decimals of a percentage and digits of a number: as many as tell two values apart.
_DECIMALS = range(1, 15)
_DIGITS = range(4, 18)
_OF_ACTION = frozenset(feature.name for feature in ACTION_FEATURES)


@dataclass(frozen=True, slots=True)
class NearestChange:
    """The smallest change that would have ranked another action first.

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


def nearest_change(
    decision: Decision, far: Mapping[str, Distance], catalogue: Catalogue
) -> NearestChange | None:
    """Return the smallest change that would have ranked another action first, or None.

    Either a candidate would have had to be likelier to be answered, or an action would have had to
    pass the rule that dropped it (`far`, from `distances`). For the latter all rules of all actions
    are asked again with the change, since one rule says nothing of the next, and a change that
    lets one action pass may let a better one pass or drop a candidate. Propensities are taken as
    they were; contact rules, which were not asked of what a rule had dropped, are left open.
    """
    ranks = _ranks(decision)
    if ranks is None:
        return None
    candidates = [place for place, fate in enumerate(decision.fates) if fate == CANDIDATE]
    best = max(candidates, key=lambda place: ranks[place])
    ways = [way for p in candidates if (way := _likelier(decision, ranks, p, best)) is not None]
    again = _Again(decision, catalogue, ranks)
    for name, distance_ in far.items():
        if not distance_.more and again.leads(name, distance_):
            share = abs(distance_.gap) / max(abs(distance_.has), abs(distance_.needs), 1e-9)
            says = f"{name} would rank first, if no contact rule held it back"
            ways.append(NearestChange(name, f"{says}: {distance_.sentence()}", share))
    return min(ways, key=lambda way: (way.share, way.action), default=None)


def _ranks(decision: Decision) -> Sequence[float] | None:
    """Return by what the actions of a decision were ranked; None where chance alone decided."""
    if decision.fates[-1] != SERVICE_FIRST:
        if decision.arm == ARMS[RANDOM]:
            return None
        if decision.arm == ARMS[MODEL_ONLY]:
            return decision.propensities
    return decision.priorities


class _Again:
    """The rules of a decision asked again, with one feature changed."""

    def __init__(self, decision: Decision, catalogue: Catalogue, ranks: Sequence[float]) -> None:
        self._decision, self._ranks = decision, ranks
        self._actions = {action.id: action for action in catalogue.actions}

    def leads(self, name: str, change: Distance) -> bool:
        """Tell whether an action would rank first of all that pass with the change."""
        value = _passing(change)
        passing = [
            place
            for place, fate in enumerate(self._decision.fates)
            if self._passes(place, fate, name, change.feature, value)
        ]
        owed = [p for p in passing if (a := self._action(p)) is not None and is_service(a)]
        ranked = owed or passing
        place = self._decision.actions.index(name)
        return place in ranked and all(
            self._ranks[place] > self._ranks[other] for other in ranked if other != place
        )

    def _action(self, place: int) -> Action | None:
        return self._actions.get(self._decision.actions[place])

    def _passes(self, place: int, fate: str, name: str, feature: str, value: float) -> bool:
        """Tell whether an action would be a candidate; those after the rules stay dropped."""
        action = self._action(place)
        if action is None:
            # Doing nothing competes, unless service is owed.
            return self._decision.actions[place] == NO_ACTION
        by_rule = _rule_of(action, fate) is not None
        if action.shadow or not (by_rule or fate in (CANDIDATE, SERVICE_FIRST)):
            return False
        values = _values(self._decision, place)
        # What is seen through an action is its own; what is known of the customer is everybody's.
        if feature not in _OF_ACTION or self._decision.actions[place] == name:
            values[feature] = value
        return all(holds(rule.test.tree, values) for rule in action.rules)


def _passing(change: Distance) -> float:
    """Return the nearest value of a feature that passes."""
    below, _, above = neighbours(change.needs)
    if change.sign in ("<", "!="):
        return below
    return above if change.sign == ">" else change.needs


def _likelier(
    decision: Decision, ranks: Sequence[float], place: int, best: int
) -> NearestChange | None:
    """Return the propensity with which a candidate would have led, if there is one."""
    has, rank = decision.propensities[place], ranks[place]
    name = decision.actions[place]
    if place == best or name == NO_ACTION or rank <= 0:
        return None
    needs = has * ranks[best] / rank
    if needs > 1:
        return None
    if needs - has < _NEARLY * needs:
        return NearestChange(name, _level(decision, ranks, place, best), 0.0)
    shown = next((d for d in _DECIMALS if f"{needs:.{d}%}" != f"{has:.{d}%}"), _DECIMALS[-1])
    says = (
        f"{name} would lead if a reward were at least {needs:.{shown}%} likely "
        f"instead of {has:.{shown}%}"
    )
    return NearestChange(name, says, (needs - has) / needs if needs else 0.0)


def _level(decision: Decision, ranks: Sequence[float], place: int, best: int) -> str:
    """Say by which measure a candidate is as good as the best one, and whether exactly.

    The measure is named, because the model-only arm ranks by propensity: there two actions of
    equal propensity and different priorities are level.
    """
    measure = "priority" if ranks is decision.priorities else "propensity"
    name, leader = decision.actions[place], decision.actions[best]
    rank, top = ranks[place], ranks[best]
    if rank == top:
        how = f"the same {measure} as {leader}, {top:.4g}"
    else:
        digits = next((d for d in _DIGITS if f"{rank:.{d}g}" != f"{top:.{d}g}"), _DIGITS[-1])
        how = f"nearly the {measure} of {leader}, {rank:.{digits}g} and {top:.{digits}g}"
    return f"{name} has {how}: chance chose between them"


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
