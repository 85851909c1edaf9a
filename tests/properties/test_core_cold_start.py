"""New actions come in bit by bit, what was said counts a little, and a trial changes nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from models.protocol import Evidence, no_evidence
from streams.core.arbitration.inverse_gap import probabilities_of, with_no_action
from streams.core.arbitration.stated_preferences import MOST_LOG_ODDS, shifted, stated_shift
from streams.core.catalogue.values import Action, Ramp, Reward
from streams.core.features.definitions import FEATURE_NAMES
from streams.core.features.wave import Floats
from streams.core.hashing import id_hash
from streams.core.policy.funnel import CANDIDATE, Funnel
from streams.core.policy.ramp import RAMP, TRIAL, RampPolicy, ramp_ratios

RAMPS = st.builds(Ramp, st.floats(0.01, 0.5), st.integers(10, 500))
CUSTOMERS: NDArray[np.uint64] = np.array([id_hash(f"c{n}") for n in range(400)], np.uint64)
SHARES = hnp.arrays(np.float64, (3, 2), elements=st.floats(0, 1))


def offer(name: str, *, shadow: bool = False, ramped: bool = True) -> Action:
    return Action(
        *(name, "offers", None, "marketing", frozenset(["browsing"]), 1.0, 1.0, {}),
        *((), Reward(frozenset(["click"]), False, 1), 1, (), ""),
        ramped=ramped,
        shadow=shadow,
    )


def evidence(lessons: float, overall: int, began_at: float) -> Evidence:
    nothing = no_evidence(1)
    return nothing._replace(
        lessons=np.array([lessons]), overall=overall, began_at=np.array([began_at])
    )


def let_in(ramp: Ramp, known: Evidence, salt: str = "salt") -> NDArray[np.bool_]:
    funnel = Funnel(len(CUSTOMERS), 1)
    taking_part, owed = RampPolicy([offer("new")], ramp, known, salt).apply(CUSTOMERS, funnel)
    assert taking_part is None
    assert not owed.any()
    return funnel.candidates[:, 0]


@given(RAMPS, st.integers(0, 600), st.integers(0, 600), st.integers(0, 99))
def test_who_is_in_stays_in_while_evidence_grows(
    ramp: Ramp, lessons: int, more: int, seed: int
) -> None:
    began_at = float(ramp.settled_lessons)
    few = evidence(lessons, 10_000, began_at)
    many = evidence(lessons + more, 10_000 + more, began_at)
    before, after = let_in(ramp, few, str(seed)), let_in(ramp, many, str(seed))
    assert not (before & ~after).any()
    if lessons + more >= ramp.full_after_lessons:
        assert after.all()


@given(RAMPS, st.integers(0, 600), st.integers(0, 10_000), st.integers(0, 10_000))
def test_only_what_comes_to_a_settled_model_is_new(
    ramp: Ramp, lessons: int, overall: int, began_at: int
) -> None:
    ratio = ramp_ratios(ramp, evidence(lessons, overall, began_at))[0]
    assert ramp.start_ratio <= ratio <= 1
    if min(overall, began_at) < ramp.settled_lessons:
        assert ratio == 1
    assert let_in(ramp, no_evidence(1)).all()


def test_a_ramp_lets_in_the_share_it_says_and_others_for_each_action() -> None:
    many = np.array([id_hash(f"c{n}") for n in range(20_000)], np.uint64)
    known = no_evidence(3)._replace(overall=10_000)
    actions = [offer("one"), offer("two"), offer("old_hand", ramped=False)]
    funnel = Funnel(len(many), 3)
    RampPolicy(actions, Ramp(0.1, 200), known, "salt").apply(many, funnel)
    inside = funnel.candidates
    assert np.abs(inside.mean(axis=0) - [0.1, 0.1, 1.0]).max() < 0.01
    assert abs((inside[:, 0] & inside[:, 1]).mean() - 0.01) < 0.004
    row = int(np.argmin(inside[:, 0]))
    assert funnel.fates_of(row)[::2] == [RAMP, CANDIDATE]


def test_what_is_on_trial_is_dropped_and_yet_told_as_taking_part() -> None:
    actions = [offer("real"), offer("trial", shadow=True)]
    reach = RampPolicy(actions, Ramp(0.02, 200), no_evidence(2)._replace(overall=9_999), "salt")
    funnel = Funnel(3, 2)
    funnel.drop(np.array([[True, True], [False, True], [True, False]]), "eligibility:rule")
    taking_part, _ = reach.apply(CUSTOMERS[:3], funnel)
    assert taking_part is not None
    # A trial is not also on a ramp: it shows what the action would do for everybody.
    assert reach.on_trial(taking_part).tolist() == [False, False, True]
    assert funnel.fates_of(2) == ["eligibility:rule", TRIAL]
    assert not funnel.candidates[:, 1].any()


@given(SHARES, hnp.arrays(np.float64, (3, 2), elements=st.floats(-1, 1)), SHARES, st.floats(0, 1e6))
def test_what_was_said_moves_a_propensity_boundedly_and_less_the_more_is_known(
    raw: Floats, liking: Floats, borrowed: Floats, lessons: float
) -> None:
    before = np.rint(raw * 2**20) / 2**20
    known = no_evidence(2)._replace(borrowed=borrowed[0])
    after = shifted(before, stated_shift(liking, known))
    assert (after * 2**20 == np.rint(after * 2**20)).all()
    assert ((after >= 0) & (after <= 1)).all()
    assert (after[liking > 0] >= before[liking > 0]).all()
    assert (after[liking < 0] <= before[liking < 0]).all()
    assert after[liking == 0].tolist() == before[liking == 0].tolist()
    odds = before / np.maximum(1 - before, 1e-12)
    most = odds * np.exp(MOST_LOG_ODDS)
    assert (after <= most / (1 + most) + 2**-20).all()
    squares = np.full(len(FEATURE_NAMES), lessons)
    for settled in (known._replace(borrowed=borrowed[0] / 2), known._replace(squares=squares)):
        closer = shifted(before, stated_shift(liking, settled))
        assert (np.abs(closer - before) <= np.abs(after - before)).all()


def test_without_a_word_nothing_is_computed() -> None:
    assert stated_shift(np.zeros((3, 2)), no_evidence(2)) is None
    propensities = np.full((1, 2), 0.1)
    assert shifted(propensities, None) is propensities


@settings(max_examples=60)
@given(
    hnp.arrays(np.float64, (4, 5), elements=st.floats(0, 10)),
    hnp.arrays(np.float64, 5, elements=st.floats(1, 10)),
    st.integers(0, 99),
)
def test_unrest_only_explores_more_and_odds_stay_whole(
    priorities: Floats, drift_boost: Floats, seed: int
) -> None:
    candidates = np.random.default_rng(seed).random(priorities.shape) < 0.7
    ranked = with_no_action(priorities, np.full(4, 0.3))
    gamma = np.array(50.0)
    calm = probabilities_of(ranked, candidates, gamma)
    stirred = probabilities_of(ranked, candidates, gamma, np.append(drift_boost, 1.0))
    np.testing.assert_allclose(stirred.sum(axis=1), 1.0, atol=1e-12)
    assert ((stirred > 0) == (calm > 0)).all()
    best = calm.argmax(axis=1)
    rivals = np.arange(ranked.shape[1]) != best[:, None]
    assert (stirred[rivals] >= calm[rivals] - 1e-15).all()
    same = probabilities_of(ranked, candidates, gamma, np.ones(6))
    assert same.tolist() == calm.tolist()
