"""The odds of a wave: the exact probability of every candidate, by each customer's arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.arbitration.arms import HOLDOUT, MODEL_ONLY, RANDOM, TREATED
from streams.core.arbitration.discovery import outside_usual, with_discovery
from streams.core.arbitration.inverse_gap import (
    grown_gamma,
    probabilities_of,
    with_floor,
    with_no_action,
)
from streams.core.arrays import Mask
from streams.core.catalogue.service import Flags, competing_candidates, is_owed
from streams.core.catalogue.values import Exploration
from streams.core.features.wave import Floats, Wave


@dataclass(frozen=True, slots=True)
class ArbitrationInput:
    """How the actions stand for the n customers of a wave before anything is drawn.

    `priorities` is (n, a + 1), silence last; `propensities` and `family_share` (the share of
    interest of each action's family) are (n, a), `arms` (n,). `service` (a,) tells which actions
    are owed: see `streams.core.catalogue.service`.
    """

    wave: Wave
    priorities: Floats
    propensities: Floats
    family_share: Floats
    arms: NDArray[np.intp]
    service: Flags


def probabilities_of_wave(
    standing: ArbitrationInput,
    candidates: Mask,
    exploration: Exploration,
    unrest: Floats | None = None,
    lessons: int | Floats = 0,
) -> Floats:
    """Return the probability of every column, (n, a + 1).

    Where a service action is among the candidates, only such compete, by priority in every arm.
    `unrest` (a + 1,) divides gamma for actions whose model drifted; None where none did.
    `lessons`, one number or (n,), is what the model had learned from.
    """
    owed = is_owed(candidates, standing.service)
    candidates = competing_candidates(candidates, standing.service)
    arms = np.where(owed, TREATED, standing.arms)
    # Where only the response counts, silence is worth nothing.
    response = with_no_action(standing.propensities, np.zeros(len(arms)))
    ranking = np.where((arms == MODEL_ONLY)[:, None], response, standing.priorities)
    gamma = np.where(
        arms == RANDOM, 0.0, grown_gamma(exploration.gamma, exploration.growth, lessons)
    )[:, None]
    odds = probabilities_of(ranking, candidates, gamma, unrest, owed)
    if exploration.floor_ratio:
        odds = with_floor(odds, exploration.floor_ratio)
    if exploration.discovery_ratio:
        # The held-out are decided for as if they were treated.
        treated = ((arms == TREATED) | (arms == HOLDOUT)) & ~owed
        outside = outside_usual(standing.wave, standing.family_share, treated)
        odds = with_discovery(odds, outside, exploration.discovery_ratio)
    return odds
