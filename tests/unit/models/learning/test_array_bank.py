"""The bank in arrays learns what the bank learns, and knows what a missing number is."""

from __future__ import annotations

import numpy as np
import pytest

from models.learning.array_bank import ArrayBank
from models.learning.bank import Bank
from models.lesson_result import LearnerProgress
from models.protocol import ActionKey
from schemas.records import Lesson

ACTIONS = (
    ActionKey("gold_card", "cards", "sell"),
    ActionKey("blue_card", "cards", "sell"),
    ActionKey("loan", "loans", "sell"),
    ActionKey("how_to", None, "nurture"),
)
WIDTH = 5


def lesson(action: ActionKey, features: list[float], label: float) -> Lesson:
    return Lesson(
        model="m",
        action=action.action,
        family=action.family,
        issue=action.issue,
        decision_id="d",
        feature_version="v",
        features=features,
        label=label,
        action_probability=1.0,
        decided_at_ms=0,
        settled_at_ms=0,
    )


@pytest.mark.parametrize("actions", [ACTIONS, ACTIONS[:1], ACTIONS[:2]])
def test_the_bank_in_arrays_learns_what_the_bank_learns(actions: tuple[ActionKey, ...]) -> None:
    rng = np.random.default_rng(7)
    bank = Bank("m", "v", [f"c{n}" for n in range(WIDTH)], prior=0.1)
    arrays = ArrayBank(actions, WIDTH, prior=0.1)
    for offset in range(600):
        features = rng.normal([0, 5, -3, 0, 1], [1, 3, 0.1, 0, 40])
        features[3] = offset % 7 == 0
        number = int(rng.integers(len(actions)))
        label = bool(rng.random() < 1 / (1 + np.exp(1.5 - features[0] - 0.3 * number)))
        expected = [bank.propensity(action, features.tolist()) for action in actions]
        assert arrays.propensities(features[None])[0] == pytest.approx(expected, abs=1e-9)
        arrays.learn_one(features, number, label)
        learned = bank.learn_one(lesson(actions[number], features.tolist(), float(label)), offset)
        assert isinstance(learned, LearnerProgress)
    assert arrays.lessons == 600


@pytest.mark.parametrize("actions", [ACTIONS, ACTIONS[:1], ACTIONS[:2]])
def test_the_bank_in_arrays_forgets_at_a_drift_what_the_bank_forgets(
    actions: tuple[ActionKey, ...],
) -> None:
    rng = np.random.default_rng(3)
    bank = Bank("m", "v", ["x", "y"], prior=0.1)
    arrays = ArrayBank(actions, 2, prior=0.1)
    drifts = 0
    for offset in range(3_000):
        features = rng.normal(size=2)
        number = int(rng.integers(len(actions)))
        label = bool(rng.random() < (0.7 if offset > 1_800 and number == 0 else 0.1))
        told = bank.learn_one(lesson(actions[number], features.tolist(), float(label)), offset)
        assert isinstance(told, LearnerProgress)
        drifts += told.drifted
        arrays.learn_one(features, number, label)
        if offset % 50 == 0:
            expected = [bank.propensity(action, features.tolist()) for action in actions]
            assert arrays.propensities(features[None])[0] == pytest.approx(expected, abs=1e-9)
    assert drifts > 0


def test_a_missing_number_counts_as_the_mean_and_teaches_nothing() -> None:
    with_gap, without = ArrayBank(ACTIONS, 2), ArrayBank(ACTIONS, 2)
    for step in range(40):
        row = np.array([float(step % 5), float(step % 3)])
        with_gap.learn_one(row, 0, step % 5 > 2)
        without.learn_one(row, 0, step % 5 > 2)
    at_mean = np.array([[2.0, 1.0]])
    gap = np.array([[np.nan, 1.0]])
    assert with_gap.propensities(gap) == pytest.approx(with_gap.propensities(at_mean))
    for _ in range(10):
        with_gap.learn_one(np.array([np.nan, 1.0]), 0, True)
    assert np.isfinite(with_gap.propensities(gap)).all()


def test_a_column_that_never_varied_says_nothing() -> None:
    bank = ArrayBank(ACTIONS[:1], 1)
    for step in range(20):
        bank.learn_one(np.array([3.0]), 0, step % 2 == 0)
    answers = bank.propensities(np.array([[3.0], [1e9]]))
    assert answers[0] == answers[1]


def test_a_prior_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        ArrayBank(ACTIONS, 1, prior=1.0)
