"""Deciding for one wave: features, score, engage, arbitrate, explain, in that order.

A `Decider` is one catalogue version with one model version. It decides for many customers at
once and changes nothing: the engine applies what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.protocol import ActionKey, Scorer
from schemas.records import Decision, NextBestAction, Trigger
from schemas.symbols import PURPOSES
from streams.core.arbitrate import Choices, choose, with_no_action
from streams.core.catalogue import NO_ACTION, Action, Catalogue, Treatment
from streams.core.chance import decision_id, id_hash, uniforms
from streams.core.contact import (
    NO_TREATMENT,
    apply_contact_policy,
    channel_numbers,
    choose_treatments,
    consented,
)
from streams.core.explain import features_of, reasons
from streams.core.extract import Columns, extract
from streams.core.features import FEATURE_VERSION
from streams.core.funnel import Funnel
from streams.core.policy import EngagementPolicy
from streams.core.state import CustomerState
from streams.core.wave import ActionAxis, Floats, Wave

TREATED = "treated"
HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Due:
    """A customer for whom a decision is due, at a place of the timeline, and why."""

    customer: str
    state: CustomerState
    moment: str
    at_ms: int
    partition: int
    offset: int
    trigger: Trigger

    @property
    def decision_id(self) -> str:
        """The id that a replay repeats and no other place of the timeline can have."""
        place = f"{self.partition}/{self.offset}/{self.at_ms}"
        return decision_id(self.customer, self.moment, place)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, the action to publish (None for silence or a held-out customer), what it was."""

    due: Due
    decision: Decision
    published: NextBestAction | None
    action: Action | None
    features: Floats


@dataclass(frozen=True, slots=True)
class _Scored:
    """The matrices of a wave on the way through the funnel, each (n, a) or (n, a + 1)."""

    columns: Columns
    funnel: Funnel
    treatments: NDArray[np.intp]
    propensities: Floats
    weights: Floats
    priorities: Floats
    choices: Choices
    draws: Floats


class Decider:
    """Decides waves of customers under one catalogue and one scorer."""

    def __init__(
        self,
        catalogue: Catalogue,
        scorer_of: Callable[[Sequence[ActionKey]], Scorer],
        salt: str,
    ) -> None:
        # By id, so that the order in the catalogue's text never matters.
        self.actions = tuple(sorted(catalogue.actions, key=lambda action: action.id))
        self.catalogue = catalogue
        self.moments = frozenset(m for action in self.actions for m in action.moments)
        self._names = [*(action.id for action in self.actions), NO_ACTION]
        self._scorer = scorer_of([action.key for action in self.actions])
        self._axis = ActionAxis.of(catalogue.families, [action.key for action in self.actions])
        self._policy = EngagementPolicy(self.actions)
        self._service = np.array([action.purpose == "service" for action in self.actions])
        self._worth = np.array([action.value * action.lever for action in self.actions])
        self._weights = {
            moment: np.array([action.weight(moment) for action in self.actions])
            for moment in self.moments
        }
        self._channels = channel_numbers([action.treatments for action in self.actions])
        self._draw_salt, self._arm_salt = id_hash(f"{salt}/draw"), id_hash(f"{salt}/arm")

    def decide(self, due: Sequence[Due]) -> list[Decided]:
        """Decide for every customer of the wave; a customer must not occur twice in it."""
        ids = [d.decision_id for d in due]
        scored = self._score(due, ids)
        customers = np.array([id_hash(d.customer) for d in due], np.uint64)
        held_out = uniforms(customers, self._arm_salt) < self.catalogue.holdout_ratio
        return [
            self._outcome(scored, row, ids[row], due[row], HOLDOUT if held_out[row] else TREATED)
            for row in range(len(due))
        ]

    def _score(self, due: Sequence[Due], ids: Sequence[str]) -> _Scored:
        moments = [d.moment for d in due]
        wave = Wave([d.state for d in due], [d.at_ms for d in due], moments, self._axis)
        consents = {
            purpose: consented(wave, purpose, self.catalogue.consent.get(purpose, "opt_in"))
            for purpose in (*PURPOSES, "service")
        }
        columns = extract(wave, consents["personalization"])
        funnel = Funnel(len(wave), len(self.actions))
        self._policy.apply(moments, columns.natural, consents, funnel)
        treatments = choose_treatments(wave, self._channels)
        funnel.drop(treatments == NO_TREATMENT, "contact:no_open_channel")
        channels = self._channels[np.arange(len(self.actions)), treatments]
        apply_contact_policy(wave, self.catalogue.contact_limits, channels, self._service, funnel)
        propensities = self._scorer.propensities(columns.customer, columns.action)
        weights = np.array([self._weights[moment] for moment in moments])
        priorities = with_no_action(
            propensities * weights * self._worth, self.catalogue.no_action_priority
        )
        draws = uniforms(np.array([int(i[:16], 16) for i in ids], np.uint64), self._draw_salt)
        choices = choose(priorities, funnel.candidates, self.catalogue.gamma, draws)
        return _Scored(
            columns, funnel, treatments, propensities, weights, priorities, choices, draws
        )

    def _outcome(self, scored: _Scored, row: int, id_: str, due: Due, arm: str) -> Decided:
        chosen = int(scored.choices.chosen[row])
        action = self.actions[chosen] if chosen < len(self.actions) else None
        features = scored.columns.customer[row]
        treatment, why = None, list[str]()
        if action is not None:
            treatment = action.treatments[int(scored.treatments[row, chosen])]
            features = features_of(features, scored.columns.action[row, chosen])
            pushes = self._scorer.contributions(features, chosen)
            why = reasons(action, due.moment, features, pushes)
        decision = Decision(
            decision_id=id_,
            customer=due.customer,
            moment=due.moment,
            decided_at_ms=due.at_ms,
            arm=arm,
            chosen=self._names[chosen],
            treatment=None if treatment is None else treatment.id,
            published=action is not None and arm == TREATED,
            action_probability=float(scored.choices.probabilities[row, chosen]),
            draw=float(scored.draws[row]),
            actions=self._names,
            fates=[*scored.funnel.fates_of(row), "candidate"],
            propensities=[*scored.propensities[row].tolist(), 0.0],
            priorities=scored.priorities[row].tolist(),
            probabilities=scored.choices.probabilities[row].tolist(),
            features=scored.columns.customer[row].tolist(),
            action_features=scored.columns.action[row].ravel().tolist(),
            why=why,
            model_version=self._scorer.version,
            catalogue_version=self.catalogue.version,
            feature_version=FEATURE_VERSION,
            trigger=due.trigger,
        )
        if action is None or treatment is None or not decision.published:
            return Decided(due, decision, None, action, features)
        published = self._publish(decision, action, treatment, scored, row)
        return Decided(due, decision, published, action, features)

    def _publish(
        self,
        decision: Decision,
        action: Action,
        treatment: Treatment,
        scored: _Scored,
        row: int,
    ) -> NextBestAction:
        chosen = int(scored.choices.chosen[row])
        return NextBestAction(
            decision_id=decision.decision_id,
            customer=decision.customer,
            moment=decision.moment,
            action=action.id,
            issue=action.issue,
            family=action.family,
            treatment=treatment.id,
            channel=treatment.channel,
            message=treatment.message,
            decided_at_ms=decision.decided_at_ms,
            valid_until_ms=decision.decided_at_ms + action.valid_ms,
            propensity=float(scored.propensities[row, chosen]),
            context_weight=float(scored.weights[row, chosen]),
            value=action.value,
            lever=action.lever,
            priority=float(scored.priorities[row, chosen]),
            action_probability=decision.action_probability,
            arm=decision.arm,
            why=decision.why,
            model_version=decision.model_version,
            catalogue_version=decision.catalogue_version,
            feature_version=decision.feature_version,
            trigger=decision.trigger,
        )
