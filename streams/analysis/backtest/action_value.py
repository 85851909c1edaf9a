"""The value of an action: money earned when its outcome comes, less its cost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.backoff import HALF_EVIDENCE_LESSONS
from streams.analysis.backtest.campaign_log import Floats

# With so many outcomes of its own an action's mean money counts half, that of all the other half.
_HALF_EVIDENCE = HALF_EVIDENCE_LESSONS[-1]


class ActionValue:
    """Learns mean money per outcome and mean cost per row of each of `count` actions.

    If the value of an action's outcome is `declared`, as in a catalogue, it is used as it is.
    """

    def __init__(self, count: int, declared: Mapping[int, float]) -> None:
        # Rows: outcomes, their money, rows, their cost.
        self._sums = np.zeros((4, count))
        self._declared = dict(declared)
        self._learned: tuple[Floats, Floats] | None = None

    def learn_one(self, action: int, label: bool, money: float, cost: float) -> None:
        """Learn what one row brought and cost."""
        sums = self._sums[:, action]
        if label:
            sums[0] += 1.0
            sums[1] += money
        sums[2] += 1.0
        sums[3] += cost
        self._learned = None

    def expected(self, propensities: Floats) -> Floats:
        """Return the expected reward of each action, (n, actions), from its propensity."""
        if self._learned is None:
            outcomes, money, rows, cost = self._sums
            # Before the first outcome all actions have the same value, one unit.
            overall = money.sum() / outcomes.sum() if outcomes.any() else 1.0
            value = (money + _HALF_EVIDENCE * overall) / (outcomes + _HALF_EVIDENCE)
            for action, worth in self._declared.items():
                value[action] = worth
            mean_cost = cost.sum() / rows.sum() if rows.any() else 0.0
            spent = (cost + _HALF_EVIDENCE * mean_cost) / (rows + _HALF_EVIDENCE)
            self._learned = (value, spent)
        value, spent = self._learned
        rewards: Floats = propensities * value - spent
        return rewards
