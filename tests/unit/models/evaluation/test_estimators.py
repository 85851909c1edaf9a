"""Off-policy estimators: their laws, what they refuse, and whether their intervals hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.confidence_sequences import factor
from models.evaluation.estimators import (
    Estimate,
    Evaluation,
    clip_report,
    dm,
    dr,
    effective_samples,
    ips,
    snips,
)

Floats = NDArray[np.float64]
ACTIONS = 4
# Response per (kind of customer, action); the logging policy prefers the first action.
RESPONSE = np.array([[0.04, 0.10, 0.06, 0.02], [0.12, 0.03, 0.05, 0.08]])
LOGGING = np.array([0.55, 0.2, 0.15, 0.1])
TARGET = np.array([[0.1, 0.7, 0.1, 0.1], [0.6, 0.1, 0.1, 0.2]])
TRUE_VALUE = float((TARGET * RESPONSE).sum(axis=1).mean())


class Log:
    """A made-up log of n decisions, with a model that is wrong by a constant factor."""

    def __init__(self, n: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        kind = chance.integers(0, 2, n)
        action = chance.choice(ACTIONS, n, p=LOGGING)
        self.rewards: Floats = (chance.random(n) < RESPONSE[kind, action]).astype(float)
        self.logged: Floats = LOGGING[action]
        self.target: Floats = TARGET[kind, action]
        self.predicted: Floats = RESPONSE[kind, action] * 0.7
        self.expected: Floats = (TARGET * RESPONSE).sum(axis=1)[kind] * 0.7

    def all_of(self, how: Evaluation) -> dict[str, Estimate]:
        return {
            "ips": ips(self.rewards, self.logged, self.target, how),
            "snips": snips(self.rewards, self.logged, self.target, how),
            "dr": dr(self.rewards, self.logged, self.target, self.predicted, self.expected, how),
        }


def test_the_logged_policy_is_worth_what_it_earned() -> None:
    log = Log(2_000, seed=1)
    earned = float(log.rewards.mean())
    assert ips(log.rewards, log.logged, log.logged).value == pytest.approx(earned)
    assert snips(log.rewards, log.logged, log.logged).value == pytest.approx(earned)
    gain = ips(log.rewards, log.logged, log.logged, Evaluation(baseline=log.rewards))
    assert gain.value == pytest.approx(0.0)
    # One more rewarded row, of 2,000, could tell otherwise.
    assert gain.high == pytest.approx((1 + factor(2_000)) / 2_000)


def test_a_weighted_mean_is_what_it_says() -> None:
    rewards = np.tile([1.0, 0.0, 2.0, 0.0], 50)
    logged = np.tile([0.5, 0.5, 0.25, 0.25], 50)
    target = np.tile([0.25, 0.5, 0.5, 0.0], 50)
    # Weights .5, 1, 2, 0.
    assert ips(rewards, logged, target).value == pytest.approx(4.5 / 4)
    assert snips(rewards, logged, target).value == pytest.approx(4.5 / 3.5)
    assert ips(rewards, logged, target).effective_samples == pytest.approx(50 * 3.5**2 / 5.25)


def test_snips_and_dr_follow_a_shift_of_the_rewards_and_ips_need_not() -> None:
    log = Log(5_000, seed=2)
    rewards, moved = log.rewards, log.rewards + 10.0
    apart = (
        snips(moved, log.logged, log.target).value - snips(rewards, log.logged, log.target).value
    )
    assert apart == pytest.approx(10.0)
    twice = dr(moved, log.logged, log.target, log.predicted + 10.0, log.expected + 10.0)
    once = dr(rewards, log.logged, log.target, log.predicted, log.expected)
    assert twice.value - once.value == pytest.approx(10.0)
    assert once.high - once.low == pytest.approx(twice.high - twice.low)


def test_a_perfect_model_leaves_doubly_robust_with_little_to_add() -> None:
    log = Log(20_000, seed=3)
    weighted = ips(log.rewards, log.logged, log.target)
    robust = dr(log.rewards, log.logged, log.target, log.predicted / 0.7, log.expected / 0.7)
    assert robust.high - robust.low < weighted.high - weighted.low
    assert dm(log.rewards, log.expected / 0.7).value == pytest.approx(TRUE_VALUE, rel=0.02)


def test_doubly_robust_is_right_where_the_model_alone_is_wrong() -> None:
    values = [Log(5_000, seed).all_of(Evaluation())["dr"].value for seed in range(40)]
    spread = float(np.std(values)) / math.sqrt(len(values))
    assert abs(float(np.mean(values)) - TRUE_VALUE) < 3 * spread
    log = Log(5_000, seed=0)
    assert dm(log.rewards, log.expected).high < TRUE_VALUE


def test_intervals_hold_at_every_look_at_a_growing_log() -> None:
    looks, runs = (500, 1_000, 2_000, 4_000, 8_000), 200
    missed = dict.fromkeys(("ips", "snips", "dr"), 0)
    for seed in range(runs):
        log = Log(looks[-1], seed)
        out = set()
        for n in looks:
            cut = Log.__new__(Log)
            cut.__dict__ = {name: column[:n] for name, column in vars(log).items()}
            for name, found in cut.all_of(Evaluation()).items():
                if found.evaluable and not found.low <= TRUE_VALUE <= found.high:
                    out.add(name)
        for name in out:
            missed[name] += 1
    assert max(missed.values()) <= 0.05 * runs


@pytest.mark.parametrize("money", [False, True])
def test_intervals_hold_where_rewards_are_rare_and_weights_are_large(money: bool) -> None:
    # 80 actions by even odds, a target that likes a few: weights up to 70, 1 % rewarded.
    chance, actions, runs, missed = np.random.default_rng(11), 80, 150, 0
    for _ in range(runs):
        rates, target = chance.beta(2, 198, actions), chance.dirichlet(np.full(actions, 0.1))
        action = chance.integers(0, actions, 8_000)
        rewards = (chance.random(8_000) < rates[action]).astype(float)
        truth = float(target @ rates)
        if money:
            rewards *= chance.lognormal(0.0, 1.0, 8_000)
            truth *= math.exp(0.5)
        logged = np.full(8_000, 1 / actions)
        looks = [ips(rewards[:n], logged[:n], target[action[:n]]) for n in (1_000, 3_000, 8_000)]
        missed += any(e.evaluable and not e.low <= truth <= e.high for e in looks)
    assert missed <= 0.05 * runs


def test_decisions_of_one_customer_are_not_counted_as_many() -> None:
    log = Log(1_000, seed=5)
    often = {name: np.repeat(column, 5) for name, column in vars(log).items()}
    customers = np.repeat(np.arange(1_000), 5)
    once = ips(log.rewards, log.logged, log.target)
    clustered = ips(
        often["rewards"], often["logged"], often["target"], Evaluation(clusters=customers)
    )
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high))


def test_what_the_log_cannot_hold_is_not_evaluable() -> None:
    log = Log(1_000, seed=6)
    log.logged[3], log.target[3] = 0.0, 0.5
    found = ips(log.rewards, log.logged, log.target)
    assert not found.evaluable
    assert math.isnan(found.value)
    assert "logged probability of 0" in found.reason
    log.target[3] = 0.0
    assert ips(log.rewards, log.logged, log.target).evaluable


def test_mass_on_actions_the_log_never_chose_is_not_evaluable() -> None:
    log = Log(1_000, seed=6)
    elsewhere = Evaluation(unsupported=np.where(np.arange(1_000) < 100, 0.5, 0.0))
    found = dr(log.rewards, log.logged, log.target, log.predicted, log.expected, elsewhere)
    assert found.reason.startswith("5.0% of the target's choices")


def test_a_log_that_hardly_overlaps_is_not_evaluable() -> None:
    log = Log(1_000, seed=7)
    log.logged[0], log.target[0] = 1e-6, 1.0
    found = ips(log.rewards, log.logged, log.target)
    assert found.reason == "the log equals 1 decisions of the target policy, below 50"
    assert ips(log.rewards, log.logged, log.target, Evaluation(clip=10.0)).evaluable


@pytest.mark.parametrize("rewards", [np.zeros(500), np.eye(1, 500)[0], np.full(500, 3.0)])
def test_rewards_that_hardly_vary_tell_nothing(rewards: Floats) -> None:
    half = np.full(500, 0.5)
    assert "differ from the usual one" in ips(rewards, half, half).reason


def test_numbers_that_are_none_are_refused() -> None:
    log = Log(500, seed=8)
    log.rewards[7] = np.nan
    assert "finite" in ips(log.rewards, log.logged, log.target).reason
    nothing = np.zeros(0)
    assert ips(nothing, nothing, nothing).reason == "the log is empty"


def test_clipping_says_what_it_took() -> None:
    logged, target = np.array([0.5, 0.1, 0.5]), np.array([0.5, 1.0, 0.0])
    report = clip_report(logged, target, clip=5.0)
    assert (report.rows, report.largest_weight) == (1, 10.0)
    assert report.weight_share == pytest.approx(5 / 11)
    assert clip_report(logged, target, clip=20.0).weight_share == 0.0


def test_effective_samples_are_all_rows_only_when_weights_are_equal() -> None:
    assert effective_samples(np.full(100, 0.3)) == pytest.approx(100.0)
    assert effective_samples(np.array([10.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_samples(np.zeros(5)) == 0.0
