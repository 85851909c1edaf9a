"""What we read from River's objects and set in them is all they have learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from river import optim

from models.learners import (
    LEARNERS,
    HoistedAdaGrad,
    keyed,
    parts,
    read_classifier,
    read_scaler,
    set_classifier,
    set_scaler,
)

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


def test_hoisted_adagrad_takes_rivers_steps() -> None:
    rng = np.random.default_rng(3)
    river, ours = optim.AdaGrad(0.1, eps=5.0), HoistedAdaGrad(0.1, eps=5.0)
    river_weights: dict[Any, Any] = dict.fromkeys(range(WIDTH), 0.5)
    our_weights = dict(river_weights)
    for gradient in rng.normal(size=(500, WIDTH)).tolist():
        river.step(river_weights, dict(enumerate(gradient)))
        ours.step(our_weights, dict(enumerate(gradient)))
    assert our_weights == pytest.approx(river_weights, rel=1e-12, abs=1e-14)
    assert ours.g2 == pytest.approx(river.g2, rel=1e-12)
