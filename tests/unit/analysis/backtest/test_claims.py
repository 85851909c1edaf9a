"""A back-test claims only what its log can carry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.logs import backtested, campaign, chosen_by

GOLD_GETS_B = chosen_by(lambda row: 0.96 if row["segment"] == "gold" else 0.04)


def test_where_a_rule_chose_the_action_nothing_is_claimed(tmp_path: Path) -> None:
    """Gold customers buy more and got B, which has no effect: it looked 325 % better than A."""
    said, found = backtested(tmp_path, GOLD_GETS_B, control="A")
    assert "surely" not in said
    assert found["rows_to_beat_logged"] is None
    for policy in ("ours", "best_fixed", "random"):
        assert found["policies"][policy]["dr"] is found["policies"][policy]["dr_interval"] is None
        assert "segment predicts which action was taken" in found["not_evaluable"][f"{policy}.dr"]
    # What was done is what it was.
    assert found["policies"]["logged"]["ips"] == pytest.approx(0.27, abs=0.05)
    assert found["uplift"]["interval"] is found["uplift"]["qini"] is None
    assert found["uplift"]["actions"]["B"]["interval"] is None
    assert found["predicted"]["by"] == "segment"
    assert found["predicted"]["auc"] > 0.9


def test_the_same_log_drawn_by_lot_is_evaluated(tmp_path: Path) -> None:
    said, found = backtested(tmp_path, chosen_by(lambda row: 0.5), control="A")
    assert "Features and time do not predict the action" in said
    assert found["predicted"]["by"] is None
    assert found["policies"]["random"]["ips_interval"] is not None
    low, high = found["uplift"]["interval"]
    assert low < 0.0 < high
    assert found["not_evaluable"].keys() <= {"ours.replay"}


def test_logged_probabilities_make_a_rule_evaluable_but_not_its_uplift(tmp_path: Path) -> None:
    rows = [
        {**row, "p": 0.96 if (row["segment"] == "gold") == (row["action"] == "B") else 0.04}
        for row in GOLD_GETS_B
    ]
    _, found = backtested(tmp_path, rows, control="A")
    estimate = found["policies"]["random"]
    assert estimate["ips_interval"][0] < 0.27 < estimate["ips_interval"][1]
    assert "segment predicts who was left alone" in found["not_evaluable"]["uplift"]
    assert found["rows_to_beat_logged"] is None


@pytest.mark.parametrize(
    ("rule", "by"),
    [
        (lambda row: 0.7 if (row["segment"] == "gold") == (row["city"] == "York") else 0.3, "with"),
        (lambda row: 0.2 if row["n"] < 1_200 else 0.8, "time"),
        (lambda row: 0.8 if row["n"] // 60 % 24 < 12 else 0.2, "hour of the day"),
        (lambda row: 0.8 if 30 < row["age"] < 50 else 0.2, "age"),
    ],
    ids=["two columns together", "a switch-over", "the hour", "a middle range of a number"],
)
def test_a_rule_is_seen_wherever_it_shows(tmp_path: Path, rule: Any, by: str) -> None:
    _, found = backtested(tmp_path, chosen_by(rule))
    assert by in found["predicted"]["by"]
    assert found["policies"]["ours"]["ips"] is None


def test_customers_who_keep_the_action_that_they_drew_are_an_experiment(tmp_path: Path) -> None:
    """Rows of a customer share features and action; that predicts nothing of other customers."""
    rows = [
        {**row, "action": "AB"[int(row["customer"][1:]) * 7 % 13 % 2]}
        for row in chosen_by(lambda row: 0.5, 6_000)
    ]
    _, found = backtested(tmp_path, rows)
    assert found["predicted"]["by"] is None
    assert found["policies"]["random"]["ips"] is not None


def test_too_few_rows_to_see_a_rule_are_not_enough_to_claim(tmp_path: Path) -> None:
    _, found = backtested(tmp_path, chosen_by(lambda row: 0.5, 300))
    assert "300 rows are too few to see" in found["not_evaluable"]["ours.ips"]


def test_rows_without_a_probability_beside_rows_with_one_are_no_evidence(tmp_path: Path) -> None:
    rows = [{**row, "p": 0.5 if row["n"] % 3 else ""} for row in chosen_by(lambda row: 0.5, 1_500)]
    said, found = backtested(tmp_path, rows)
    assert "500 rows have no logged probability, others have" in said
    kept = [row["bought"] for row in rows if row["p"]]
    assert found["policies"]["logged"]["ips"] == pytest.approx(sum(kept) / len(kept))


def test_copies_are_reported_and_count_once(tmp_path: Path) -> None:
    rows = chosen_by(lambda row: 0.5, 1_500, logged=True)
    _, once = backtested(tmp_path, rows)
    said, eightfold = backtested(tmp_path, [row for row in rows for _ in range(8)])
    assert "10,500 rows are copies of an earlier one" in said
    assert eightfold["copies"] == 10_500
    for policy in ("logged", "random"):
        for of in ("ips", "ips_interval"):
            assert eightfold["policies"][policy][of] == pytest.approx(once["policies"][policy][of])


def test_equal_rows_of_a_log_without_customers_are_only_reported(tmp_path: Path) -> None:
    rows = [
        {k: v for k, v in row.items() if k != "customer"}
        for row in chosen_by(lambda row: 0.5, 1_000, logged=True)
    ]
    said, found = backtested(tmp_path, [*rows, *rows])
    assert "1,000 rows equal an earlier one in everything" in said
    assert found["copies"] == 0


def test_rows_of_one_customer_are_not_as_much_evidence_as_rows_of_many(tmp_path: Path) -> None:
    """Forty customers did one thing each, and a job wrote it down again every few minutes."""
    rows = chosen_by(lambda row: 0.5, 3_000, logged=True)
    for row in rows:
        who = row["n"] % 40
        row |= {"customer": f"c{who}", "age": row["n"], "action": "AB"[who % 2]}
        row["bought"] = int(who % 5 < (3 if who % 2 else 2))
    _, found = backtested(tmp_path, rows)
    assert found["policies"]["best_fixed"]["ips_interval"][0] < found["policies"]["logged"]["ips"]
    assert found["rows_to_beat_logged"] is None
    for row in rows:
        row["customer"] = f"c{row['n']}"
    assert backtested(tmp_path, rows)[1]["rows_to_beat_logged"] is not None


def test_a_handful_of_customers_are_too_few(tmp_path: Path) -> None:
    rows = [{**row, "customer": f"c{n % 12}"} for n, row in enumerate(campaign(1_500))]
    _, found = backtested(tmp_path, rows)
    assert found["not_evaluable"]["ours.dr"] == "the log has 12 customers, 30 are needed"
    assert found["rows_to_beat_logged"] is None


def test_estimates_stay_within_the_rewards_of_the_log(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = chosen_by(lambda row: 0.03, 2_000, logged=True)
    rows = [
        {**row, "bought": int(rng.random() < (0.02, 0.97)[row["action"] == "B"])} for row in rows
    ]
    _, found = backtested(tmp_path, rows)
    best = found["policies"]["best_fixed"]
    assert 0.8 < best["ips"] <= 1.0
    for policy in found["policies"].values():
        for method in ("replay", "ips", "snips", "dr"):
            if policy[method] is not None:
                low, high = policy[f"{method}_interval"]
                assert 0.0 <= low <= policy[method] <= high <= 1.0
    assert best["ips_interval"][1] == 1.0


def test_tiny_probabilities_make_not_evaluable(tmp_path: Path) -> None:
    """59 rows of 3,000 with a probability of 1e-9 made `random` earn two million clicks a row."""
    rows = [
        {**row, "p": 1e-9 if row["n"] % 50 == 0 else 0.5}
        for row in chosen_by(lambda row: 0.5, 3_000, logged=True)
    ]
    said, found = backtested(tmp_path, rows)
    assert "Whether ours would have been better than the logged policy is not evaluable" in said
    assert found["policies"]["random"]["ips"] is None
    reason = found["not_evaluable"]["random.ips"]
    assert "60 rows have so small a logged probability" in reason
    assert "the first: row 2, probability 1e-09" in reason
    assert "equals 60 decisions" in reason
    assert found["rows_to_beat_logged"] is None


@pytest.mark.parametrize(
    ("logged", "reason"),
    [
        (0.5, "by them the rows with A stand for 3,"),
        (1.0, "by the logged probabilities its choices make up"),
    ],
)
def test_probabilities_that_the_log_contradicts_make_not_evaluable(
    tmp_path: Path, logged: float, reason: str
) -> None:
    """A was taken in nine rows of ten: by 0.5 it would be in five, by 1.0 B in none."""
    rows = [{**row, "p": logged} for row in chosen_by(lambda row: 0.1, 2_000)]
    _, found = backtested(tmp_path, rows)
    assert reason in found["not_evaluable"]["ours.ips"]
    assert found["rows_to_beat_logged"] is None


def test_equal_probabilities_are_not_assumed_where_the_shares_are_not_equal(tmp_path: Path) -> None:
    rows = chosen_by(lambda row: 0.1, 2_000)
    _, found = backtested(tmp_path, rows, more=("--probability", "uniform"))
    reason = found["not_evaluable"]["random.ips"]
    assert (
        "the assumed probabilities cannot be right: by them the rows with A stand for 3," in reason
    )
    even = chosen_by(lambda row: 0.5, 2_000)
    _, found = backtested(tmp_path, even, more=("--probability", "uniform"))
    assert found["policies"]["random"]["ips"] is not None


@pytest.mark.parametrize("kind", ["a number", "a number that is empty", "a name", "a total"])
def test_a_feature_that_gives_the_outcome_away_is_named(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    given: dict[str, Callable[[int], Any]] = {
        "a number": lambda bought: -2.0 * bought + rng.random(),
        "a number that is empty": lambda bought: rng.random() if bought else "",
        "a name": lambda bought: "paid" if bought else rng.choice(["open", "left"]),
        "a total": lambda bought: 5.0 * bought + rng.random(),
    }
    rows = [
        {**row, "status": given[kind](row["bought"])}
        for row in chosen_by(lambda row: 0.5, 1_000, logged=True)
    ]
    said, found = backtested(tmp_path, rows)
    assert len(found["warnings"]) == 1
    assert "the feature status alone tells the outcome" in found["warnings"][0]
    assert "Warning: the feature status" in said
    assert backtested(tmp_path, chosen_by(lambda row: 0.5, 1_000, logged=True))[1]["warnings"] == []


def test_features_that_give_the_outcome_away_together_are_a_warning(tmp_path: Path) -> None:
    rows = chosen_by(lambda row: 0.5, 3_000, logged=True)
    for row in rows:
        row["paid_in_york"] = 5 * row["bought"] * (row["city"] == "York")
        row["paid_in_bath"] = 5 * row["bought"] * (row["city"] == "Bath")
    _, found = backtested(tmp_path, rows)
    assert len(found["warnings"]) == 1
    assert "features together give them away" in found["warnings"][0]


def test_equal_numbers_are_one_action(tmp_path: Path) -> None:
    """Two exports in one log: where a cell was empty, pandas wrote 11.0 for 11."""
    names = {"A": ("11", "11.0"), "B": ("007", "007")}
    rows = [
        {**row, "action": names[row["action"]][row["n"] % 2]}
        for row in chosen_by(lambda row: 0.5, 1_000, logged=True)
    ]
    _, found = backtested(tmp_path, rows, control="11.0")
    assert found["actions"] == 2
    assert list(found["uplift"]["actions"]) == ["007"]
