"""Uplift: the ledger's sums, and an interval that survives being looked at all the time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.confidence_sequences import ALPHA, factor, factors, mean
from models.evaluation.ledger import (
    BUCKETS,
    MAX_NAMES,
    OTHER,
    OVERALL,
    ArmSums,
    Ledger,
    Settled,
)
from models.evaluation.uplift_estimate import (
    MIN_CONVERSIONS,
    TUNED_FOR_CONVERSIONS,
    compare,
    conversion_rate,
    ratio_bounds,
    uplift_of,
    value_rate,
)

Floats = NDArray[np.float64]
RUNS, DECISIONS, AT_ONCE = 2_000, 6_000, 100


def _ever_outside(
    seed: int, runs: int, treated: float, without: float, share: float, truth: float
) -> tuple[float, float]:
    """Look after every decision; return the shares of runs that ever miss `truth`, and ever
    exclude 0."""
    chance = np.random.default_rng(seed)
    missed = found = 0
    for _ in range(runs // AT_ONCE):
        held = chance.random((AT_ONCE, DECISIONS), np.float32) < share
        hit = chance.random((AT_ONCE, DECISIONS), np.float32) < np.where(held, without, treated)
        n_held = np.cumsum(held, axis=1, dtype=np.float64)
        n_treated = np.arange(1, DECISIONS + 1) - n_held
        c_held = np.cumsum(held & hit, axis=1, dtype=np.float64)
        c_treated = np.cumsum(hit, axis=1, dtype=np.float64) - c_held
        looked = np.minimum(c_held, c_treated) >= MIN_CONVERSIONS
        place = np.nonzero(looked)
        n_t, n_h, c_t, c_h = (x[place] for x in (n_treated, n_held, c_treated, c_held))
        r_t, r_h = c_t / n_t, c_h / n_h
        k = factors(np.minimum(c_t, c_h), ALPHA, TUNED_FOR_CONVERSIONS)
        low, high = ratio_bounds(r_t, r_t * (1 - r_t) / n_t, r_h, r_h * (1 - r_h) / n_h, k)
        missed += len(np.unique(place[0][(low > truth) | (high < truth)]))
        found += len(np.unique(place[0][(low > 0) | (high < 0)]))
    return missed / runs, found / runs


def test_two_thousand_equal_arms_watched_all_the_time_raise_few_alarms() -> None:
    alarms, _ = _ever_outside(1, RUNS, treated=0.1, without=0.1, share=0.2, truth=0.0)
    assert alarms <= ALPHA


def test_a_planted_uplift_is_found_and_held_by_the_interval() -> None:
    missed, found = _ever_outside(2, 400, treated=0.15, without=0.1, share=0.2, truth=0.5)
    assert missed <= ALPHA
    assert found >= 0.95


def test_the_factor_is_wider_than_one_look_and_widest_far_from_where_it_is_tuned() -> None:
    assert all(factor(n) > 1.96 for n in (1, 100, 1_000, 10**9))
    assert factor(1_000) < factor(10)
    assert factor(1_000) < factor(10**6)
    assert factors(np.array([5.0, 500.0])) == pytest.approx([factor(5), factor(500)])
    assert factor(1_000, alpha=0.01) > factor(1_000)


def test_a_mean_of_one_value_knows_nothing_of_its_spread() -> None:
    found = mean(np.array([3.0]))
    assert (found.value, found.low, found.high) == (3.0, -math.inf, math.inf)


def test_a_ratio_over_nearly_nothing_is_open_above() -> None:
    one = np.array([1.0])
    low, high = ratio_bounds(one * 0.5, one * 1e-4, one * 0.01, one * 1e-3, one * 3)
    assert high[0] == np.inf
    assert low[0] > 0
    low, high = ratio_bounds(one * 0.0, one * 0.0, one * 0.1, one * 1e-6, one * 3)
    assert (low[0], high[0]) == pytest.approx((-1.0, -1.0))


def test_what_a_ratio_interval_keeps_is_what_a_difference_does_not_refute() -> None:
    treated, v_t, without, v_h, k = 0.12, 1e-4, 0.1, 1e-4, 3.0
    low, high = (
        float(end[0])
        for end in ratio_bounds(*(np.array([x]) for x in (treated, v_t, without, v_h, k)))
    )
    for end in (low, high):
        gap = treated - (1 + end) * without
        assert abs(gap) == pytest.approx(k * math.sqrt(v_t + (1 + end) ** 2 * v_h))


def _settled(chance: np.random.Generator, customer: int, rate: float, arm: str) -> Settled:
    converted = bool(chance.random() < rate)
    return Settled(arm, "tea_offer", "tea", converted, 5.0 * converted, customer, 1_000)


def test_customers_who_are_all_alike_need_no_wider_interval_and_those_who_are_not_do() -> None:
    chance = np.random.default_rng(3)
    alike, unlike = Ledger(), Ledger()
    hashes = chance.integers(0, 2**63, 1_000)
    for customer in range(1_000):
        who, always = int(hashes[customer]), float(chance.random() < 0.1)
        for _ in range(10):
            alike.add(_settled(chance, who, 0.1, "treated"))
            unlike.add(_settled(chance, who, always, "treated"))
    independent = conversion_rate(alike.sums(OVERALL, "treated"))
    dependent = conversion_rate(unlike.sums(OVERALL, "treated"))
    assert independent.variance < 1.6 * 0.1 * 0.9 / 10_000
    # Ten decisions that always agree are worth one.
    assert dependent.variance == pytest.approx(0.1 * 0.9 / 1_000, rel=0.35)


def test_correlated_decisions_watched_all_the_time_raise_few_alarms() -> None:
    looks, customers, decisions, runs = 30, 1_000, 8_000, 200
    chance = np.random.default_rng(4)
    alarms = 0
    for _ in range(runs):
        rate = chance.beta(0.6, 5.4, customers)
        held, bucket = chance.random(customers) < 0.2, chance.integers(0, BUCKETS, customers)
        who = chance.integers(0, customers, decisions)
        hit = chance.random(decisions) < rate[who]
        cell = (np.arange(decisions) * looks // decisions) * BUCKETS + bucket[who]
        alarmed = False
        grids = [
            np.cumsum(
                np.bincount(cell[mask], minlength=looks * BUCKETS).reshape(looks, BUCKETS), axis=0
            ).astype(float)
            for mask in (~held[who], held[who], ~held[who] & hit, held[who] & hit)
        ]
        nothing = np.zeros(BUCKETS)
        for n_t, n_h, c_t, c_h in zip(*grids, strict=True):
            arms = [ArmSums(n, c, nothing, nothing, nothing) for n, c in ((n_t, c_t), (n_h, c_h))]
            treated, without = (conversion_rate(arm) for arm in arms)
            found = compare(treated, without, "overall", "")
            alarmed |= found.evaluable and found.relative.excludes_zero
        alarms += alarmed
    assert alarms <= ALPHA * runs


def test_heavy_tailed_orders_watched_all_the_time_raise_few_alarms() -> None:
    looks, customers, runs = 20, 4_000, 100
    chance = np.random.default_rng(9)
    alarms = 0
    for _ in range(runs):
        ledger, alarmed = Ledger(), False
        held = chance.random(customers) < 0.15
        orders = (chance.random(customers) < 0.1) * chance.lognormal(3.0, 1.2, customers)
        hashes = chance.integers(0, 2**63, customers)
        for number, (who, spent) in enumerate(zip(hashes.tolist(), orders.tolist(), strict=True)):
            arm = "holdout" if held[number] else "treated"
            ledger.add(Settled(arm, "offer", None, spent > 0, spent, who, number))
            if number % (customers // looks) == 0:
                found = uplift_of(ledger, OVERALL, rate_of=value_rate)
                alarmed |= found.evaluable and found.relative.excludes_zero
        alarms += alarmed
    assert alarms <= ALPHA * runs


def _filled(seed: int, treated: float, without: float, customers: int) -> Ledger:
    chance = np.random.default_rng(seed)
    ledger = Ledger()
    for who in chance.integers(0, 2**63, customers).tolist():
        held = chance.random() < 0.2
        ledger.add(
            _settled(chance, who, without if held else treated, "holdout" if held else "treated")
        )
    return ledger


def test_uplift_is_told_overall_and_for_each_family_and_action() -> None:
    ledger = _filled(5, treated=0.3, without=0.2, customers=8_000)
    assert ledger.scopes() == [OVERALL, ("family", "tea"), ("action", "tea_offer")]
    for scope in ledger.scopes():
        found = uplift_of(ledger, scope)
        assert found.evaluable
        assert found.relative.low < 0.5 < found.relative.high
        assert found.relative.excludes_zero
        assert found.difference.low < 0.1 < found.difference.high
    assert uplift_of(ledger, OVERALL, rate_of=value_rate).treated.mean == pytest.approx(
        5 * uplift_of(ledger, OVERALL).treated.mean
    )


def test_nothing_is_claimed_of_a_handful_of_conversions() -> None:
    ledger = _filled(6, treated=0.05, without=0.05, customers=300)
    found = uplift_of(ledger, OVERALL)
    assert not found.evaluable
    assert "are needed" in found.reason
    assert math.isnan(found.relative.value)
    assert not uplift_of(ledger, ("action", "never seen")).evaluable


def test_the_ledger_is_bounded_and_counts_what_it_does_not_know() -> None:
    ledger = Ledger()
    for number in range(MAX_NAMES + 50):
        ledger.add(Settled("treated", f"action {number}", None, False, 0.0, number, number))
    ledger.add(Settled("an arm of another release", "a", None, False, 0.0, 1, 1))
    assert len(ledger.scopes()) <= MAX_NAMES + 1
    assert float(ledger.sums(("action", OTHER), "treated").decisions.sum()) == 51
    assert (ledger.settled, ledger.unknown_arm) == (MAX_NAMES + 50, 1)
    assert (ledger.first_ms, ledger.last_ms) == (0, MAX_NAMES + 49)
