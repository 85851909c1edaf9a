"""A challenger: another learner's model that decides beside the one in use, and changes nothing.

It is asked about the same customers, the same candidates and with the same draw; what it would
have done is logged in the decision, with the exact probabilities that evaluation needs. Candidates
are those of the model in use, ramp included, so whatever the challenger may choose could be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.protocol import Scorer, lessons_behind
from schemas.decisions import Challenge
from streams.core.arbitration.inverse_gap import choose, with_no_action
from streams.core.arbitration.probabilities import ArbitrationInput, probabilities_of_wave
from streams.core.arbitration.stated_preferences import shifted, stated_shift
from streams.core.arrays import Mask
from streams.core.decision.plan import Plan
from streams.core.decision.version_lookup import Versions
from streams.core.features.extract import Columns
from streams.core.features.wave import Floats


@dataclass(frozen=True, slots=True)
class ChallengerResult:
    """What a challenger would have chosen for a wave: as `Choices`, with whose choice it is."""

    model: str
    version: str
    propensities: Floats
    probabilities: Floats
    chosen: NDArray[np.intp]

    def records(self, names: Sequence[str]) -> list[Challenge]:
        """Return the record of each customer's decision; `names` are those of the columns."""
        # As the record of the decision has them: silence has no propensity.
        propensities = with_no_action(self.propensities, np.zeros(len(self.chosen)))
        columns = (propensities.tolist(), self.probabilities.tolist(), self.chosen.tolist())
        return [
            Challenge(self.model, self.version, names[chosen], seen, odds)
            for seen, odds, chosen in zip(*columns, strict=True)
        ]


def challenger_of(plan: Plan, versions: Versions, version: str | None) -> Challenger | None:
    """Return what decides beside a catalogue's model; None without one that learned anything."""
    name = plan.catalogue.challenged_by
    if name is None or version is None:
        return None
    return Challenger(plan, name, versions.scorer(name, version, plan.keys))


class Challenger:
    """Decides waves beside a `Decider` of the same catalogue, by `scorer`'s propensities."""

    def __init__(self, plan: Plan, model: str, scorer: Scorer) -> None:
        self._plan = plan
        self._model = model
        self._scorer = scorer
        self._lessons = lessons_behind(scorer.version)
        unrest = np.append(scorer.evidence.unrest, 1.0)
        self._unrest = unrest if (unrest > 1.0).any() else None

    def decide(
        self,
        columns: Columns,
        standing: ArbitrationInput,
        candidates: Mask,
        weights: Floats,
        draws: Floats,
    ) -> ChallengerResult:
        """Return what it would have chosen where the actions stand as `standing` says.

        `weights` (n, a) are the actions' context weights, `draws` (n,) those of the decisions.
        """
        learned = self._scorer.propensities(columns.customer, columns.action)
        liked = stated_shift(columns.natural["family_preference"], self._scorer.evidence)
        propensities = shifted(learned, liked)
        silence = standing.priorities[:, -1]
        priorities = with_no_action(propensities * weights * self._plan.worth, silence)
        own = replace(standing, priorities=priorities, propensities=propensities)
        exploration = self._plan.catalogue.exploration
        odds = probabilities_of_wave(own, candidates, exploration, self._unrest, self._lessons)
        return ChallengerResult(
            self._model, self._scorer.version, propensities, odds, choose(odds, draws)
        )
