"""Qini: ranks by who is moved, not by who comes anyway."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.qini import qini


def _experiment(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    moved = chance.random(n) * 0.3
    treated = chance.random(n) < 0.5
    reward = (chance.random(n) < 0.1 + moved * treated).astype(float)
    return moved, treated, reward, chance.random(n)


def test_a_score_that_knows_who_is_moved_beats_chance_and_its_opposite_loses() -> None:
    moved, treated, reward, noise = _experiment(1, 20_000)
    knowing = qini(moved, treated, reward).coefficient
    assert knowing > 0.015
    assert qini(-moved, treated, reward).coefficient < -0.015
    assert abs(qini(noise, treated, reward).coefficient) < 0.006


def test_the_curve_ends_at_the_effect_of_treating_everybody() -> None:
    moved, treated, reward, _ = _experiment(2, 20_000)
    found = qini(moved, treated, reward)
    assert found.overall == pytest.approx(reward[treated].mean() - reward[~treated].mean())
    assert (found.share[0], found.share[-1], found.extra[0]) == (0.0, 1.0, 0.0)
    assert len(found.share) <= 101


def test_a_score_that_says_nothing_is_worth_nothing_in_any_order() -> None:
    _, treated, reward, _ = _experiment(3, 5_000)
    flat = np.zeros(5_000)
    assert qini(flat, treated, reward).coefficient == pytest.approx(0.0)
    order = np.random.default_rng(4).permutation(5_000)
    halves = (np.arange(5_000) % 2).astype(float)
    one = qini(halves, treated, reward).coefficient
    other = qini(halves[order], treated[order], reward[order]).coefficient
    assert one == pytest.approx(other)


def test_without_a_control_there_is_no_curve() -> None:
    with pytest.raises(ValueError, match="untreated"):
        qini(np.arange(3.0), np.ones(3, bool), np.ones(3))
