"""Customers who browse in one shop, and the decisions made for them: what simulations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.learning.bank import Bank
from models.learning.capture import take
from models.protocol import ActionKey, Evidence, Floats, Scorer, no_evidence
from models.scoring import linear_scorer
from schemas.records import Lesson, Trigger
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.values import Action, Catalogue
from streams.core.decision.decider import Decider
from streams.core.decision.decision_records import DecidedWave
from streams.core.decision.due import DecisionDue
from streams.core.decision.plan import Plan
from streams.core.features.definitions import (
    ACTION_FEATURES,
    FEATURE_NAMES,
    FEATURE_VERSION,
    FEATURES,
)
from streams.core.moments import MOMENTS
from streams.core.state.customer import CustomerState

# Monday 2024-01-15, 12:00 UTC.
NOON_MS = 1_705_320_000_000
_FAMILY_SHARE = [feature.name for feature in ACTION_FEATURES].index("family_share")

HEAD = """
name: Town shop
currency: EUR
holdout_ratio: 0
consent: {marketing: opt_out, personalization: opt_out}
exploration: EXPLORATION
"""
_ACTION = """
          - id: NAME
            moments: [browsing]
            value: 1
            treatments: [{id: shelf, channel: web, message: Look}]
"""
_FAMILY = "      - id: FAMILY\n        actions:"
_ISSUE = """issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 1
    families:
"""


def shop(
    actions: Sequence[tuple[str, str]], exploration: str = "{gamma: 20}", more: str = ""
) -> Catalogue:
    """Return a catalogue of (action, family) pairs; `more` is YAML for its top."""
    families = list(dict.fromkeys(family for _, family in actions))
    text = HEAD.replace("EXPLORATION", exploration) + more
    text += f"families: [{', '.join(families)}]\n" + _ISSUE
    for family in families:
        text += _FAMILY.replace("FAMILY", family)
        text += "".join(_ACTION.replace("NAME", name) for name, f in actions if f == family)
    return load_catalogue(text, "town.yaml", FEATURES, MOMENTS)


class Town:
    """Decides for made-up customers; nothing they are shown changes their state."""

    def __init__(self, states: Sequence[CustomerState], seed: int) -> None:
        self.names = [f"customer-{number}" for number in range(len(states))]
        self.states = states
        self.bank = Bank("main", FEATURE_VERSION, FEATURE_NAMES, prior=0.05)
        self.rng = np.random.default_rng(seed)
        self._offset = 0

    def decider(self, catalogue: Catalogue) -> Decider:
        """Return what decides with the model as it is now."""
        snapshot = take(self.bank)
        plan = Plan(catalogue)
        return Decider(plan, linear_scorer(snapshot, plan.keys, FEATURE_VERSION), "town")

    def evidence(self, decider: Decider) -> Evidence:
        """Return what the model knows now of a decider's actions."""
        keys = [action.key for action in decider.actions]
        return linear_scorer(take(self.bank), keys, FEATURE_VERSION).evidence

    def decide(self, decider: Decider, customers: Sequence[int]) -> list[DecidedWave]:
        """Return a decision for each customer (by number), all browsing."""
        return decider.decide([self._due(number) for number in customers])

    def some(self, count: int) -> list[int]:
        """Return `count` different customers."""
        found: list[int] = self.rng.choice(len(self.names), count, replace=False).tolist()
        return found

    def answer(self, decided: Sequence[DecidedWave], rate_of: Callable[[Action], float]) -> None:
        """Have customers respond at the actions' true rates, and the model learn from it."""
        for each in decided:
            if each.action is None:
                continue
            label = float(self.rng.random() < rate_of(each.action))
            self.bank.learn_one(_lesson(each, each.action, label), self.bank.next_lesson_offset)

    def _due(self, number: int) -> DecisionDue:
        self._offset += 1
        trigger = Trigger(
            id="event", topic="clickstream", partition=0, offset=self._offset, seen_at_ms=NOON_MS
        )
        return DecisionDue(
            *(self.names[number], self.states[number], "browsing", NOON_MS),
            *(0, self._offset, trigger),
        )


def _lesson(decided: DecidedWave, action: Action, label: float) -> Lesson:
    return Lesson(
        model="main",
        action=action.id,
        family=action.family,
        issue=action.issue,
        decision_id=decided.decision.decision_id,
        feature_version=FEATURE_VERSION,
        features=np.frombuffer(decided.seen, "<f4").astype(np.float64).tolist(),
        label=label,
        action_probability=decided.decision.action_probability,
        decided_at_ms=NOON_MS,
        settled_at_ms=NOON_MS,
    )


class HabitScorer:
    """Believes that customers respond to what they already like, and hardly to anything else.

    `rates` are added per action, (a,); `evidence` is what the model has learned.
    """

    version = "habit"

    def __init__(self, rates: Floats, evidence: Evidence | None = None) -> None:
        self._rates = rates
        self.evidence = no_evidence(len(rates)) if evidence is None else evidence

    def propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return P(reward), shape (n, a)."""
        liking = np.expm1(action[:, :, _FAMILY_SHARE])
        propensities: Floats = np.rint((self._rates + 0.3 * liking) * 2**20) / 2**20
        return propensities

    def contributions(self, features: Floats, actions: NDArray[np.intp]) -> Floats:
        """Return no push, shape (m, c + k)."""
        return np.zeros_like(features)


def scored_by(scorer: Scorer) -> Callable[[Sequence[ActionKey]], Scorer]:
    """Return what gives a decider this scorer."""
    return lambda actions: scorer
