"""Simulated customers, seeded: drift is recovered from, newcomers come in, logged odds are true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.bench.decisions.chances import family_entropy, match
from tests.bench.decisions.newcomer import CUSTOMERS, Step, arrive
from tests.bench.decisions.tastes import Lived, live, recovered_after

DECISIONS = 8_000
SEEDS = range(100, 108)


@pytest.fixture(scope="module")
def unwatched() -> list[Lived]:
    return [live(seed, DECISIONS, watched=False) for seed in SEEDS]


@pytest.fixture(scope="module")
def watched() -> list[Lived]:
    return [live(seed, DECISIONS, watched=True) for seed in SEEDS]


def regret(lives: Sequence[Lived], first: int, last: int) -> float:
    return float(np.mean([lived.regrets[first:last] for lived in lives]))


def test_regret_falls_rises_when_tastes_change_and_falls_again(watched: list[Lived]) -> None:
    middle = DECISIONS // 2
    begun, known = regret(watched, 0, 500), regret(watched, middle - 1_000, middle)
    changed, known_again = regret(watched, middle, middle + 500), regret(watched, 7_000, 8_000)
    assert known < begun / 2
    assert changed > 3 * known
    assert known_again < changed / 2


def test_with_drift_handling_fewer_decisions_are_needed_to_recover(
    watched: list[Lived], unwatched: list[Lived]
) -> None:
    with_it, without = (
        recovered_after(np.mean([lived.regrets for lived in lives], axis=0), block=250)
        for lives in (watched, unwatched)
    )
    assert with_it < without
    middle = DECISIONS // 2
    assert regret(watched, middle, DECISIONS) < 0.95 * regret(unwatched, middle, DECISIONS)


def test_a_drift_is_found_soon_and_not_before_there_is_one(watched: list[Lived]) -> None:
    middle = DECISIONS // 2
    found = [[drift for drift in lived.drifts if drift >= middle] for lived in watched]
    assert sum(len(lived.drifts) for lived in watched) == sum(map(len, found))
    assert np.median([drifts[0] - middle if drifts else DECISIONS for drifts in found]) < 1_000


@pytest.fixture(scope="module")
def ramped() -> list[Step]:
    return arrive(seed=1, before=4, after=24)


def test_a_newcomer_never_exceeds_its_ramp(ramped: list[Step]) -> None:
    assert ramped[0].ratio == 0.02
    assert not any(step.beyond or step.expelled for step in ramped)
    # The customers let in are a sample: three deviations of its share are allowed.
    for step in ramped:
        spread = np.sqrt(step.ratio * (1 - step.ratio) / CUSTOMERS)
        assert step.reached <= step.ratio + 3 * spread
    assert [step.ratio for step in ramped] == sorted(step.ratio for step in ramped)


def test_a_newcomer_reaches_its_fair_share(ramped: list[Step]) -> None:
    at_once = arrive(seed=1, before=4, after=24, ramp="")
    fair, reached = (np.mean([s.shown for s in steps[-6:]]) for steps in (at_once, ramped))
    assert at_once[0].ratio == 1.0
    assert reached > 0.9 * fair > 0.5


def test_actions_are_drawn_as_often_as_logged() -> None:
    found = match(customers=24, repeats=300)
    assert found.consistent
    assert found.least > 0
    # Six sigma either way: a fit too good would be as wrong.
    assert abs(found.deviations) < 6


def test_a_discovery_floor_widens_what_is_shown() -> None:
    narrow, wide = family_entropy(0.0, 100), family_entropy(0.2, 100)
    assert wide > narrow + 0.5
