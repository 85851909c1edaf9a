"""`concierge backtest`, as it is typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from streams.cli.commands.backtest import backtest_command
from tests.bench.thompson_policy import main as thompson
from tests.support.logs import campaign, campaign_sql, written


def run(*arguments: object) -> Result:
    return CliRunner().invoke(backtest_command, [str(a) for a in arguments])


def files(tmp_path: Path, count: int = 1_200, **columns: str) -> tuple[Path, Path]:
    (tmp_path / "log.sql").write_text(campaign_sql(**columns), encoding="utf-8")
    return written(tmp_path / "log.csv", campaign(count)), tmp_path / "log.sql"


def last_line(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_json_is_one_last_line_with_exactly_the_stated_keys(tmp_path: Path) -> None:
    log, sql = files(tmp_path, count=2_500, control="action = 'c'")
    found = last_line(run(log, "--sql", sql, "--json"))
    assert list(found) == [
        "rows",
        "rows_read",
        "rows_used",
        "rows_rejected",
        "rows_spoiled",
        "rows_left_out",
        "actions",
        "progressive",
        "policies",
        "uplift",
        "rows_to_beat_logged",
        "copies",
        "assumed_probabilities",
        "currency",
        "predicted",
        "not_evaluable",
        "warnings",
    ]
    assert (found["rows"], found["actions"]) == (2_500, 3)
    assert list(found["progressive"]) == ["auc", "log_loss", "ece"]
    assert list(found["policies"]) == ["ours", "logged", "best_fixed", "random"]
    for policy in found["policies"].values():
        assert list(policy) == [
            *("replay", "replay_interval", "ips", "ips_interval"),
            *("snips", "snips_interval", "dr", "dr_interval"),
        ]
        low, high = policy["ips_interval"]
        assert low < policy["ips"] < high
    assert list(found["uplift"]) == ["value", "interval", "difference", "qini", "actions"]
    assert 0 < found["rows_to_beat_logged"] <= 2_500


def test_people_get_a_table_with_intervals_and_the_word_of_what_was_read(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    result = run(log, "--sql", sql)
    assert (
        "1,200 rows read = 1,200 used + 0 rejected + 0 left out by the query; the query selected"
        in result.stdout
    )
    for word in ("ours", "exploring", "logged", "best fixed", "random", "SNIPS", "AUC"):
        assert word in result.stdout
    assert "us a row" in result.stderr


def test_a_supervised_log_needs_only_its_target(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    by_column = last_line(run(log, "--target", "bought", "--json"))
    by_query = last_line(run(log, "--sql", sql, "--json", "--target"))
    for found in (by_column, by_query):
        assert (found["rows"], found["actions"]) == (1_200, 1)
        assert found["policies"] == found["uplift"] == {}
        assert found["rows_to_beat_logged"] is None
        assert found["progressive"]["auc"] > 0.4


def test_the_reliability_plot_is_an_svg_with_a_point_per_bin(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    plot = tmp_path / "plot.svg"
    assert run(log, "--sql", sql, "--plot", plot).exit_code == 0
    circles = ElementTree.parse(plot).findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) >= 2
    assert "predicted" in (circles[0][0].text or "")


def test_a_target_policy_is_evaluated_too(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    rows = [
        {"city": city, "action": "a", "probability": share}
        for city, share in (("York", 1.0), ("Bath", 0.25))
    ]
    rows += [{"city": "Bath", "action": "b", "probability": 0.75}]
    policy = written(tmp_path / "policy.csv", rows)
    found = last_line(run(log, "--sql", sql, "--policy", policy, "--json"))
    assert list(found["policies"])[-1] == "target"
    assert 0.1 < found["policies"]["target"]["snips"] < 0.4
    written(tmp_path / "policy.csv", rows[:2])
    result = run(log, "--sql", sql, "--policy", policy)
    assert result.exit_code == 1
    assert "probabilities for city = Bath sum to 0.25, not to 1" in result.stderr


def test_a_thompson_sampler_becomes_a_target_policy(tmp_path: Path) -> None:
    prior, out = tmp_path / "prior.yaml", tmp_path / "policy.csv"
    prior.write_text("all: {alpha: [50, 1, 1], beta: [50, 99, 99]}", encoding="utf-8")
    arguments = [str(prior), "--positions", "2", "--draws", "200", "--out", str(out)]
    assert CliRunner().invoke(thompson, arguments).exit_code == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["position,action,probability", "1,0,1"]
    assert CliRunner().invoke(thompson, [*arguments, "--campaign", "men"]).exit_code == 1


def test_bad_rows_are_reported_and_the_rest_is_replayed(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    with log.open("a", encoding="utf-8") as file:
        file.write("c1,2024-01-09T10:00:00,,0.3,1,40,York\n")
        file.write("c1,2024-01-09T10:00:00,a,0.3,1,forty,York\n")
        file.write("c1,2024-01-09T11:00:00,a,0.3,1,40,York\n")
    result = run(log, "--sql", sql, "--json")
    assert last_line(result)["rows"] == 1_201
    assert "rejected log.csv:1202: action is empty" in result.stderr
    assert "rejected log.csv:1203: Could not convert string 'forty' to DOUBLE" in result.stderr
    # Read are 1,203: one with no number, one without an action, and 1,201 that are replayed.
    said = "1,203 rows read = 1,201 used + 2 rejected + 0 left out by the query; the query selected"
    assert f"{said} 1,202: 1,201" in result.stdout
    sql.write_text(campaign_sql() + " WHERE city = 'York'", encoding="utf-8")
    found = last_line(run(log, "--sql", sql, "--json"))
    assert found["rows_read"] == found["rows"] + found["rows_rejected"] + found["rows_left_out"]
    assert found["rows_left_out"] > 500
    assert run(log, "--sql", sql, "--strict").exit_code == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "rows",
    [
        [{**row, "time": "2024-01-01"} for row in campaign(30)],
        [{**row, "action": "c"} for row in campaign(30)],
        [{**row, "bought": 0, "age": "", "city": ""} for row in campaign(30)],
        campaign(1),
    ],
    ids=["nothing is known in time", "one action", "nothing ever came", "one row"],
)
def test_a_log_that_tells_nothing_is_no_error_and_nothing_is_claimed(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    _, sql = files(tmp_path, window="INTERVAL 1 HOUR")
    found = last_line(run(written(tmp_path / "log.csv", rows), "--sql", sql, "--json"))
    assert found["rows"] == len(rows)
    assert found["policies"]["ours"]["dr"] is None
    assert found["rows_to_beat_logged"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give --sql LOG.sql, or --target COLUMN"),
        (["--target", "bough"], 1, "no column bough; did you mean bought"),
        (["--sql", "log.sql", "--target", "bought"], 2, "write `bought AS outcome` there"),
        (["--sql", "log.sql", "--table", "products"], 2, "as NAME=FILE"),
        (["--sql", "log.sql", "--prior", "1"], 2, "is not in the range"),
    ],
)
def test_what_cannot_be_run_says_what_to_do(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    log, sql = files(tmp_path, count=20)
    result = run(log, *(sql if a == "log.sql" else a for a in arguments))
    assert result.exit_code == code, result.output
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_a_further_file_can_be_joined(tmp_path: Path) -> None:
    log, sql = files(tmp_path)
    cities = written(
        tmp_path / "cities.csv", [{"city": "York", "size": 141}, {"city": "Bath", "size": 94}]
    )
    joined = campaign_sql().replace("city AS", "size::DOUBLE AS size, data.city AS")
    sql.write_text(joined + " JOIN cities ON cities.city = data.city", encoding="utf-8")
    assert (
        last_line(run(log, "--sql", sql, "--table", f"cities={cities}", "--json"))["rows"] == 1_200
    )


def test_amounts_are_shown_with_their_currency(tmp_path: Path) -> None:
    log, sql = files(tmp_path, money="age::DOUBLE", currency="'JPY'")
    result = run(log, "--sql", sql, "--json")
    assert last_line(result)["currency"] == "JPY"
    assert "JPY a row" in result.stdout


def test_amounts_of_different_currencies_are_never_added(tmp_path: Path) -> None:
    log, sql = files(tmp_path, money="age::DOUBLE", currency="if(city = 'York', 'GBP', 'EUR')")
    result = run(log, "--sql", sql)
    assert result.exit_code == 1
    assert "amounts of EUR and GBP are never added" in result.stderr
    files(tmp_path, money="age::DOUBLE", currency="'EURO'")
    assert "'EURO' is no currency of ISO 4217; did you mean EUR?" in run(log, "--sql", sql).stderr


def test_without_the_extra_the_command_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, sql = files(tmp_path, count=20)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for given in (("--sql", sql), ("--target", "bought")):
        result = run(log, *given)
        assert result.exit_code == 2
        assert "pip install -c constraints.txt '.[files]'" in result.stderr


def test_help_states_the_rules_for_what_is_missing() -> None:
    said = run("--help").stdout
    for word in ("a number", "a category", "a customer", "a probability", "time or action"):
        assert word in said
