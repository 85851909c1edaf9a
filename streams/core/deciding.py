"""Deciding for one wave: features, score, engage, arbitrate, in that order.

A `Decider` is one catalogue version with one model version. It decides for many customers at
once and changes nothing: the engine applies what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.protocol import ActionKey, Scorer
from schemas.symbols import PURPOSES
from streams.core.arbitrate import choose, probabilities_of, with_floor, with_no_action
from streams.core.arms import HOLDOUT, MODEL_ONLY, RANDOM, TREATED, arms_of
from streams.core.bothering import silence_worth
from streams.core.catalogue import Catalogue
from streams.core.chance import id_hash, uniforms
from streams.core.contact import ContactPolicy, consented
from streams.core.discovery import outside_usual, with_discovery
from streams.core.due import Due
from streams.core.extract import extract
from streams.core.funnel import Funnel
from streams.core.policy import EngagementPolicy
from streams.core.publish import Choices, Decided, Publisher
from streams.core.wave import ActionAxis, Floats, Wave


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
        self._scorer = scorer_of([action.key for action in self.actions])
        self._axis = ActionAxis.of(catalogue.families, [action.key for action in self.actions])
        self._policy = EngagementPolicy(self.actions)
        self._publisher = Publisher(catalogue, self.actions, self._scorer)
        self._contact = ContactPolicy(catalogue.contact, self.actions)
        self._worth = np.array([action.value * action.lever for action in self.actions])
        self._weights = {
            moment: np.array([action.weight(moment) for action in self.actions])
            for moment in self.moments
        }
        self._draw_salt, self._arm_salt = id_hash(f"{salt}/draw"), id_hash(f"{salt}/arm")

    def decide(self, due: Sequence[Due]) -> list[Decided]:
        """Decide for every customer of the wave; a customer must not occur twice in it."""
        ids = [d.decision_id for d in due]
        return self._publisher.write(due, ids, self._choose(due, ids))

    def _choose(self, due: Sequence[Due], ids: Sequence[str]) -> Choices:
        moments = [d.moment for d in due]
        wave = Wave([d.state for d in due], [d.at_ms for d in due], moments, self._axis)
        consents = {
            purpose: consented(wave, purpose, self.catalogue.consent.get(purpose, "opt_in"))
            for purpose in (*PURPOSES, "service")
        }
        columns = extract(wave, consents["personalization"])
        funnel = Funnel(len(wave), len(self.actions))
        self._policy.apply(moments, columns.natural, consents, funnel)
        reach = self._contact.apply(wave, funnel)
        propensities = self._scorer.propensities(columns.customer, columns.action)
        weights = np.array([self._weights[moment] for moment in moments])
        silence = silence_worth(
            wave,
            columns.natural["contacts_7d"],
            columns.natural["ignored_in_a_row"],
            self.catalogue.bothering,
        )
        priorities = with_no_action(propensities * weights * self._worth, silence)
        customers = np.array([id_hash(d.customer) for d in due], np.uint64)
        arms = arms_of(customers, self._arm_salt, self.catalogue.arms)
        share = columns.natural["family_share"]
        probabilities = self._odds(wave, priorities, propensities, share, arms, funnel)
        draws = uniforms(np.array([int(i[:16], 16) for i in ids], np.uint64), self._draw_salt)
        return Choices(
            columns,
            funnel,
            reach.treatments,
            propensities,
            weights,
            priorities,
            probabilities,
            draws,
            arms,
            choose(probabilities, draws),
            reach.quiet_until_ms,
            consents["personalization"],
        )

    def _odds(
        self,
        wave: Wave,
        priorities: Floats,
        propensities: Floats,
        family_share: Floats,
        arms: NDArray[np.intp],
        funnel: Funnel,
    ) -> Floats:
        """Return the exact probability of every column, (n, a + 1), by each customer's arm."""
        exploration = self.catalogue.exploration
        # Where only the response counts, silence is worth nothing.
        response = with_no_action(propensities, np.zeros(len(wave)))
        ranking = np.where((arms == MODEL_ONLY)[:, None], response, priorities)
        gamma = np.where(arms == RANDOM, 0.0, exploration.gamma)[:, None]
        odds = probabilities_of(ranking, funnel.candidates, gamma)
        if exploration.floor_ratio:
            odds = with_floor(odds, exploration.floor_ratio)
        if exploration.discovery_ratio:
            # The held-out are decided for as if they were treated.
            treated = (arms == TREATED) | (arms == HOLDOUT)
            outside = outside_usual(wave, family_share, treated)
            odds = with_discovery(odds, outside, exploration.discovery_ratio)
        return odds
