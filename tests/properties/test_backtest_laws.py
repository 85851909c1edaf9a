"""Laws of a back-test: repeatable, and unbiased where theory says that it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streams.analysis.backtest.campaign_log import Log
from streams.analysis.backtest.claims import Claims
from streams.analysis.backtest.design_matrix import DesignMatrix
from streams.analysis.backtest.judge import judge_policies
from streams.analysis.backtest.policies import run_policies
from streams.analysis.backtest.replay import Learner
from streams.analysis.backtest.run_backtest import Options, backtest
from streams.analysis.backtest.target_policy import policy_table, read_target_policy
from streams.cli.reports.backtest_report import summary
from streams.cli.reports.reliability_plot import reliability_svg
from streams.core.catalogue.values import Exploration
from tests.support.logs import campaign, campaign_sql, log_of, question, written

TRYING = Exploration(20.0, growth=10.0)

SHARES = {"a": 0.5, "b": 0.3, "c": 0.2}


def learner(log: Log) -> Learner:
    return Learner(log, DesignMatrix(log), 0.05)


def test_a_log_replayed_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    file = written(tmp_path / "log.csv", campaign(1_500, shares=SHARES))
    asked = question(campaign_sql(window="INTERVAL 20 MINUTES", control="action = 'c'"))
    runs = []
    for _ in range(2):
        findings = backtest([file], asked, Options())
        plot = reliability_svg(findings.progressive.quality, "p")
        runs.append((json.dumps(summary(findings)), plot))
    assert runs[0] == runs[1]


def test_the_future_of_a_log_changes_nothing_of_what_was_predicted_before(tmp_path: Path) -> None:
    rows = campaign(800)
    whole = log_of(tmp_path, rows)
    changed = log_of(tmp_path, rows[:500] + [{**row, "bought": 1} for row in rows[500:]])
    first, second = (
        run_policies(log, lambda log=log: learner(log), TRYING, None, None)  # type: ignore[misc]
        for log in (whole, changed)
    )
    assert np.array_equal(first.predicted.propensity[:501], second.predicted.propensity[:501])
    assert not np.array_equal(first.predicted.propensity[501:], second.predicted.propensity[501:])


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_equal_to_the_logging_one_is_worth_the_mean_reward(
    tmp_path: Path, seed: int
) -> None:
    policy = written(
        tmp_path / "same.csv",
        [{"action": name, "probability": share} for name, share in SHARES.items()],
    )
    log = log_of(tmp_path, campaign(2_000, seed=seed, shares=SHARES))
    target = policy_table(read_target_policy(policy), log)
    courses = run_policies(log, lambda: learner(log), TRYING, target, None)
    found = judge_policies(log, courses, Claims())["target"]
    mean = float(log.reward.mean())
    assert found["ips"].value == pytest.approx(mean, abs=1e-12)
    assert found["snips"].value == pytest.approx(mean, abs=1e-12)


def test_estimates_are_right_whatever_the_logging_policy(tmp_path: Path) -> None:
    """Rates are planted, so the value of always choosing b, or any at random, is known."""
    rates = {"a": 0.1, "b": 0.3, "c": 0.2}
    outside = []
    for seed, shares in enumerate(({"a": 1, "b": 1, "c": 1}, {"a": 6, "b": 3, "c": 1}) * 2):
        odds = {name: share / sum(shares.values()) for name, share in shares.items()}
        log = log_of(tmp_path, campaign(2_000, seed=seed, shares=odds, rates=rates))
        courses = run_policies(log, lambda log=log: learner(log), TRYING, None, None)  # type: ignore[misc]
        assert courses.best_fixed == "b"
        found = judge_policies(log, courses, Claims())
        for name, true in (("best_fixed", 0.3), ("random", 0.2)):
            for estimate in found[name].values():
                assert estimate.evaluable
                if not estimate.low <= true <= estimate.high:
                    outside.append((seed, name, estimate))
    # 32 intervals of 95 % each, far wider at a fixed look.
    assert outside == []
