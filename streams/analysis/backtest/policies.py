"""The policies that are compared, and what each would have done in every row of a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.campaign_log import Flags, Floats, Ints, Log
from streams.analysis.backtest.replay import Learner, Predicted, accepted, drawn, live, predict
from streams.core.arbitration.inverse_gap import grown_gamma, probabilities_of
from streams.core.catalogue.values import Exploration

OURS, EXPLORING, LOGGED = "ours", "ours, exploring", "logged"
BEST_FIXED, RANDOM, TARGET = "best_fixed", "random", "target"
# An action needs so many rows before it may be called the best.
_LEAST_ROWS = 50

Policy = Callable[[slice, Floats], Floats]


@dataclass
class PolicyRun:
    """What a policy would have done: per row, probability of the logged action and its value.

    `target` and `expected` (mean predicted reward over the policy's own choices) are (n,);
    `matched` are the rows of its replay, `unsupported` its mass on actions the log never shows.
    """

    target: Floats
    expected: Floats
    matched: Flags
    unsupported: Floats | None = None


@dataclass(frozen=True)
class PolicyRuns:
    """All policies on one log; `rewards` (n,) is what was predicted for the logged action."""

    predicted: Predicted
    rewards: Floats
    lift: Floats
    by_policy: dict[str, PolicyRun]
    best_fixed: str


def best_fixed(log: Log) -> int:
    """Return the action that earned most in the rows of evidence, in hindsight (by SNIPS)."""
    held = log.evidence
    weights = 1.0 / log.probability[held]
    action, count = log.action[held], len(log.actions)
    rows = np.bincount(action, minlength=count)
    total = np.bincount(action, weights, count)
    earned = np.bincount(action, weights * log.reward[held], count)
    mean = np.divide(earned, total, out=np.full(count, -np.inf), where=total > 0)
    enough = rows >= min(_LEAST_ROWS, int(rows.max(initial=0)))
    return int(np.where(enough, mean, -np.inf).argmax())


def greedy(rewards: Floats) -> Floats:
    """Return the policy that takes the best action; equal ones share."""
    best = rewards == rewards.max(axis=1, keepdims=True)
    shares: Floats = best / best.sum(axis=1, keepdims=True)
    return shares


def run_policies(
    log: Log,
    new_learner: Callable[[], Learner],
    exploration: Exploration,
    target: tuple[Floats, Floats] | None,
    control: int | None,
    progress: Callable[[int], None] = lambda n: None,
) -> PolicyRuns:
    """Replay a log for all policies; `target` is a table by context and action and what it lacks.

    `control` is the number of the action that means "nothing was done": `lift` is then how much
    more the best other action was expected to bring.
    """
    fixed, count = best_fixed(log), len(log.actions)
    # How much had been learned by each row: filled as the log is gone through.
    lessons = np.zeros(len(log))
    policies = _policies(log, fixed, exploration, lessons, target)
    courses = {
        name: PolicyRun(np.empty(len(log)), np.empty(len(log)), np.zeros(len(log), bool))
        for name in policies
    }
    rewards, lift = np.empty(len(log)), np.zeros(len(log))

    def decided(rows: slice, expected: Floats) -> None:
        logged = (np.arange(len(expected)), log.action[rows])
        rewards[rows] = expected[logged]
        for name, policy in policies.items():
            shares = policy(rows, expected)
            courses[name].target[rows] = shares[logged]
            courses[name].expected[rows] = (shares * expected).sum(axis=1)
        if control is not None and count > 1:
            others = np.delete(expected, control, axis=1).max(axis=1)
            lift[rows] = others - expected[:, control]

    gathered = _Gathered(decided)
    judge = new_learner()

    def noted(rows: slice, expected: Floats) -> None:
        lessons[rows] = judge.lessons
        gathered(rows, expected)

    predicted = predict(log, judge, noted, progress)
    gathered.flush()
    taken = accepted(log)
    for name in (BEST_FIXED, RANDOM, TARGET):
        if name in courses:
            courses[name].matched = taken & (log.action == _choices(log, policies[name]))
    # Only a policy that explores learns from its own choices: both rows of ours share that replay.
    courses[OURS].matched = live(log, new_learner(), exploration, taken)
    courses[EXPLORING].matched = courses[OURS].matched
    if target is not None:
        courses[TARGET].unsupported = target[1][log.policy_key.codes]
    return PolicyRuns(predicted, rewards, lift, courses, log.actions[fixed].action)


class _Gathered:
    """Hands decided rows on in blocks: most waves hold one row, and numpy costs by the call."""

    _BLOCK = 1_024

    def __init__(self, decided: Callable[[slice, Floats], None]) -> None:
        self._decided = decided
        self._held: list[Floats] = []
        self._start = self._stop = 0

    def __call__(self, rows: slice, expected: Floats) -> None:
        self._held.append(expected)
        self._stop = rows.stop
        if self._stop - self._start >= self._BLOCK:
            self.flush()

    def flush(self) -> None:
        """Hand on what is held."""
        if self._held:
            self._decided(slice(self._start, self._stop), np.concatenate(self._held))
            self._held, self._start = [], self._stop


def _policies(
    log: Log,
    fixed: int,
    exploration: Exploration,
    lessons: Floats,
    target: tuple[Floats, Floats] | None,
) -> dict[str, Policy]:
    count = len(log.actions)
    only_fixed = np.zeros(count)
    only_fixed[fixed] = 1.0

    def exploring(rows: slice, expected: Floats) -> Floats:
        gamma = grown_gamma(exploration.gamma, exploration.growth, lessons[rows])[:, None]
        return probabilities_of(expected, np.ones((len(expected), count - 1), bool), gamma)

    policies: dict[str, Policy] = {
        OURS: lambda rows, expected: greedy(expected),
        EXPLORING: exploring,
        BEST_FIXED: lambda rows, expected: np.broadcast_to(only_fixed, expected.shape),
        RANDOM: lambda rows, expected: np.full(expected.shape, 1.0 / count),
    }
    if target is not None:
        table, contexts = target[0], log.policy_key.codes
        policies[TARGET] = lambda rows, expected: table[contexts[rows]]
    return policies


def _choices(log: Log, policy: Policy) -> Ints | NDArray[np.intp]:
    width = len(log.actions)
    return drawn(log, lambda rows: policy(rows, np.zeros((rows.stop - rows.start, width))))
