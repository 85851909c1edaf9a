"""What we read from River's objects and set in them is all they have learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from river import linear_model, optim, preprocessing

from models.learners import (
    LEARNERS,
    keyed,
    parts,
    read_classifier,
    read_scaler,
    set_classifier,
    set_scaler,
)
from models.steps import DAMPING, INTERCEPT_STEP, STEP

WIDTH = 6


def stream(seed: int, count: int) -> list[tuple[dict[int, float], bool]]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, WIDTH)) * [1.0, 10.0, 1e-3, 1e6, 0.0, 1.0]
    return [(keyed(row), bool(row[0] > 0.3)) for row in rows.tolist()]


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("learned_before", [0, 1, 2, 50])
def test_a_pipeline_rebuilt_from_what_was_read_goes_on_bit_for_bit(
    name: str, learned_before: int
) -> None:
    lessons = stream(seed=7, count=100)
    original = LEARNERS[name](0.05)
    for features, label in lessons[:learned_before]:
        original.learn_one(features, label)
    rebuilt = LEARNERS[name](0.05)
    (scaler, classifier), (new_scaler, new_classifier) = parts(original), parts(rebuilt)
    set_scaler(new_scaler, read_scaler(scaler, WIDTH))
    set_classifier(new_classifier, read_classifier(classifier, WIDTH))

    for features, label in lessons[learned_before:]:
        assert rebuilt.predict_proba_one(features) == original.predict_proba_one(features)
        original.learn_one(features, label)
        rebuilt.learn_one(features, label)

    assert read_scaler(new_scaler, WIDTH) == read_scaler(scaler, WIDTH)
    assert read_classifier(new_classifier, WIDTH) == read_classifier(classifier, WIDTH)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_fresh_learner_answers_its_prior(name: str) -> None:
    assert LEARNERS[name](0.07).predict_proba_one({0: 3.0})[True] == pytest.approx(0.07, abs=1e-15)


def test_the_lean_steps_learn_what_rivers_own_learn() -> None:
    lessons = stream(seed=3, count=500)
    ours = LEARNERS["logistic"](0.05)
    rivers = preprocessing.StandardScaler() | linear_model.LogisticRegression(
        optimizer=optim.AdaGrad(STEP, eps=DAMPING),
        intercept_init=math.log(0.05 / 0.95),
        intercept_lr=optim.schedulers.InverseScaling(INTERCEPT_STEP, 0.5),
    )
    (scaler, classifier), (river_scaler, river_classifier) = parts(ours), parts(rivers)
    for features, label in lessons:
        for learning, scaling in ((classifier, scaler), (river_classifier, river_scaler)):
            scaling.learn_one(features)
            learning.learn_one(scaling.transform_one(features), label)

    assert read_scaler(scaler, WIDTH) == read_scaler(river_scaler, WIDTH)
    assert classifier.weights == pytest.approx(river_classifier.weights, rel=1e-12, abs=1e-14)
    assert classifier.optimizer.g2 == pytest.approx(river_classifier.optimizer.g2, rel=1e-12)
    assert classifier.intercept == pytest.approx(river_classifier.intercept, rel=1e-12)
