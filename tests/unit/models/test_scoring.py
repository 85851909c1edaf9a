"""A scorer answers for its actions in their order, explains itself, and refuses broken waves."""

from __future__ import annotations

import numpy as np
import pytest

from models.calibration import Calibration
from models.learning.capture import Snapshot, SnapshotError, take
from models.protocol import ActionKey, Floats, Scorer
from models.scoring import LinearScorer, PriorScorer, linear_scorer, prior_scorer
from tests.unit.models.learning.test_world import (
    FEATURE_VERSION,
    World,
    fresh_bank,
    make_world,
    teach,
)

CUSTOMER_COLUMNS = 14


def learned(world: World) -> Snapshot:
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    return take(bank)


WORLD = make_world(seed=1, lessons=1_000)
SNAPSHOT = learned(WORLD)
SCORER = LinearScorer(SNAPSHOT, WORLD.actions)


def _pushes(scorer: Scorer, features: Floats, action: int) -> Floats:
    pushes: Floats = scorer.contributions(features[None], np.array([action]))[0]
    return pushes


def wave(rows: int) -> tuple[Floats, Floats]:
    features = WORLD.features[:rows]
    action = np.repeat(features[:, None, CUSTOMER_COLUMNS:], len(WORLD.actions), axis=1)
    return features[:, :CUSTOMER_COLUMNS], action


def log_odds(p: float) -> float:
    return float(np.log(p / (1.0 - p)))


def test_propensities_are_whole_quanta_between_0_and_1() -> None:
    quanta = SCORER.propensities(*wave(50)) * 2**20
    assert (quanta == np.rint(quanta)).all()
    assert ((quanta >= 0) & (quanta <= 2**20)).all()


def test_quantising_moves_a_propensity_by_half_a_quantum_at_most() -> None:
    moved = SCORER.propensities(*wave(50)) - SCORER.exact_propensities(*wave(50))
    assert np.abs(moved).max() <= 2.0**-21


def test_columns_come_in_the_order_of_the_actions() -> None:
    reversed_scorer = LinearScorer(SNAPSHOT, WORLD.actions[::-1])
    customer, action = wave(5)
    flipped = reversed_scorer.propensities(customer, action[:, ::-1])
    assert (flipped[:, ::-1] == SCORER.propensities(customer, action)).all()


def test_an_action_can_be_scored_alone() -> None:
    customer, action = wave(5)
    alone = LinearScorer(SNAPSHOT, WORLD.actions[3:4]).propensities(customer, action[:, 3:4])
    assert (alone[:, 0] == SCORER.propensities(customer, action)[:, 3]).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_no_customers_or_no_actions_make_an_empty_answer(rows: int) -> None:
    customer, action = wave(rows)
    none = LinearScorer(SNAPSHOT, [])
    assert SCORER.propensities(customer, action).shape == (rows, len(WORLD.actions))
    assert none.propensities(customer, action[:, :0]).shape == (rows, 0)


def test_where_the_action_columns_begin_does_not_matter() -> None:
    customer, action = wave(5)
    features = WORLD.features[:5]
    wide = np.repeat(features[:, None, :], len(WORLD.actions), axis=1)
    expected = SCORER.exact_propensities(customer, action)
    all_customer = SCORER.exact_propensities(features, wide[:, :, :0])
    all_action = SCORER.exact_propensities(features[:, :0], wide)
    np.testing.assert_allclose(all_customer, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(all_action, expected, rtol=0, atol=1e-12)


def test_the_contributions_of_a_lone_level_sum_to_its_log_odds() -> None:
    """With a model that only "global" was taught, the blend is that level and the prior."""
    world = make_world(seed=2, lessons=500)
    snapshot = learned(world)
    stranger = ActionKey("stranger", None, "nowhere")
    scorer = LinearScorer(snapshot, [stranger])
    features = world.features[7]
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    bank.calibration = Calibration()
    share = 500 / 520
    blended = bank.propensity(stranger, features.tolist())
    of_level = (blended - (1 - share) * 0.05) / share
    intercept = next(state.intercept for state in snapshot.pipelines if state.level == "global")
    pushes = _pushes(scorer, features, 0)
    assert pushes.sum() / share + intercept == pytest.approx(log_odds(of_level), abs=1e-9)


def test_contributions_mix_the_levels_by_their_shares() -> None:
    features = WORLD.features[3]
    pushes = _pushes(SCORER, features, 5)
    nudge = 1e-5 * WORLD.features.std(axis=0)
    assert pushes.shape == features.shape
    for column in range(3):
        moved = features.copy()
        moved[column] += nudge[column]
        slope = (_pushes(SCORER, moved, 5) - pushes)[column] / nudge[column]
        mean = WORLD.features[:, column].mean()
        assert pushes[column] == pytest.approx(slope * (features[column] - mean), rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_a_bug_named_by_its_feature(bad: float) -> None:
    customer, action = (half.copy() for half in wave(4))
    customer[2, 1] = bad
    with pytest.raises(ValueError, match="'x1' is not finite"):
        SCORER.propensities(customer, action)
    customer, action = (half.copy() for half in wave(4))
    action[2, 3, 0] = bad
    with pytest.raises(ValueError, match="'x14' is not finite"):
        SCORER.propensities(customer, action)


def test_a_wave_of_the_wrong_shape_is_a_bug() -> None:
    customer, action = wave(4)
    for broken in ((customer[:3], action), (customer, action[:, 1:]), (customer[:, 1:], action)):
        with pytest.raises(ValueError, match="does not fit"):
            SCORER.propensities(*broken)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e15, 1e200, 1.7e308])
def test_an_absurd_customer_gets_a_propensity_all_the_same(size: float) -> None:
    customer, action = wave(2)
    said = SCORER.propensities(np.sign(customer) * size, np.sign(action) * size)
    assert ((said >= 0.0) & (said <= 1.0)).all()


def test_a_snapshot_of_other_features_is_not_scored_with() -> None:
    with pytest.raises(SnapshotError, match="from features 'v1', and this program computes 'v2'"):
        linear_scorer(SNAPSHOT, WORLD.actions, "v2")


def test_a_scorer_without_a_model_answers_the_prior_and_explains_nothing() -> None:
    scorer = prior_scorer(WORLD.actions, 0.05)
    said = scorer.propensities(*wave(3))
    assert said.shape == (3, len(WORLD.actions))
    assert np.abs(said - 0.05).max() <= 2.0**-21
    assert _pushes(scorer, WORLD.features[0], 0).tolist() == [0.0] * 20
    assert (scorer.version, SCORER.version) == ("000000000000", "000000001000")


def test_an_untaught_snapshot_scores_like_the_prior() -> None:
    untaught = linear_scorer(take(fresh_bank(WORLD, prior=0.2)), WORLD.actions, FEATURE_VERSION)
    expected = PriorScorer(WORLD.actions, 0.2).propensities(*wave(3))
    assert (untaught.propensities(*wave(3)) == expected).all()
