"""Replay a log in time order: decide, and learn each label when it would have been known.

Two learners go through it. The *judge's* learns from every row whose label is known at that time;
its predictions and choices are evaluated by IPS, SNIPS and DR. The *replayed* one works as in
production (Li, Chu, Langford, Wang: Unbiased offline evaluation of contextual-bandit algorithms,
WSDM 2011): it explores, and sees only rows where its own choice equals the logged action. If the
log chose unevenly, a row is accepted with a probability of (least logged) / (its own), after which
all actions are equally likely, as that method asks.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.learning.array_bank import ArrayBank
from streams.analysis.backtest.action_value import ActionValue
from streams.analysis.backtest.campaign_log import Flags, Floats, Ints, Log
from streams.analysis.backtest.design_matrix import DesignMatrix
from streams.core.arbitration.inverse_gap import choose, grown_gamma, probabilities_of
from streams.core.catalogue.values import Exploration
from streams.core.hashing import id_hash, uniforms

# Rows decided together while no label becomes known; bounds the memory of a wave.
MOST_ROWS = 4_096
_SHOW_EVERY = 1_000
_CHOICE_SALT, _ACCEPT_SALT = id_hash("backtest choice"), id_hash("backtest accept")

Progress = Callable[[int], None]
# Gets each decided slice of the log and the expected reward of every action, (rows, actions).
Decided = Callable[[slice, Floats], None]


class Learner:
    """Our learner and the value of its actions, learning rows of a log by their number."""

    def __init__(self, log: Log, matrix: DesignMatrix, prior: float) -> None:
        self._log, self._matrix = log, matrix
        self._bank = ArrayBank(log.actions, matrix.width, prior)
        self._worth = ActionValue(len(log.actions), log.declared)

    @property
    def lessons(self) -> int:
        """How many labels it has learned."""
        return self._bank.lessons

    def propensities(self, rows: slice) -> Floats:
        """Return P(outcome) of every action, (rows, actions)."""
        return self._bank.propensities(self._matrix.rows(rows))

    def rewards(self, propensities: Floats) -> Floats:
        """Return the expected reward of every action."""
        return self._worth.expected(propensities)

    def learn(self, rows: Ints) -> None:
        """Learn the labels of rows, in this order."""
        log = self._log
        for start in range(0, len(rows), MOST_ROWS):
            some = rows[start : start + MOST_ROWS]
            details = (log.action[some], log.label[some], log.money[some], log.cost[some])
            each = zip(self._matrix.rows(some), *(d.tolist() for d in details), strict=True)
            for features, action, label, money, cost in each:
                self._bank.learn_one(features, action, label)
                self._worth.learn_one(action, label, money, cost)


@dataclass(frozen=True)
class Predicted:
    """For each row: the propensity of the logged action, and the number of labels known then."""

    propensity: Floats
    lessons: Ints


def predict(
    log: Log, learner: Learner, decided: Decided | None = None, progress: Progress = lambda n: None
) -> Predicted:
    """Go through the log with a learner that sees every label once it is known."""
    due = log.due_ms[log.known]
    learnable = np.flatnonzero(log.known)
    order = np.lexsort((learnable, due))
    learnable, due = learnable[order], due[order]
    predicted = Predicted(np.empty(len(log)), np.empty(len(log), np.int64))
    # Past the last label there is nothing to wait for.
    ends = np.append(np.searchsorted(log.time_ms, due, "left"), len(log))
    times = log.time_ms.tolist()
    dues = due.tolist()
    start = learned = shown = 0
    while start < len(log):
        now_known = learned
        while now_known < len(dues) and dues[now_known] <= times[start]:
            now_known += 1
        if now_known > learned:
            learner.learn(learnable[learned:now_known])
            learned = now_known
        rows = slice(start, min(int(ends[learned]), start + MOST_ROWS))
        propensities = learner.propensities(rows)
        count = rows.stop - start
        predicted.propensity[rows] = propensities[np.arange(count), log.action[rows]]
        predicted.lessons[rows] = learned
        if decided is not None:
            decided(rows, learner.rewards(propensities))
        start = rows.stop
        if start - shown >= _SHOW_EVERY:
            progress(start)
            shown = start
    progress(len(log))
    return predicted


def accepted(log: Log) -> Flags:
    """Return the rows that, taken alone, look as if every action had been equally likely."""
    held = log.probability[log.evidence]
    least = float(held.min()) if len(held) else 1.0
    draws = uniforms(np.arange(len(log), dtype=np.uint64), _ACCEPT_SALT)
    taken: Flags = draws * log.probability < least
    return taken


def live(log: Log, learner: Learner, exploration: Exploration, taken: Flags) -> Flags:
    """Return the rows where a learner that explores chose what the log shows, (n,).

    It learns from those rows alone. `taken` are the rows that count at all.
    """
    draws = uniforms(np.arange(len(log), dtype=np.uint64), _CHOICE_SALT)
    matched = np.zeros(len(log), bool)
    waiting: list[tuple[int, int]] = []
    start, width = 0, 16
    while start < len(log):
        now_ms = int(log.time_ms[start])
        known = []
        while waiting and waiting[0][0] <= now_ms:
            known.append(heapq.heappop(waiting)[1])
        if known:
            learner.learn(np.array(known))
        stop = min(start + width, len(log))
        if waiting:
            stop = min(stop, int(np.searchsorted(log.time_ms, waiting[0][0], "left")))
        rows = slice(start, stop)
        rewards = learner.rewards(learner.propensities(rows))
        candidates = np.ones((stop - start, rewards.shape[1] - 1), bool)
        gamma = grown_gamma(exploration.gamma, exploration.growth, learner.lessons)
        chosen = choose(probabilities_of(rewards, candidates, gamma), draws[rows])
        same = (chosen == log.action[rows]) & taken[rows]
        # From the first row by whose time one of these labels is known the learner has moved on.
        known_at = np.where(same & log.known[rows], log.due_ms[rows], np.iinfo(np.int64).max)
        earliest = np.minimum.accumulate(known_at)
        stale = np.flatnonzero(earliest <= log.time_ms[rows])
        count = int(stale[0]) if len(stale) else stop - start
        matched[start : start + count] = same[:count]
        for place in np.flatnonzero(same[:count] & log.known[start : start + count]) + start:
            heapq.heappush(waiting, (int(log.due_ms[place]), int(place)))
        start += count
        width = min(max(2 * count, 16), MOST_ROWS)
    return matched


def drawn(log: Log, probabilities: Callable[[slice], Floats]) -> Ints:
    """Return the action that a fixed policy draws in each row, (n,)."""
    draws = uniforms(np.arange(len(log), dtype=np.uint64), _CHOICE_SALT)
    chosen = np.empty(len(log), np.int64)
    for start in range(0, len(log), MOST_ROWS):
        rows = slice(start, min(start + MOST_ROWS, len(log)))
        chosen[rows] = choose(probabilities(rows), draws[rows])
    return chosen
