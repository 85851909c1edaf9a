"""The sample-ratio alarm: silent on a fair split however often asked, loud on a broken one."""

from __future__ import annotations

from math import exp, lgamma, log

import numpy as np
import pytest

from models.evaluation.srm import CONCENTRATION, ShareTest

SHARES = {"holdout": 0.1, "treated": 0.9}


def test_a_fair_split_hardly_ever_alarms_however_often_it_is_looked_at() -> None:
    # The e-process itself, for 2,000 splits at once, looked at after every customer.
    chance = np.random.default_rng(1)
    held = chance.random((2_000, 5_000)) < 0.1
    before = np.cumsum(held, axis=1, dtype=np.float64) - held
    seen = np.arange(5_000)
    predicted = (CONCENTRATION * 0.1 + before) / (CONCENTRATION + seen)
    bet = np.where(held, predicted / 0.1, (1 - predicted) / 0.9)
    highest = np.cumsum(np.log(bet), axis=1).max(axis=1)
    assert (highest >= np.log(1 / 0.05)).mean() <= 0.05
    assert (highest >= np.log(1 / 0.001)).mean() <= 0.003


def test_a_split_that_is_off_by_a_fifth_is_found() -> None:
    chance = np.random.default_rng(2)
    test = ShareTest(SHARES)
    for _ in range(20_000):
        test.see("holdout" if chance.random() < 0.12 else "treated")
    assert test.alarm


def test_the_wealth_is_that_of_the_mixture_in_closed_form() -> None:
    chance = np.random.default_rng(3)
    test = ShareTest(SHARES)
    for _ in range(500):
        test.see("holdout" if chance.random() < 0.3 else "treated")
    n = sum(test.counts.values())
    closed = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + n)
    for arm, count in test.counts.items():
        start = CONCENTRATION * SHARES[arm]
        closed += lgamma(start + count) - lgamma(start) - count * log(SHARES[arm])
    assert test.p_value <= min(1.0, exp(-closed)) * (1 + 1e-9)
    assert test._log_wealth == pytest.approx(closed)


def test_an_arm_outside_the_split_is_passed_over() -> None:
    test = ShareTest(SHARES)
    test.see("random")
    assert sum(test.counts.values()) == 0
    assert test.p_value == 1.0


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 0.0, "b": 1.0}])
def test_shares_that_are_no_split_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        ShareTest(shares)
