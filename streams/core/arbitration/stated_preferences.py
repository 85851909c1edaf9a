"""Stated preferences: what customers state counts before behaviour is known, as a bounded shift.

The shift of log-odds replaces what the model has not learned yet, and fades for two reasons. First,
with an action's (or its family's) own evidence, because then behaviour is known. Second, with every
lesson of a customer who had stated a preference, whatever the family: the preference is a feature
of the model too, which learns its weight, and the shift would count it twice.
"""

from __future__ import annotations

import numpy as np

from models.protocol import Evidence
from streams.core.features.definitions import FEATURE_NAMES
from streams.core.features.wave import Floats

# The largest shift of log-odds by a preference: it multiplies the odds by e, or divides them.
MOST_LOG_ODDS = 1.0
# Lessons with a stated preference after which half of the shift is left. In a simulation (the true
# effect 1 or 0; a tenth or half of the customers stating one), the propensity of a new action was
# within .06 of the truth from lesson 400 on; without this fading it was wrong by up to .23.
HALF_STATED_LESSONS = 50.0
_QUANTA = 2.0**20
_PREFERENCE = FEATURE_NAMES.index("family_preference")
# What a full liking, 1, is as model input, squared.
_FULL = np.log(2.0) ** 2


def stated_shift(preferences: Floats, evidence: Evidence) -> Floats | None:
    """Return the shift of log-odds by each preference (-1..1, (n, a)); None without any."""
    if not preferences.any():
        return None
    stated = evidence.squares[_PREFERENCE] / _FULL if len(evidence.squares) else 0.0
    unlearned = HALF_STATED_LESSONS / (HALF_STATED_LESSONS + stated)
    push: Floats = MOST_LOG_ODDS * unlearned * preferences * evidence.borrowed
    return push


def shifted(propensities: Floats, push: Floats | None) -> Floats:
    """Return the propensities after a shift of their log-odds, (n, a), rounded to 2^-20 again."""
    if push is None:
        return propensities
    # odds' = odds * exp(shift), without dividing by 1 - p.
    raised = propensities * np.exp(push)
    moved: Floats = np.rint(raised / (1.0 - propensities + raised) * _QUANTA) / _QUANTA
    return np.where(push == 0.0, propensities, moved)
