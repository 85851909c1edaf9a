"""Arbitration of a wave: the exact probability of every candidate, by each customer's arm."""

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
    """The actions of the n customers of a wave, before anything is drawn.

    `priorities` is (n, a + 1), `no_action` last; `propensities` and `family_share` (the share of
    interest of each action's family) are (n, a), `arms` (n,). `service` (a,) marks the actions that
    are owed: see `streams.core.catalogue.service`.
    """

    wave: Wave
    priorities: Floats
    propensities: Floats
    family_share: Floats
    arms: NDArray[np.intp]
    service: Flags


def probabilities_of_wave(
    arbitrated: ArbitrationInput,
    candidates: Mask,
    exploration: Exploration,
    drift_boost: Floats | None = None,
    lessons: int | Floats = 0,
) -> Floats:
    """Return the probability of every column, (n, a + 1).

    If a service action is a candidate, only service actions compete, by priority in every arm.
    `drift_boost` (a + 1,) divides gamma for actions whose model drifted; None if none did.
    `lessons`, one number or (n,), is the number of lessons behind the model.
    """
    owed = is_owed(candidates, arbitrated.service)
    candidates = competing_candidates(candidates, arbitrated.service)
    arms = np.where(owed, TREATED, arbitrated.arms)
    # In the arm that ranks by response alone, `no_action` has no value.
    response = with_no_action(arbitrated.propensities, np.zeros(len(arms)))
    ranking = np.where((arms == MODEL_ONLY)[:, None], response, arbitrated.priorities)
    gamma = np.where(
        arms == RANDOM, 0.0, grown_gamma(exploration.gamma, exploration.growth, lessons)
    )[:, None]
    probabilities = probabilities_of(ranking, candidates, gamma, drift_boost, owed)
    if exploration.floor_ratio:
        probabilities = with_floor(probabilities, exploration.floor_ratio)
    if exploration.discovery_ratio:
        # Decisions for the control group are made as if it were treated.
        treated = ((arms == TREATED) | (arms == HOLDOUT)) & ~owed
        outside = outside_usual(arbitrated.wave, arbitrated.family_share, treated)
        probabilities = with_discovery(probabilities, outside, exploration.discovery_ratio)
    return probabilities
