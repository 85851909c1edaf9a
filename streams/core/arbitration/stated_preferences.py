"""What customers said counts before anybody's behaviour tells: a bounded push on the log-odds.

It stands in for what the model has not learned yet, and fades for two reasons. With an action's
(or its family's) own evidence, because then behaviour tells. And with every lesson of a customer
who had stated a liking, whatever the family: the model sees the liking too and learns what it is
worth, and pushing on would count it twice.
"""

from __future__ import annotations

import numpy as np

from models.protocol import Evidence
from streams.core.features.definitions import FEATURE_NAMES
from streams.core.features.wave import Floats

# The most a stated like or dislike moves log-odds: it multiplies the odds by e, or divides them.
MOST_LOG_ODDS = 1.0
# Lessons of a stated liking after which half of the push is left. Simulated (a liking truly worth
# 1 or nothing; a tenth or half of the customers stating one), what was said of a new action was
# within .06 of the truth from lesson 400 on; without this fading it was off by as much as .23.
HALF_STATED_LESSONS = 50.0
_QUANTA = 2.0**20
_PREFERENCE = FEATURE_NAMES.index("family_preference")
# What a full liking, 1, is as model input, squared.
_FULL = np.log(2.0) ** 2


def stated_shift(preferences: Floats, evidence: Evidence) -> Floats | None:
    """Return the push of each customer's liking (-1..1, (n, a)) on log-odds; None without any."""
    if not preferences.any():
        return None
    stated = evidence.squares[_PREFERENCE] / _FULL if len(evidence.squares) else 0.0
    unlearned = HALF_STATED_LESSONS / (HALF_STATED_LESSONS + stated)
    push: Floats = MOST_LOG_ODDS * unlearned * preferences * evidence.borrowed
    return push


def shifted(propensities: Floats, push: Floats | None) -> Floats:
    """Return the propensities after a push on their log-odds, (n, a), rounded to 2^-20 again."""
    if push is None:
        return propensities
    # odds' = odds * exp(push), without dividing by 1 - p.
    raised = propensities * np.exp(push)
    moved: Floats = np.rint(raised / (1.0 - propensities + raised) * _QUANTA) / _QUANTA
    return np.where(push == 0.0, propensities, moved)
