"""A challenger: the model of another learner, which decides without publishing anything.

It decides for the same customers and candidates with the same draw. The decision record holds its
choice with the exact probabilities, so that its value can be estimated. Its candidates are those of
the model in use, ramp included: the challenger can only choose what could be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.protocol import Scorer, lessons_behind
from schemas.decisions import Challenge
from streams.core.arbitration.inverse_gap import choose, priorities_of, with_no_action
from streams.core.arbitration.probabilities import ArbitrationInput, probabilities_of_wave
from streams.core.arbitration.stated_preferences import shifted, stated_shift
from streams.core.arrays import Mask
from streams.core.decision.plan import Plan
from streams.core.decision.version_lookup import Versions
from streams.core.features.extract import Columns
from streams.core.features.wave import Floats


@dataclass(frozen=True, slots=True)
class ChallengerResult:
    """A challenger's choice for a wave, in the shapes of `Choices`, with its model and version."""

    model: str
    version: str
    propensities: Floats
    probabilities: Floats
    chosen: NDArray[np.intp]

    def records(self, names: Sequence[str]) -> list[Challenge]:
        """Return the record of each customer's decision; `names` are those of the columns."""
        # As in the decision record: `no_action` has the propensity 0.
        propensities = with_no_action(self.propensities, np.zeros(len(self.chosen)))
        columns = (propensities.tolist(), self.probabilities.tolist(), self.chosen.tolist())
        return [
            Challenge(self.model, self.version, names[chosen], seen, chances)
            for seen, chances, chosen in zip(*columns, strict=True)
        ]


def challenger_of(plan: Plan, versions: Versions, version: str | None) -> Challenger | None:
    """Return a catalogue's challenger; None if it has none, or none that has learned anything."""
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
        drift_boost = np.append(scorer.evidence.drift_boost, 1.0)
        self._drift_boost = drift_boost if (drift_boost > 1.0).any() else None

    def decide(
        self,
        columns: Columns,
        arbitrated: ArbitrationInput,
        candidates: Mask,
        weights: Floats,
        draws: Floats,
    ) -> ChallengerResult:
        """Return its choice for the wave that the model in use decides.

        `weights` (n, a) are the actions' context weights, `draws` (n,) those of the decisions.
        """
        learned = self._scorer.propensities(columns.customer, columns.action)
        liked = stated_shift(columns.natural["family_preference"], self._scorer.evidence)
        propensities = shifted(learned, liked)
        no_action = arbitrated.priorities[:, -1]
        priorities = priorities_of(propensities, weights, self._plan.values, no_action)
        own = replace(arbitrated, priorities=priorities, propensities=propensities)
        exploration = self._plan.catalogue.exploration
        probabilities = probabilities_of_wave(
            own, candidates, exploration, self._drift_boost, self._lessons
        )
        chosen = choose(probabilities, draws)
        return ChallengerResult(
            self._model, self._scorer.version, propensities, probabilities, chosen
        )
