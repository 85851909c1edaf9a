"""Laws of the test of logged probabilities: few false alarms, and rules beyond them are seen."""

from __future__ import annotations

import numpy as np
import pytest

from streams.analysis.backtest.binned_columns import Binned
from streams.analysis.backtest.probability_test import probability_test


def inverse_gap(rng: np.random.Generator, codes: list[np.ndarray], count: int) -> np.ndarray:
    """Probabilities that depend on two columns, as a contextual policy has them, (n, count)."""
    scores = rng.normal(size=(8, count))[codes[0]] + rng.normal(size=(8, count))[codes[1]]
    best = scores.argmax(axis=1)
    gap = scores.max(axis=1, keepdims=True) - scores
    probability: np.ndarray = 1.0 / (count + rng.choice([2.0, 10.0, 50.0]) * gap)
    places = np.arange(len(best))
    probability[places, best] = 0.0
    probability[places, best] = 1.0 - probability.sum(axis=1)
    return probability


@pytest.mark.parametrize("sticky", [False, True], ids=["rows drawn", "customers drawn"])
def test_right_probabilities_are_never_contradicted(sticky: bool) -> None:
    """Sixty contextual logs; in every other one some customers cannot get one of the actions."""
    alarms = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows, count = (1_500, 4_000, 12_000)[seed % 3], (2, 3, 8)[seed // 3 % 3]
        customer = rng.integers(0, rows // 3, rows)
        of_customer = customer if sticky else np.arange(rows)
        codes = [rng.integers(0, 8, rows)[of_customer] for _ in range(6)]
        probability = inverse_gap(rng, codes, count)
        if seed % 2:
            probability[codes[2] < 3, -1] = 1e-12
            probability /= probability.sum(axis=1, keepdims=True)
        drawn = rng.random(rows)[of_customer]
        action = (drawn[:, None] > probability.cumsum(axis=1)).sum(axis=1).clip(0, count - 1)
        columns = [Binned(f"c{n}", code, 8) for n, code in enumerate(codes)]
        logged = probability[np.arange(rows), action]
        found = probability_test(columns, action, count, customer, logged)
        alarms += [(seed, found)] if found.found else []
    assert alarms == []


def test_probabilities_of_a_learner_that_learns_from_the_log_are_not_contradicted() -> None:
    """What is drawn now moves the probabilities of later rows."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        code = rng.integers(0, 8, 2_000)
        wins, tries = np.ones((8, 3)), np.full((8, 3), 2.0)
        action, logged = np.zeros(2_000, np.int64), np.zeros(2_000)
        for row, cell in enumerate(code):
            odds = np.exp(5.0 * wins[cell] / tries[cell])
            odds /= odds.sum()
            chosen = int(rng.choice(3, p=odds))
            action[row], logged[row] = chosen, odds[chosen]
            wins[cell, chosen] += rng.random() < (0.1, 0.3, 0.5)[(chosen + cell) % 3]
            tries[cell, chosen] += 1.0
        columns = [Binned("x", code, 8), Binned("time", np.arange(2_000) // 125, 16)]
        assert not probability_test(columns, action, 3, np.arange(2_000), logged).found


@pytest.mark.parametrize("rows", [1_500, 12_000])
def test_a_rule_beyond_the_logged_probabilities_is_found(rows: int) -> None:
    """Written is 0.5; the actions follow one column, or two that neither shows alone."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        first, second = rng.integers(0, 2, rows), rng.integers(0, 2, rows)
        columns = [Binned(f"c{n}", rng.integers(0, 8, rows), 8) for n in range(6)]
        columns += [Binned("x", first, 2), Binned("y", second, 2)]
        for rule, names in ((first, {"x"}), (first ^ second, {"x", "y"})):
            action = (rng.random(rows) < 0.35 + 0.3 * rule).astype(np.int64)
            found = probability_test(columns, action, 2, np.arange(rows), np.full(rows, 0.5))
            assert found.found
            assert set(found.by.split(" with ")) == names
            assert found.times == pytest.approx(1.3, abs=0.1)


def test_contextual_probabilities_with_a_rule_beside_them_are_contradicted() -> None:
    """They depend on two columns, rightly; a third one moved the choice, which is not logged."""
    rng = np.random.default_rng(3)
    codes = [rng.integers(0, 8, 6_000) for _ in range(4)]
    probability = inverse_gap(rng, codes, 3)
    action = (rng.random(6_000)[:, None] > probability.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    moved = (codes[2] == 0) & (rng.random(6_000) < 0.6)
    action = np.where(moved, 1, action)
    columns = [Binned(f"c{n}", code, 8) for n, code in enumerate(codes)]
    logged = probability[np.arange(6_000), action]
    found = probability_test(columns, action, 3, np.arange(6_000), logged)
    assert found.found
    assert found.by == "c2"


def test_a_log_without_columns_contradicts_nothing() -> None:
    rng = np.random.default_rng(0)
    action = rng.integers(0, 2, 900)
    assert not probability_test([], action, 2, np.arange(900), np.full(900, 0.5)).found
