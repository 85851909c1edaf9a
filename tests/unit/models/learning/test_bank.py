"""A bank learns sound lessons once, refuses the rest as values, and backs off."""

from __future__ import annotations

import math

import msgspec
import pytest

from models.backoff import GLOBAL, MOST_PIPELINES, PipelineKey
from models.calibration import Calibration
from models.learning.bank import Bank
from models.learning.capture import restore, take
from models.lesson_result import LearnerProgress, Refusal, RefusalReason
from models.protocol import ActionKey
from schemas.records import Lesson, LessonPlace
from tests.support.river_pipelines import pipeline_of
from tests.unit.models.learning.test_world import fresh_bank, lesson, make_world, teach

ACTION = ActionKey("a", "f", "i")


def small_bank() -> Bank:
    return Bank("offers", "v1", ["visits", "price"])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lesson(ACTION, [1.0, 2.0], 1.0, model="other"), RefusalReason.WRONG_MODEL),
        (lesson(ACTION, [1.0, 2.0], 1.0, feature_version="v0"), RefusalReason.FEATURE_VERSION),
        (lesson(ACTION, [1.0], 1.0), RefusalReason.FEATURE_COUNT),
        (lesson(ACTION, [1.0, 2.0, 3.0], 1.0), RefusalReason.FEATURE_COUNT),
        (lesson(ACTION, [1.0, math.nan], 1.0), RefusalReason.NOT_FINITE),
        (lesson(ACTION, [math.inf, 2.0], 1.0), RefusalReason.NOT_FINITE),
        (lesson(ACTION, [1.0, -math.inf], 1.0), RefusalReason.NOT_FINITE),
        (lesson(ACTION, [1.0, 1e300], 1.0), RefusalReason.NOT_FINITE),
        (lesson(ACTION, [1.0, 2.0], 0.5), RefusalReason.LABEL),
        (lesson(ACTION, [1.0, 2.0], -1.0), RefusalReason.LABEL),
        (lesson(ACTION, [1.0, 2.0], math.nan), RefusalReason.LABEL),
    ],
)
def test_a_bad_lesson_is_refused_counted_and_leaves_no_trace_in_a_learner(
    bad: Lesson, reason: RefusalReason
) -> None:
    bank, spared = small_bank(), small_bank()
    good = [lesson(ACTION, [1.0, 2.0], 1.0), lesson(ACTION, [2.0, 0.0], 0.0)]
    refusal = teach(bank, [good[0], bad, good[1]])[1]
    spared.learn_one(good[0], 0)
    spared.learn_one(good[1], 2)

    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert bank.refused == {reason.value: 1}
    bank.refused.clear()
    assert take(bank) == take(spared)


def test_a_refusal_names_the_broken_feature() -> None:
    refusal = small_bank().learn_one(lesson(ACTION, [1.0, math.nan], 1.0), 0)
    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith("feature 'price' is nan;")


def test_a_lesson_at_a_passed_offset_changes_nothing() -> None:
    bank = small_bank()
    bank.learn_one(lesson(ACTION, [1.0, 2.0], 1.0), 10)
    before = take(bank)
    again = bank.learn_one(lesson(ACTION, [1.0, 2.0], 1.0), 10)
    assert isinstance(again, Refusal)
    assert again.reason is RefusalReason.REPEATED
    assert take(bank) == before


def test_made_up_action_names_cannot_fill_the_memory() -> None:
    bank = small_bank()
    for number in range(MOST_PIPELINES):
        bank.classifiers.row(PipelineKey("action", str(number)))
    known = lesson(ActionKey("a", None, "i"), [1.0, 2.0], 1.0)
    refusal = bank.learn_one(known, 0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.TOO_MANY_ACTIONS
    assert len(bank.classifiers) == MOST_PIPELINES


def test_a_full_bank_goes_on_learning_the_actions_it_knows() -> None:
    bank = small_bank()
    known = lesson(ACTION, [1.0, 2.0], 1.0)
    bank.learn_one(known, 0)
    for number in range(MOST_PIPELINES - 4):
        bank.classifiers.row(PipelineKey("action", f"other {number}"))
    assert isinstance(bank.learn_one(known, 1), LearnerProgress)


def test_a_lesson_teaches_the_action_its_family_its_issue_and_the_whole() -> None:
    bank = small_bank()
    bank.learn_one(lesson(ACTION, [1.0, 2.0], 1.0), 0)
    assert set(bank.classifiers) == {
        PipelineKey("action", "a"),
        PipelineKey("family", "i/f"),
        PipelineKey("issue", "i"),
        GLOBAL,
    }


def test_a_prediction_is_made_before_its_lesson_is_learned() -> None:
    bank = small_bank()
    first = bank.learn_one(lesson(ACTION, [1.0, 2.0], 1.0), 0)
    assert first == LearnerProgress(propensity=0.05, label=True)
    assert bank.overall.lessons == bank.quality["a"].lessons == 1


def test_an_action_without_lessons_scores_like_its_family() -> None:
    world = make_world(seed=1, lessons=2_000)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    bank.calibration = Calibration()
    features = world.features[0].tolist()
    family = PipelineKey("family", "i0/f0")
    new = bank.propensity(ActionKey("new", "f0", "i0"), features)

    lessons = bank.classifiers.lessons(family)
    weight = lessons / (lessons + 300.0)
    wider = bank.propensity(ActionKey("new", "new", "i0"), features)
    family_says = pipeline_of(bank, family).predict_proba_one(dict(enumerate(features)))[True]
    assert new == pytest.approx(weight * family_says + (1 - weight) * wider, abs=1e-12)
    assert new == bank.propensity(ActionKey("newer", "f0", "i0"), features)


def test_an_unknown_action_of_an_unknown_issue_scores_like_the_whole() -> None:
    world = make_world(seed=1, lessons=2_000)
    bank = fresh_bank(world)
    teach(bank, world.lessons())
    bank.calibration = Calibration()
    features = world.features[0].tolist()
    whole = pipeline_of(bank, GLOBAL).predict_proba_one(dict(enumerate(features)))[True]
    shares = 2_000 / 2_020, 20 / 2_020
    expected = shares[0] * whole + shares[1] * 0.05
    assert bank.propensity(ActionKey("x", None, "y"), features) == pytest.approx(expected)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, math.nan])
def test_a_prior_that_is_no_rate_is_a_bug(prior: float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        Bank("offers", "v1", ["visits"], prior=prior)


def test_two_columns_of_one_name_are_a_bug() -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        Bank("offers", "v1", ["visits", "visits"])


def test_a_lesson_that_a_crash_repeated_is_learned_once() -> None:
    bank = small_bank()
    plain = lesson(ACTION, [1.0, 2.0], 1.0)
    first, later, elsewhere = (
        msgspec.structs.replace(plain, place=place)
        for place in (LessonPlace(2, 70, 5), LessonPlace(2, 71, 1), LessonPlace(3, 1, 1))
    )

    learned = teach(bank, [first, later, elsewhere])
    again = [bank.learn_one(first, 3), bank.learn_one(later, 4)]
    after_restart = restore(take(bank)).learn_one(first, 5)

    assert all(isinstance(each, LearnerProgress) for each in learned)
    assert all(isinstance(each, Refusal) for each in [*again, after_restart])
    assert bank.overall.lessons == 3
