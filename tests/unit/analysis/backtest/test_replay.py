"""A replay learns a label when it would have been known, and judges only what it could foresee."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.evaluation.estimators import MIN_VARYING_REWARDS
from streams.analysis.backtest.action_value import ActionValue
from streams.analysis.backtest.campaign_log import Floats, Ints, Log
from streams.analysis.backtest.claims import Claims
from streams.analysis.backtest.design_matrix import DesignMatrix
from streams.analysis.backtest.first_certain import rows_to_beat_logged
from streams.analysis.backtest.judge import judge_policies
from streams.analysis.backtest.logged_uplift import measure
from streams.analysis.backtest.policies import best_fixed, greedy, run_policies
from streams.analysis.backtest.prediction_quality import (
    auc,
    calibration_error,
    judge_predictions,
)
from streams.analysis.backtest.replay import MOST_ROWS, Learner, accepted, live, predict
from streams.core.catalogue.values import Exploration
from tests.support.logs import campaign, campaign_sql, log_of

PRIOR = 0.05
TRYING = Exploration(20.0)


class Watched(Learner):
    """A learner that keeps a list of what it was asked and taught."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, DesignMatrix(log), PRIOR)
        self.story: list[tuple[str, list[int]]] = []

    def propensities(self, rows: slice) -> Floats:
        self.story.append(("decide", list(range(rows.start, rows.stop))))
        return super().propensities(rows)

    def learn(self, rows: Ints) -> None:
        self.story.append(("learn", rows.tolist()))
        super().learn(rows)


def learner(log: Log) -> Learner:
    return Learner(log, DesignMatrix(log), PRIOR)


def assert_causal(log: Log, story: Sequence[tuple[str, list[int]]]) -> None:
    """Every label is learned before the first row that it is known for, and after none."""
    learned: set[int] = set()
    for what, rows in story:
        if what == "learn":
            learned |= set(rows)
        for row in rows if what == "decide" else ():
            known = set(np.flatnonzero(log.known & (log.due_ms <= log.time_ms[row])).tolist())
            assert learned == known


@pytest.mark.parametrize("window", ["1 MILLISECOND", "30 MINUTES", "40 DAYS"])
def test_a_label_is_learned_when_it_is_known_and_not_before(tmp_path: Path, window: str) -> None:
    log = log_of(tmp_path, campaign(300), campaign_sql(window=f"INTERVAL {window}"))
    watched = Watched(log)
    predicted = predict(log, watched)
    assert_causal(log, watched.story)
    decided = [row for what, rows in watched.story if what == "decide" for row in rows]
    assert decided == list(range(300))
    assert predicted.lessons.tolist() == [
        int((log.due_ms <= log.time_ms[row]).sum()) for row in range(300)
    ]


def test_a_learner_in_replay_sees_only_rows_where_it_chose_what_the_log_shows(
    tmp_path: Path,
) -> None:
    log = log_of(tmp_path, campaign(400), campaign_sql(window="INTERVAL 30 MINUTES"))
    watched = Watched(log)
    matched = live(log, watched, TRYING, np.ones(len(log), bool))
    learned = [row for what, rows in watched.story if what == "learn" for row in rows]
    last = int(log.time_ms[-1])
    assert learned == np.flatnonzero(matched & (log.due_ms <= last)).tolist()
    assert 0.2 < matched.mean() < 0.5


def test_rows_of_one_moment_are_decided_together_in_bounded_waves(tmp_path: Path) -> None:
    rows = campaign(MOST_ROWS + 10)
    for row in rows:
        row["time"] = "2024-01-01"
    watched = Watched(log_of(tmp_path, rows))
    predict(watched._log, watched)
    assert [len(rows) for _, rows in watched.story] == [MOST_ROWS, 10]


def test_rows_before_the_first_known_label_teach_and_are_not_judged(tmp_path: Path) -> None:
    log = log_of(tmp_path, campaign(100), campaign_sql(window="INTERVAL 30 MINUTES"))
    assert log.judged.tolist() == [False] * 30 + [True] * 70
    assert log_of(tmp_path, campaign(100)).judged.all()


def test_the_auc_is_exact_and_ties_count_half() -> None:
    rng = np.random.default_rng(2)
    scores, labels = rng.integers(0, 20, 200) / 20.0, rng.random(200) < 0.3
    above = scores[labels][:, None] - scores[~labels][None, :]
    assert auc(scores, labels) == pytest.approx(float(((above > 0) + (above == 0) / 2).mean()))
    assert auc(scores, np.ones(200, bool)) is None


def test_the_calibration_error_is_that_of_ten_bins_of_equally_many_rows() -> None:
    scores = np.linspace(0.0, 0.95, 20)
    labels = np.arange(20) >= 10
    expected = np.abs(scores.reshape(10, 2).mean(axis=1) - labels.reshape(10, 2).mean(axis=1))
    assert calibration_error(scores, labels) == pytest.approx(expected.mean())
    assert calibration_error(scores[:0], labels[:0]) is None


def test_ours_finds_whom_each_action_suits_and_says_when_it_was_sure(tmp_path: Path) -> None:
    log = log_of(tmp_path, campaign(4_000))
    courses = run_policies(log, lambda: learner(log), TRYING, None, None)
    found = judge_policies(log, courses, Claims())
    for method in ("ips", "snips", "dr"):
        assert found["ours"][method].low > found["best_fixed"][method].value
    assert found["ours"]["dr"].low < 0.4 < found["ours"]["dr"].high
    assert found["ours"]["replay"].value > found["random"]["replay"].value
    assert found["logged"]["ips"].value == pytest.approx(float(log.reward.mean()))
    assert found["random"]["ips"].value == pytest.approx(float(log.reward.mean()))
    beaten = rows_to_beat_logged(log, courses, Claims())
    assert beaten is not None
    assert 3 * MIN_VARYING_REWARDS < beaten.rows < 3_000
    assert beaten.lessons == beaten.rows - 1
    progressive = judge_predictions(log, courses.predicted.propensity)
    assert progressive.auc is not None
    assert progressive.auc > 0.65


def test_ours_is_never_sure_to_beat_a_log_where_all_actions_are_alike(tmp_path: Path) -> None:
    rows = campaign(3_000, rates={"a": 0.2, "b": 0.2, "c": 0.2})
    log = log_of(tmp_path, rows)
    assert (
        rows_to_beat_logged(
            log,
            run_policies(log, lambda: learner(log), Exploration(20.0), None, None),
            Claims(),
        )
        is None
    )


def test_the_best_fixed_action_is_the_one_that_earned_most_per_row(tmp_path: Path) -> None:
    rates = {"a": 0.1, "b": 0.5, "c": 0.3}
    shares = {"a": 0.8, "b": 0.05, "c": 0.15}
    log = log_of(tmp_path, campaign(4_000, rates=rates, shares=shares))
    assert log.actions[best_fixed(log)].action == "b"


def test_equal_actions_share_the_choice() -> None:
    assert greedy(np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]])).tolist() == [
        [0.5, 0.5, 0.0],
        [0.0, 1.0, 0.0],
    ]


def test_accepted_rows_hold_every_action_alike_often(tmp_path: Path) -> None:
    log = log_of(tmp_path, campaign(6_000, shares={"a": 0.7, "b": 0.2, "c": 0.1}))
    counts = np.bincount(log.action[accepted(log)])
    assert counts.min() > 500
    assert counts.max() < 1.25 * counts.min()
    assert accepted(log_of(tmp_path, campaign(500))).all()


def test_worth_is_learned_from_money_and_cost_and_a_declared_value_stands() -> None:
    worth = ActionValue(3, {2: 9.0})
    assert worth.expected(np.array([[0.5, 0.5, 0.5]])).tolist() == [[0.5, 0.5, 4.5]]
    for number in range(2_000):
        worth.learn_one(0, number % 2 == 0, 6.0, 1.0)
        worth.learn_one(1, number % 2 == 0, 2.0, 0.0)
    expected = worth.expected(np.array([[0.5, 0.5, 0.5]]))[0]
    assert expected == pytest.approx([2.0, 1.0, 4.0], abs=0.1)


def test_uplift_and_qini_are_measured_against_the_control(tmp_path: Path) -> None:
    rows = campaign(4_000)
    for number, row in enumerate(rows):
        row["customer"] = f"c{number}"
    log = log_of(tmp_path, rows)
    control = [key.action for key in log.actions].index("c")
    courses = run_policies(log, lambda: learner(log), TRYING, None, control)
    lift = measure(log, control, courses.lift, Claims())
    assert lift.overall.evaluable
    assert lift.overall.relative.low > 0.3
    assert {found.name for found in lift.actions} == {"a", "b"}
    assert lift.qini is not None
    assert lift.qini.overall == pytest.approx(0.15, abs=0.03)
