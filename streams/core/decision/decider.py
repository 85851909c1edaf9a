"""Deciding for one wave: features, score, engage, arbitrate, in that order.

A `Decider` is one catalogue version with one model version. It decides for many customers at
once and changes nothing: the engine applies what it returns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.protocol import Scorer, lessons_behind
from schemas.symbols import PURPOSES
from streams.core.arbitration.arms import arm_ends, arms_of
from streams.core.arbitration.contact_cost import no_action_priority
from streams.core.arbitration.inverse_gap import choose, priorities_of
from streams.core.arbitration.probabilities import ArbitrationInput, probabilities_of_wave
from streams.core.arbitration.stated_preferences import shifted, stated_shift
from streams.core.arrays import Mask
from streams.core.channels import REACHING_OUT
from streams.core.decision.challenger_decision import Challenger
from streams.core.decision.decision_records import Choices, DecidedWave, Publisher
from streams.core.decision.due import DecisionDue
from streams.core.decision.plan import Plan
from streams.core.features.extract import extract
from streams.core.features.wave import Floats, Wave
from streams.core.hashing import id_hash, uniforms
from streams.core.policy.contact.contact_policy import Contactable, consented
from streams.core.policy.funnel import Funnel
from streams.core.policy.ramp import RampPolicy

# The fates of what a further position of a slate does not show.
SLATE_SHOWN, SLATE_DISTURBS, SLATE_SERVICE = "slate:shown", "slate:disturbs", "slate:service"


class Decider:
    """Decides waves of customers under one catalogue and one scorer."""

    def __init__(
        self, plan: Plan, scorer: Scorer, salt: str, challenger: Challenger | None = None
    ) -> None:
        self.catalogue = plan.catalogue
        self.actions = plan.actions
        self.moments = plan.moments
        self.about = plan.about
        self.owed_ms = plan.owed_ms
        self._plan = plan
        self._scorer = scorer
        self._challenger = challenger
        self._evidence = scorer.evidence
        self._lessons = lessons_behind(scorer.version)
        drift_boost = np.append(self._evidence.drift_boost, 1.0)
        self._drift_boost = drift_boost if (drift_boost > 1.0).any() else None
        self._ramp = RampPolicy(plan.actions, plan.catalogue.ramp, self._evidence, salt)
        self._publisher = Publisher(plan.catalogue, plan.actions, scorer)
        self._arm_ends = arm_ends(plan.catalogue.arms)
        self._salts = np.array([[id_hash(f"{salt}/arm")], [id_hash(f"{salt}/draw")]], np.uint64)

    def decide(
        self, due: Sequence[DecisionDue], closed: frozenset[str] = frozenset()
    ) -> list[DecidedWave]:
        """Decide for every customer of the wave; a customer must not occur twice in it.

        `closed` has the ids of the budgets that are used up for now.
        """
        ids = [d.decision_id for d in due]
        return self._publisher.write(due, ids, self._choose(due, ids, closed))

    def _choose(
        self, due: Sequence[DecisionDue], ids: Sequence[str], closed: frozenset[str]
    ) -> Choices:
        moments = [each.moment for each in due]
        wave = Wave(
            [each.state for each in due],
            [each.at_ms for each in due],
            moments,
            self._plan.axis,
            self.catalogue.time_zone,
            [each.channel for each in due],
        )
        consents = {
            purpose: consented(wave, purpose, self.catalogue.consent.get(purpose, "opt_in"))
            for purpose in (*PURPOSES, "service")
        }
        columns = extract(wave, consents["personalization"])
        funnel = Funnel(len(wave), len(self.actions))
        self._plan.policy.apply(moments, columns.natural, consents, funnel)
        contactable = self._contactable(due, wave, funnel, closed)
        hashes = [[id_hash(each.customer) for each in due], [int(i[:16], 16) for i in ids]]
        drawn_from = np.array(hashes, np.uint64)
        arm_draws, draws = uniforms(drawn_from, self._salts)
        with_trial, owed = self._ramp.apply(drawn_from[0], funnel)
        stated = stated_shift(columns.natural["family_preference"], self._evidence)
        propensities = shifted(self._scorer.propensities(columns.customer, columns.action), stated)
        weights = np.array([self._plan.weights[moment] for moment in moments])
        no_action = no_action_priority(
            wave,
            columns.natural["contacts_7d"],
            columns.natural["ignored_in_a_row"],
            self.catalogue.bothering,
        )
        arbitrated = ArbitrationInput(
            wave,
            priorities=priorities_of(propensities, weights, self._plan.values, no_action),
            propensities=propensities,
            family_share=columns.natural["family_share"],
            arms=arms_of(arm_draws, self._arm_ends),
            service=self._plan.service,
        )
        probabilities = self._probabilities(arbitrated, funnel.candidates)
        shadow = None
        if with_trial is not None:
            would_be = choose(self._probabilities(arbitrated, with_trial), draws)
            shadow = np.where(self._ramp.on_trial(with_trial), would_be, -1)
        challenger = None
        if self._challenger is not None:
            challenger = self._challenger.decide(
                columns, arbitrated, funnel.candidates, weights, draws
            )
        return Choices(
            columns=columns,
            funnel=funnel,
            treatments=contactable.treatments,
            propensities=propensities,
            weights=weights,
            priorities=arbitrated.priorities,
            probabilities=probabilities,
            draws=draws,
            arms=arbitrated.arms,
            chosen=choose(probabilities, draws),
            quiet_until_ms=contactable.quiet_until_ms,
            may_personalize=consents["personalization"],
            owed=owed,
            stated=stated,
            shadow=shadow,
            challenger=challenger,
        )

    def _contactable(
        self, due: Sequence[DecisionDue], wave: Wave, funnel: Funnel, closed: frozenset[str]
    ) -> Contactable:
        """Drop what is late, what may not be sent now and what no budget is left for."""
        self._plan.drop_outdated([each.late_ms for each in due], funnel)
        self._plan.drop_out_of_order([each.out_of_order for each in due], funnel)
        contactable = self._plan.contact.apply(wave, funnel, self._plan.used_up(closed))
        treatments = contactable.treatments
        for budget_id in sorted(closed):
            funnel.drop(self._plan.within_budget(budget_id, treatments), f"volume:{budget_id}")
        self._slate(due, treatments, funnel)
        return contactable

    def _slate(
        self, due: Sequence[DecisionDue], treatments: NDArray[np.intp], funnel: Funnel
    ) -> None:
        """Keep a slate varied: one action of a family, and beyond the first none that disturbs.

        Service is owed once by a moment, so beyond the first position there is none of it either.
        """
        if all(d.slate.position == 1 for d in due):
            return
        shown = np.zeros((len(due), len(self.actions)), bool)
        disturbing = np.zeros_like(shown)
        for row, slate in enumerate(d.slate for d in due):
            for place, action in enumerate(self.actions):
                shown[row, place] = action.id in slate.actions or action.family in slate.families
                channel = action.treatments[treatments[row, place]].channel
                disturbing[row, place] = slate.position > 1 and channel in REACHING_OUT
        funnel.drop(shown, SLATE_SHOWN)
        funnel.drop(disturbing, SLATE_DISTURBS)
        further = np.array([d.slate.position > 1 for d in due])[:, None]
        funnel.drop(further & self._plan.service, SLATE_SERVICE)

    def _probabilities(self, arbitrated: ArbitrationInput, candidates: Mask) -> Floats:
        return probabilities_of_wave(
            arbitrated,
            candidates,
            self.catalogue.exploration,
            self._drift_boost,
            self._lessons,
        )
