"""What rows have learned is what River's own pipelines learn, and can be handed back as one."""

from __future__ import annotations

import numpy as np
import pytest
from river import compose

from models.backoff import GLOBAL, PipelineKey
from models.learning.bank import Bank
from models.learning.learners import LEARNERS, parts
from models.protocol import ActionKey
from schemas.records import Lesson
from tests.support.river_pipelines import keyed, pipeline_of

WIDTH = 6
KEYS = [ActionKey("a", "f", "i"), ActionKey("b", "f", "i"), ActionKey("c", None, "j")]
PIPELINES = [
    PipelineKey("action", "b"),
    PipelineKey("action", "c"),
    PipelineKey("family", "i/f"),
    PipelineKey("issue", "i"),
    GLOBAL,
]


def stream(seed: int, count: int) -> list[Lesson]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, WIDTH)) * [1.0, 10.0, 1e-3, 1e6, 0.0, 1.0]
    return [
        Lesson(
            model="offers",
            action=key.action,
            family=key.family,
            issue=key.issue,
            decision_id=str(number),
            feature_version="v1",
            features=row,
            label=float(row[0] > 0.3),
            action_probability=0.5,
            decided_at_ms=1,
            settled_at_ms=2,
        )
        for number, row in enumerate(rows.tolist())
        for key in [KEYS[int(rng.integers(len(KEYS)))]]
    ]


def concerns(lesson: Lesson, key: PipelineKey) -> bool:
    names = {
        "action": lesson.action,
        "family": lesson.family and f"{lesson.issue}/{lesson.family}",
        "issue": lesson.issue,
        "global": "",
    }
    return names[key.level] == key.name


def taught(lessons: list[Lesson], learner: str) -> Bank:
    names = [f"x{number}" for number in range(WIDTH)]
    bank = Bank("offers", "v1", names, prior=0.05, learner=learner)
    for offset, lesson in enumerate(lessons):
        bank.learn_one(lesson, offset)
    return bank


def by_river(lessons: list[Lesson], learner: str, key: PipelineKey) -> compose.Pipeline:
    """Teach River's own pipeline: its scaler by every lesson, its classifier by those it concerns.

    The scaler learns a lesson before the classifier sees it, as the bank does.
    """
    pipeline = LEARNERS[learner](0.05)
    scaler, classifier = parts(pipeline)
    for lesson in lessons:
        features = keyed(lesson.features)
        scaler.learn_one(features)
        if concerns(lesson, key):
            classifier.learn_one(scaler.transform_one(features), lesson.label == 1.0)
    return pipeline


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("key", PIPELINES, ids=str)
def test_a_bank_learns_what_rivers_own_pipeline_learns(learner: str, key: PipelineKey) -> None:
    lessons = stream(seed=3, count=600)
    rivers = by_river(lessons, learner, key)
    ours = pipeline_of(taught(lessons, learner), key)
    (scaler, classifier), (river_scaler, river_classifier) = parts(ours), parts(rivers)
    assert dict(scaler.counts) == dict(river_scaler.counts)
    assert scaler.means == pytest.approx(river_scaler.means, rel=1e-12)
    assert scaler.vars == pytest.approx(river_scaler.vars, rel=1e-12)
    assert classifier.weights == pytest.approx(river_classifier.weights, rel=1e-9, abs=1e-12)
    squares, river_squares = classifier.optimizer.g2, river_classifier.optimizer.g2
    assert dict(squares) == pytest.approx(dict(river_squares), rel=1e-9, abs=1e-12)
    assert classifier.intercept == pytest.approx(river_classifier.intercept, rel=1e-9)
    assert classifier.optimizer.n_iterations == river_classifier.optimizer.n_iterations > 100


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_pipeline_that_is_handed_back_says_what_the_bank_says(learner: str) -> None:
    lessons = stream(seed=4, count=300)
    bank = taught(lessons, learner)
    whole = pipeline_of(bank, GLOBAL)
    for lesson in lessons[:20]:
        stranger = bank.propensity(ActionKey("new", None, "new"), lesson.features)
        share = 300 / 320
        said = whole.predict_proba_one(keyed(lesson.features))[True]
        promised = bank.calibration.calibrate(share * said + (1 - share) * 0.05)
        assert stranger == pytest.approx(promised, abs=1e-9)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_fresh_learner_answers_its_prior(learner: str) -> None:
    fresh = LEARNERS[learner](0.07)
    assert fresh.predict_proba_one({0: 3.0})[True] == pytest.approx(0.07, abs=1e-15)
    assert pipeline_of(taught([], learner), GLOBAL).predict_proba_one({})[True] == pytest.approx(
        0.05
    )
