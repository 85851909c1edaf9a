"""Probabilities are what they say: exact before the draw, and met by the draws."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from streams.core.arbitration.inverse_gap import choose, probabilities_of, with_no_action
from streams.core.features.wave import Floats
from streams.core.hashing import decision_id, id_hash, uniforms
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

PRIORITIES = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(0, 1e9)
)


@settings(max_examples=100)
@given(PRIORITIES, st.floats(0, 1e6), st.floats(0, 1e6))
def test_any_priorities_give_probabilities(
    priorities: Floats, silence: float, gamma: float
) -> None:
    candidates = np.random.default_rng(len(priorities)).random(priorities.shape) < 0.7
    ranked = with_no_action(priorities, np.full(len(priorities), silence))
    probabilities = probabilities_of(ranked, candidates, np.array(gamma))
    assert probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (probabilities[:, :-1][~candidates] == 0).all()
    assert (probabilities[:, :-1][candidates] > 0).all()
    assert (probabilities[:, -1] > 0).all()
    # The best is the likeliest; where several are, rounding may put one of them ahead.
    best = np.where(probabilities > 0, ranked, -1).argmax(axis=1)
    of_best = probabilities[np.arange(len(ranked)), best]
    assert (of_best >= probabilities.max(axis=1) - 1e-12).all()


# The 99.99 % quantile of chi-square for 1 to 4 degrees of freedom.
CHI_SQUARE = {1: 15.14, 2: 18.42, 3: 21.11, 4: 23.51}


def assert_frequencies(drawn: Counter[int], probabilities: Floats) -> None:
    total = sum(drawn.values())
    expected = {place: p * total for place, p in enumerate(probabilities) if p > 0}
    assert drawn.keys() <= expected.keys()
    distance = sum((drawn[place] - n) ** 2 / n for place, n in expected.items())
    assert distance < CHI_SQUARE[len(expected) - 1]


@pytest.mark.parametrize("salt", ["a", "b", "autumn"])
def test_draws_come_as_often_as_their_probability_says(salt: str) -> None:
    ids = [decision_id(f"customer-{n % 977}", "browsing", f"0/{n}/5") for n in range(40_000)]
    draws = uniforms(np.array([int(i[:16], 16) for i in ids], np.uint64), id_hash(salt))
    priorities = with_no_action(
        np.tile([0.5, 0.1, 0.9, 0.4], (len(ids), 1)), np.full(len(ids), 0.3)
    )
    candidates = np.tile([True, True, True, False], (len(ids), 1))
    probabilities = probabilities_of(priorities, candidates, np.array(5.0))
    chosen = choose(probabilities, draws)
    assert_frequencies(Counter(chosen.tolist()), probabilities[0])


def test_choices_of_the_engine_come_as_often_as_logged() -> None:
    catalogue = load()
    log, feed = Log(MemoryVersions(catalogue)), Feed()
    views = [feed.click(f"customer-{n}", NOON_MS, family="tea") for n in range(4_000)]
    out = log.play(numbered([use(catalogue), *views]))
    probabilities = {tuple(decision.probabilities) for decision in out.decisions}
    assert len(probabilities) == 1
    chosen: Counter[int] = Counter(d.actions.index(d.chosen) for d in out.decisions)
    assert_frequencies(chosen, np.array(probabilities.pop()))
    arms: Counter[int] = Counter(int(d.arm == "holdout") for d in out.decisions)
    assert_frequencies(arms, np.array([0.8, 0.2]))


def test_arms_and_draws_are_independent() -> None:
    """Otherwise the held-out would have another mix of ghost decisions than the treated."""
    catalogue = load()
    log, feed = Log(MemoryVersions(catalogue)), Feed()
    views = [feed.click(f"customer-{n}", NOON_MS, family="tea") for n in range(6_000)]
    out = log.play(numbered([use(catalogue), *views]))

    def chosen(arm: str) -> Counter[int]:
        return Counter(d.actions.index(d.chosen) for d in out.decisions if d.arm == arm)

    probabilities = np.array(out.decisions[0].probabilities)
    assert_frequencies(chosen("holdout"), probabilities)
    assert_frequencies(chosen("treated"), probabilities)
