"""A simulated world whose true response rates are known: what the tests of models learn from.

Actions share part of their customers' tastes with their family, their issue and all others, as
the back-off assumes; families differ in how much they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.learning.bank import Bank
from models.lesson_result import LearnerProgress, Refusal
from models.protocol import ActionKey, Floats
from schemas.records import Lesson

MODEL = "offers"
FEATURE_VERSION = "v1"


@dataclass(frozen=True)
class World:
    """Lessons in order, and what they were drawn from."""

    actions: list[ActionKey]
    features: Floats
    chosen: NDArray[np.intp]
    truth: Floats
    labels: NDArray[np.bool_]

    @property
    def feature_names(self) -> list[str]:
        return [f"x{i}" for i in range(self.features.shape[1])]

    def lessons(self) -> list[Lesson]:
        rows = zip(self.chosen, self.features.tolist(), self.labels, strict=True)
        return [lesson(self.actions[a], row, float(label)) for a, row, label in rows]


def make_world(seed: int, lessons: int, actions: int = 12, width: int = 20) -> World:
    """Draw a world: two issues, families of four actions, half of the columns mean something."""
    rng = np.random.default_rng(seed)
    keys = [ActionKey(f"a{i}", f"f{i // 4}", f"i{i // 4 % 2}") for i in range(actions)]
    family = np.arange(actions) // 4
    means_something = np.arange(width) < width // 2

    def tastes(count: int, spread: float) -> Floats:
        drawn: Floats = rng.normal(size=(count, width)) * spread * means_something
        return drawn

    shared = tastes(1, 0.3) + tastes(2, 0.1)[family % 2] + tastes(family[-1] + 1, 0.15)[family]
    weights = shared + tastes(actions, 0.15)
    base = -2.2 + rng.normal(size=family[-1] + 1)[family] * 0.4 + rng.normal(size=actions) * 0.3
    chosen = rng.integers(actions, size=lessons)
    features = rng.normal(size=(lessons, width))
    odds = base[chosen] + np.einsum("nf,nf->n", features, weights[chosen])
    truth = 1.0 / (1.0 + np.exp(-odds))
    labels = rng.random(lessons) < truth
    # What a model sees is neither centred nor of unit scale.
    seen = features * np.logspace(-2, 4, width) + np.linspace(-50, 50, width)
    return World(keys, seen, chosen, truth, labels)


def lesson(
    action: ActionKey,
    features: list[float],
    label: float,
    model: str = MODEL,
    feature_version: str = FEATURE_VERSION,
) -> Lesson:
    return Lesson(
        model=model,
        action=action.action,
        family=action.family,
        issue=action.issue,
        decision_id="d",
        feature_version=feature_version,
        features=features,
        label=label,
        action_probability=0.5,
        decided_at_ms=0,
        settled_at_ms=0,
    )


def fresh_bank(world: World, prior: float = 0.05) -> Bank:
    return Bank(MODEL, FEATURE_VERSION, world.feature_names, prior=prior)


def teach(bank: Bank, lessons: list[Lesson], start: int = 0) -> list[LearnerProgress | Refusal]:
    return [bank.learn_one(one, start + place) for place, one in enumerate(lessons)]


def test_a_seed_draws_the_same_world_again() -> None:
    one, other = make_world(5, 100), make_world(5, 100)
    assert one.lessons() == other.lessons()


def test_labels_follow_the_true_response_rates() -> None:
    world = make_world(5, 20_000)
    assert abs(world.labels.mean() - world.truth.mean()) < 0.01
