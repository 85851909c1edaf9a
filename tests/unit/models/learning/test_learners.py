"""Learning works: against batch regression, against knowing nothing, and from a cold start."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.lesson_result import LearnerProgress
from models.protocol import Floats
from tests.unit.models.learning.test_world import World, fresh_bank, make_world, teach


def predicted(world: World, prior: float = 0.05) -> Floats:
    results = teach(fresh_bank(world, prior), world.lessons())
    return np.array([one.propensity for one in results if isinstance(one, LearnerProgress)])


def divergence(truth: Floats, said: Floats) -> float:
    """Mean Kullback-Leibler divergence in nats: the log-loss beyond what chance costs."""
    off = truth * np.log(truth / said) + (1 - truth) * np.log((1 - truth) / (1 - said))
    return float(off.mean())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_pass_is_within_two_points_of_auc_of_batch_logistic_regression(seed: int) -> None:
    world = make_world(seed, lessons=8_000, actions=1)
    train, test = slice(0, 6_000), slice(6_000, None)
    batch = make_pipeline(StandardScaler(), LogisticRegression())
    batch.fit(world.features[train], world.labels[train])
    reference = roc_auc_score(world.labels[test], batch.predict_proba(world.features[test])[:, 1])
    online = roc_auc_score(world.labels[test], predicted(world)[test])
    assert online > reference - 0.02


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cold_start_halves_the_loss_of_the_bare_rate_within_50_positives_an_action(
    seed: int,
) -> None:
    world = make_world(seed, lessons=3_500)
    said = predicted(world)
    positives = np.bincount(world.chosen[:2_500], world.labels[:2_500])
    assert np.median(positives) < 50
    rate = np.full(1_000, world.labels.mean())
    late = slice(2_500, 3_500)
    assert divergence(world.truth[late], said[late]) < 0.5 * divergence(world.truth[late], rate)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_very_first_lessons_never_cost_more_than_the_prior_alone(seed: int) -> None:
    world = make_world(seed, lessons=300)
    early = divergence(world.truth, predicted(world))
    assert early < divergence(world.truth, np.full(300, 0.05))


def test_predictions_are_calibrated_overall() -> None:
    world = make_world(seed=4, lessons=6_000)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    error = bank.overall.calibration_error()
    assert error is not None
    assert error < 0.03


def test_a_poisoned_lesson_in_between_leaves_the_predictions_as_they_were() -> None:
    world = make_world(seed=4, lessons=400)
    lessons = world.lessons()
    lessons[200].features[3] = math.nan
    bank = fresh_bank(world)
    teach(bank, lessons)
    features = world.features[0].tolist()
    assert all(math.isfinite(bank.propensity(action, features)) for action in world.actions)
