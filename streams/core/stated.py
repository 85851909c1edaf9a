"""What customers said counts before anybody's behaviour tells: a bounded push on the log-odds.

The push is as strong as the share of a propensity that is borrowed: with an action's (or its
family's) own evidence it fades, for by then the model has learned what a stated liking is worth.
"""

from __future__ import annotations

import numpy as np

from models.protocol import Evidence
from streams.core.wave import Floats

# The most a stated like or dislike moves log-odds: it multiplies the odds by e, or divides them.
MOST_LOG_ODDS = 1.0
_QUANTA = 2.0**20


def stated_push(preferences: Floats, evidence: Evidence) -> Floats | None:
    """Return the push of each customer's liking (-1..1, (n, a)) on log-odds; None without any."""
    if not preferences.any():
        return None
    push: Floats = MOST_LOG_ODDS * preferences * evidence.borrowed
    return push


def pushed(propensities: Floats, push: Floats | None) -> Floats:
    """Return the propensities after a push on their log-odds, (n, a), rounded to 2^-20 again."""
    if push is None:
        return propensities
    # odds' = odds * exp(push), without dividing by 1 - p.
    raised = propensities * np.exp(push)
    moved: Floats = np.rint(raised / (1.0 - propensities + raised) * _QUANTA) / _QUANTA
    return np.where(push == 0.0, propensities, moved)
