"""The experiment as metrics: per arm, per family, and gone where nothing can be claimed."""

from __future__ import annotations

import numpy as np
from prometheus_client import generate_latest

from models.evaluation.experiment import intended_split
from schemas.records import Lesson, LessonPlace
from streams.agents.uplift_metrics import UpliftMeter
from streams.shell.telemetry.metrics import Metrics


def _lesson(number: int, who: int, arm: str, converted: bool, family: str | None) -> Lesson:
    return Lesson(
        model="main",
        action="offer",
        family=family,
        issue="sell",
        decision_id=f"{number:024x}",
        feature_version="f",
        features=[],
        label=0.0,
        action_probability=0.5,
        decided_at_ms=number,
        settled_at_ms=number,
        place=LessonPlace(0, number, who),
        arm=arm,
        published=arm != "holdout",
        converted=converted,
        first=7,
    )


class World:
    def __init__(self) -> None:
        self.now_ms = 10_000
        self.metrics = Metrics()
        self.meter = UpliftMeter(
            self.metrics, lambda: intended_split(0.2, 0.8), lambda: self.now_ms
        )

    def settle(self, treated: float, without: float, count: int, family: str | None) -> None:
        chance = np.random.default_rng(1)
        for number in range(count):
            arm = "holdout" if chance.random() < 0.2 else "treated"
            converted = bool(chance.random() < (without if arm == "holdout" else treated))
            who = int(chance.integers(0, 2**63))
            self.meter.see(_lesson(number, who, arm, converted, family))

    def text(self) -> str:
        self.meter.show()
        return generate_latest(self.metrics.registry).decode()


def test_the_uplift_is_shown_overall_and_by_family_with_its_ends() -> None:
    world = World()
    world.settle(treated=0.5, without=0.25, count=3_000, family="tea")
    text = world.text()
    for family in ("all", "tea"):
        low = f'concierge_personalization_uplift_low_ratio{{family="{family}"}} 0.'
        assert low in text
        assert f'concierge_personalization_uplift_high_ratio{{family="{family}"}}' in text
    assert 'concierge_experiment_customers{arm="treated"}' in text
    assert 'concierge_experiment_conversions{arm="random"} 0.0' in text
    assert "concierge_sample_ratio_mismatch 0.0" in text


def test_nothing_is_shown_of_what_cannot_be_claimed_yet() -> None:
    world = World()
    world.settle(treated=0.5, without=0.25, count=40, family="tea")
    assert "concierge_personalization_uplift_ratio{" not in world.text()


def test_a_repeated_lesson_counts_once_and_other_partitions_start_again() -> None:
    world = World()
    lesson = _lesson(5, 1, "treated", True, None)
    world.meter.see(lesson)
    world.meter.see(lesson)
    assert 'concierge_experiment_customers{arm="treated"} 1.0' in world.text()
    world.meter.restart()
    assert 'concierge_experiment_customers{arm="treated"} 0.0' in world.text()


def test_a_family_that_is_no_longer_known_is_no_longer_shown() -> None:
    world = World()
    world.settle(treated=0.5, without=0.25, count=3_000, family="tea")
    assert 'uplift_ratio{family="tea"}' in world.text()
    world.meter.restart()
    assert 'uplift_ratio{family="tea"}' not in world.text()
