"""Customers whose tastes change half-way: what a decision costs before, at and after the change.

Six actions in three families, four things known of each customer; what they like is a logistic
function of these, and half-way it becomes what they liked of other actions. The bank learns from
what was chosen only. A decision's regret is the response it missed: the best action's true rate
less that of the chosen one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.drift import Watch
from models.learning.bank import Bank
from models.learning.capture import take
from models.lesson_result import LearnerProgress
from models.protocol import ActionKey, Floats
from models.scoring import LinearScorer
from schemas.records import Lesson
from streams.core.arbitration.inverse_gap import choose, probabilities_of, with_no_action

ACTIONS, WIDTH = 6, 4
# As the shop's catalogue: little is tried out.
GAMMA = 150.0
# Decisions under one model version.
WAVE = 200
_PRIOR = 0.1


class Lived(NamedTuple):
    """Regret of each decision, (n,), and at which decisions a drift was found."""

    regrets: Floats
    drifts: list[int]


class _Deaf(Watch):
    """Notices no drift."""

    def update(self, promised: float, label: bool) -> bool:
        return False


class _Steady(Bank):
    """A bank that never doubts what it learned."""

    def _watch(self, action: str) -> Watch:
        return self.watches.setdefault(action, _Deaf())


def live(seed: int, decisions: int, *, watched: bool, changes: bool = True) -> Lived:
    """Decide `decisions` times for ever new customers; tastes change at the middle."""
    rng = np.random.default_rng(seed)
    tastes = rng.normal(size=(ACTIONS, WIDTH)) * 0.8
    levels = np.linspace(-2.2, -0.6, ACTIONS)
    keys = [ActionKey(f"action_{n}", f"family_{n // 2}", "offers") for n in range(ACTIONS)]
    names = [f"x{n}" for n in range(WIDTH)]
    bank = (Bank if watched else _Steady)("offers", "v1", [*names, "none"], prior=_PRIOR)
    lived = Lived(np.empty(decisions), [])
    for start in range(0, decisions, WAVE):
        if changes and start == decisions // 2 // WAVE * WAVE:
            tastes, levels = np.roll(tastes, 2, axis=0), np.roll(levels, ACTIONS // 2)
        seen = rng.normal(size=(WAVE, WIDTH))
        truth = 1.0 / (1.0 + np.exp(-(seen @ tastes.T + levels)))
        chosen = _choose(bank, keys, seen, rng.random(WAVE))
        got = with_no_action(truth, np.zeros(WAVE))[np.arange(WAVE), chosen]
        lived.regrets[start : start + WAVE] = truth.max(axis=1) - got
        labels = rng.random(WAVE) < got
        for row in np.flatnonzero(chosen < ACTIONS).tolist():
            lesson = _lesson(keys[chosen[row]], [*seen[row].tolist(), 0.0], bool(labels[row]))
            progress = bank.learn_one(lesson, bank.next_lesson_offset)
            if isinstance(progress, LearnerProgress) and progress.drifted:
                lived.drifts.append(start + row)
    return lived


def _choose(bank: Bank, keys: list[ActionKey], seen: Floats, draws: Floats) -> NDArray[np.intp]:
    scorer = LinearScorer(take(bank), keys)
    propensities = scorer.propensities(seen, np.zeros((len(seen), len(keys), 1)))
    priorities = with_no_action(propensities, np.zeros(len(seen)))
    everything = np.ones(propensities.shape, bool)
    drift_boost = np.append(scorer.evidence.drift_boost, 1.0)
    odds = probabilities_of(priorities, everything, np.array(GAMMA), drift_boost)
    return choose(odds, draws)


def _lesson(key: ActionKey, features: list[float], label: bool) -> Lesson:
    return Lesson(
        model="offers",
        action=key.action,
        family=key.family,
        issue=key.issue,
        decision_id="",
        feature_version="v1",
        features=features,
        label=float(label),
        action_probability=1.0,
        decided_at_ms=0,
        settled_at_ms=0,
    )


def recovered_after(regrets: Floats, block: int = 500, share: float = 0.3) -> int:
    """Return how many decisions after the change regret is back, in whole blocks.

    Back means: all but `share` of the jump is made good, in the mean over a block.
    """
    middle = len(regrets) // 2
    usual = regrets[middle - 2 * block : middle].mean()
    after = regrets[middle:]
    means = after[: len(after) // block * block].reshape(-1, block).mean(axis=1)
    # The jump as it is in the first wave, before anything can have been learned of it.
    jump = after[:WAVE].mean() - usual
    back = np.flatnonzero(means <= usual + share * jump)
    return int(back[0] + 1) * block if len(back) else len(after)
