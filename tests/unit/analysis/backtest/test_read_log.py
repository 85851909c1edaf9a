"""Rows of a log become columns by stated rules: what is missing, odd, copied or late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.analysis.backtest.design_matrix import DesignMatrix
from streams.analysis.backtest.log_columns import LogError
from streams.analysis.backtest.read_log import read_table
from streams.files.open_file import DataFileError
from tests.support.logs import campaign, campaign_sql, log_of, question, written


def row(**given: Any) -> dict[str, Any]:
    plain = {
        "customer": "ada",
        "time": "2024-01-01T10:00:00",
        "action": "a",
        "probability": 0.5,
        "bought": 1,
        "age": 40,
        "city": "York",
    }
    return plain | given


def account_of(tmp_path: Path, rows: list[dict[str, Any]], sql: str = "", **how: Any) -> Any:
    file = written(tmp_path / "log.csv", rows)
    return read_table([file], question(sql or campaign_sql()), **how).account


def refused(tmp_path: Path, rows: list[dict[str, Any]], sql: str = "") -> str:
    with pytest.raises((LogError, DataFileError)) as caught:
        log_of(tmp_path, rows, sql)
    return str(caught.value)


def test_rows_go_in_time_order_and_those_of_one_time_as_the_file_has_them(tmp_path: Path) -> None:
    rows = [row(time="2024-01-02", age=1), row(age=2), row(age=3)]
    log = log_of(tmp_path, rows, campaign_sql() + " ORDER BY age DESC")
    assert log.numbers["age"].tolist() == [2, 3, 1]
    assert log.row.tolist() == [3, 4, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": "soon"}, "log.csv:3: invalid timestamp field format"),
        ({"time": ""}, "log.csv:3: time is empty or before 1970; every row needs its time"),
        ({"action": ""}, "log.csv:3: action is empty; name what was done"),
        ({"probability": 0}, "log.csv:3: probability 0 is not above 0 and at most 1"),
        ({"probability": "often"}, "log.csv:3: Could not convert string 'often' to DOUBLE"),
        ({"bought": "perhaps"}, "log.csv:3: Could not convert string 'perhaps' to BOOL"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_file_line_and_field(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    account = account_of(tmp_path, [row(), row(**given), row()])
    assert (account.rows, account.rejected) == (3, 1)
    assert said in account.problems[0]
    with pytest.raises(LogError, match=r"log\.csv:3"):
        account_of(tmp_path, [row(), row(**given), row()], strict=True)


def test_a_log_without_one_good_row_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"no row of 2 can be replayed; the first: .*:2: action"):
        account_of(tmp_path, [row(action=""), row(action="")])
    # No row reaches the checks at all.
    with pytest.raises(LogError, match=r"no row of 1 can be replayed; the first: .*perhaps"):
        account_of(tmp_path, [row(bought="perhaps")])


def test_a_column_that_is_not_there_is_named_with_what_there_is(tmp_path: Path) -> None:
    rows = [{("citty" if k == "city" else k): v for k, v in row().items()}]
    said = refused(tmp_path, rows)
    assert "log.sql" in said
    assert '"city"' in said
    assert "citty" in said


def test_an_empty_outcome_did_not_come_and_words_count(tmp_path: Path) -> None:
    rows = [row(bought=""), row(bought="yes"), row(bought="FALSE"), row(bought="1")]
    assert log_of(tmp_path, rows).label.tolist() == [False, True, False, True]


def test_a_missing_probability_is_the_share_of_the_action_or_equal(tmp_path: Path) -> None:
    rows = [row(probability=""), row(), row(), row(action="b", probability="")]
    log = log_of(tmp_path, rows)
    assert log.probability.tolist() == [0.75, 0.5, 0.5, 0.25]
    assert log.assumed.tolist() == [True, False, False, True]
    assert log_of(tmp_path, rows, rule="uniform").probability.tolist() == [0.5, 0.5, 0.5, 0.5]


def test_a_missing_number_is_nan_with_a_column_that_says_so(tmp_path: Path) -> None:
    sql = campaign_sql(age="TRY_CAST(age AS DOUBLE)")
    matrix = DesignMatrix(log_of(tmp_path, [row(age=""), row(age="old"), row(age=3)], sql))
    place = matrix.names.index("age is missing")
    made = matrix.rows(slice(0, 3))
    assert made[:, place].tolist() == [1, 1, 0]
    assert np.isnan(made[:2, 0]).all()
    assert made[2, 0] == pytest.approx(np.log(4))


def test_a_missing_category_is_one_of_its_own_and_rare_ones_share_a_column(tmp_path: Path) -> None:
    rows = [row(city=f"town {number}") for number in range(66)] + [row(city="")]
    matrix = DesignMatrix(log_of(tmp_path, rows))
    made = matrix.rows(slice(0, 67))
    names = matrix.names
    assert made[3, names.index("city=town 3")] == 1
    assert made[64:66, names.index("city is another")].tolist() == [1, 1]
    assert made[66, names.index("city is missing")] == 1
    cities = [place for place, name in enumerate(names) if name.startswith("city")]
    assert (made[:, cities].sum(axis=1) == 1).all()


def test_rows_without_a_customer_are_customers_of_their_own(tmp_path: Path) -> None:
    log = log_of(tmp_path, [row(customer=""), row(customer="", time="2024-01-02")])
    assert len(set(log.customer.tolist())) == 2


def test_equal_numbers_are_one_customer_and_one_category_and_zeros_stay(tmp_path: Path) -> None:
    rows = [row(customer=c, city=c) for c in ("11", "11.0", "011", "1.10", "1.1")]
    log = log_of(tmp_path, rows)
    assert log.customer.tolist() == [0, 0, 1, 2, 3]
    assert log.categories["city"].names == ("11", "011", "1.10", "1.1")


def test_features_are_numbers_or_categories_by_their_type(tmp_path: Path) -> None:
    sql = "SELECT row, action, bought = 1 AS outcome, * EXCLUDE (row, action, bought) FROM typed"
    rows = [row(code="007"), row(age="", code="12")]
    sql = sql.replace("bought)", "bought, time)").replace("probability", "probability")
    log = log_of(tmp_path, rows, sql)
    assert set(log.numbers) == {"age"}
    # A code with a leading zero is no number.
    assert set(log.categories) == {"city", "code"}


def test_the_reward_is_money_less_cost_and_a_declared_value_stays(tmp_path: Path) -> None:
    rows = [row(), row(bought=0), row(age="")]
    log = log_of(tmp_path, rows, campaign_sql(money="age::DOUBLE", cost="0.5"))
    assert log.reward.tolist() == [39.5, -0.5, -0.5]
    sql = campaign_sql(value="age::DOUBLE", cost="0.5")
    declared = log_of(tmp_path, [row(bought=0), row()], sql)
    assert declared.declared == {0: 40.0}
    assert declared.reward.tolist() == [-0.5, 39.5]


def test_an_outcome_after_its_window_is_none_and_is_counted(tmp_path: Path) -> None:
    sql = campaign_sql("outcome", outcome_time="city::TIMESTAMP", window="INTERVAL 2 HOURS")
    rows = [row(city=at) for at in ("2024-01-01T11:00:00", "2024-01-01T12:00:01", "")]
    log = log_of(tmp_path, rows, sql.replace('city AS "city"', 'age AS "age 2"'))
    assert log.label.tolist() == [True, False, False]
    assert log.late == 1
    # Neither label is learned before the window is over.
    assert (log.due_ms - log.time_ms).tolist() == [7_200_000] * 3


def test_what_the_log_ends_too_early_to_know_is_neither_learned_nor_judged(tmp_path: Path) -> None:
    rows = [row(age=n) for n in range(4)]
    log = log_of(tmp_path, rows, campaign_sql(known="age::DOUBLE < 3"))
    assert log.known.tolist() == [True, True, True, False]
    assert log.judged.tolist() == [True, True, True, False]


def test_an_outcome_before_its_row_is_rejected(tmp_path: Path) -> None:
    sql = campaign_sql(outcome_time="TIMESTAMP '2024-01-01 09:00:00'", window="INTERVAL 1 DAY")
    rows = [row(), row(time="2024-01-01T08:00:00")]
    account = account_of(tmp_path, rows, sql)
    assert account.problems == ["log.csv:2: outcome_time lies before the row's own time"]


@pytest.mark.parametrize("span", ["INTERVAL 0 DAYS", "INTERVAL 1 MONTH", "NULL::INTERVAL"])
def test_a_window_must_be_a_span_of_a_stated_length(tmp_path: Path, span: str) -> None:
    assert "window is no span" in refused(tmp_path, [row()], campaign_sql(window=span))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (campaign_sql("action"), "no column action; name what was done `AS action`"),
        (campaign_sql("outcome"), "no column says what came of a row; name it `AS outcome`"),
        (campaign_sql("outcome", outcom="bought = '1'"), "did you mean outcome?"),
        (campaign_sql("probability", probabilty="0.5"), "did you mean probability?"),
        (campaign_sql(time="time"), "column time is VARCHAR; it is a time such as"),
        (campaign_sql(time="age::INT"), "for seconds since 1970"),
        (campaign_sql(customer="age::DOUBLE"), "column customer is DOUBLE; it is text or a whole"),
        (campaign_sql(outcome="bought"), "column outcome is VARCHAR; it is true or false"),
        (campaign_sql(outcome_time="time::TIMESTAMP"), "outcome_time needs a column window"),
        (campaign_sql("time", known="true"), "known needs a column time"),
        (campaign_sql(window="7"), "column window is INTEGER; it is how long an outcome is waited"),
        (campaign_sql(seen="time::TIMESTAMP"), "column seen is TIMESTAMP, which is no feature"),
        (campaign_sql(tags="[city]"), "column tags is VARCHAR[], which is no feature"),
        (campaign_sql(control="action = 'd'"), "control is true in no row"),
        (campaign_sql(control="action <> 'c'"), "control is true in rows of 2 actions"),
        (campaign_sql(control="action = 'a' AND age > '30'"), "in some rows of a only"),
        ("SELECT 1; SELECT 2", "write one SELECT"),
        ("DROP TABLE data", "log.sql"),
    ],
)
def test_columns_that_cannot_be_used_are_named_with_what_to_write(
    tmp_path: Path, sql: str, said: str
) -> None:
    refusal = refused(tmp_path, campaign(40), sql)
    assert refusal.startswith("log.sql: ")
    assert said in refusal


def test_several_files_are_one_log(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{n}.csv", campaign(5, seed=n)) for n in range(2)]
    assert len(read_table(files, question(campaign_sql()))) == 10
