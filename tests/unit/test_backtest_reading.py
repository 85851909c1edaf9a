"""Rows of a log become columns by stated rules: what is missing, odd, repeated or grouped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.backtest.fields import LogError
from streams.backtest.log_map import parse_map
from streams.backtest.matrix import Matrix
from streams.backtest.reading import read_table
from streams.core.layout import DAY_MS
from tests.logs import CAMPAIGN_MAP, campaign, log_of, written


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


def account_of(tmp_path: Path, rows: list[dict[str, Any]], **how: Any) -> Any:
    log_map = parse_map("map.yaml", CAMPAIGN_MAP)
    return read_table([written(tmp_path / "log.csv", rows)], log_map, **how).account


def test_rows_go_in_time_order_and_those_of_one_time_as_the_file_has_them(tmp_path: Path) -> None:
    rows = [row(time="2024-01-02", age=1), row(age=2), row(age=3)]
    assert log_of(tmp_path, rows).numbers["age"].tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time": "soon"}, "log.csv:3 time: 'soon' is no time of the form iso"),
        ({"time": ""}, "log.csv:3 time: is empty; every row needs its time"),
        ({"action": ""}, "log.csv:3 action: is empty; name what was done"),
        ({"probability": 0}, "log.csv:3 probability: 0 is not above 0 and at most 1"),
        ({"probability": "often"}, "log.csv:3 probability: 'often' is no number"),
        ({"bought": "perhaps"}, "log.csv:3 outcome: 'perhaps' is neither true nor false; map it"),
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
    with pytest.raises(LogError, match=r"no row of 2 can be replayed; the first: .*:2 action"):
        account_of(tmp_path, [row(action=""), row(action="")])


def test_a_column_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    rows = [{("citty" if k == "city" else k): v for k, v in row().items()}]
    with pytest.raises(LogError, match=r"map.yaml: .*log.csv has no column city; did you mean cit"):
        account_of(tmp_path, rows)


def test_an_empty_outcome_did_not_come_and_words_count(tmp_path: Path) -> None:
    rows = [row(bought=""), row(bought="yes"), row(bought="FALSE"), row(bought="1.0")]
    assert log_of(tmp_path, rows).label.tolist() == [False, True, False, True]


def test_a_missing_probability_is_the_share_of_the_action_or_even_odds(tmp_path: Path) -> None:
    rows = [row(probability=""), row(), row(), row(action="b", probability="")]
    log = log_of(tmp_path, rows)
    assert log.probability.tolist() == [0.75, 0.5, 0.5, 0.25]
    assert log.assumed.tolist() == [True, False, False, True]
    even = log_of(tmp_path, rows, CAMPAIGN_MAP + "probability: uniform\n")
    assert even.probability.tolist() == [0.5, 0.5, 0.5, 0.5]


def test_a_missing_number_is_nan_with_a_column_that_says_so(tmp_path: Path) -> None:
    matrix = Matrix(log_of(tmp_path, [row(age=""), row(age="old"), row(age=3)]))
    place = matrix.names.index("age is missing")
    made = matrix.rows(slice(0, 3))
    assert made[:, place].tolist() == [1, 1, 0]
    assert np.isnan(made[:2, 0]).all()
    assert made[2, 0] == pytest.approx(np.log(4))


def test_a_missing_category_is_one_of_its_own_and_rare_ones_share_a_column(tmp_path: Path) -> None:
    rows = [row(city=f"town {number}") for number in range(66)] + [row(city="")]
    matrix = Matrix(log_of(tmp_path, rows))
    made = matrix.rows(slice(0, 67))
    names = matrix.names
    assert made[3, names.index("city=town 3")] == 1
    assert made[64:66, names.index("city is another")].tolist() == [1, 1]
    assert made[66, names.index("city is missing")] == 1
    cities = [place for place, name in enumerate(names) if name.startswith("city")]
    assert (made[:, cities].sum(axis=1) == 1).all()


def test_rows_of_nobody_are_each_somebody_without_a_history(tmp_path: Path) -> None:
    text = CAMPAIGN_MAP + "history: {seen: {take: count}}\n"
    log = log_of(tmp_path, [row(customer=""), row(customer="", time="2024-01-02")], text)
    assert len(set(log.customer.tolist())) == 2


def test_repeated_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    log_map = parse_map("map.yaml", CAMPAIGN_MAP + "distinct: [customer, time, action]\n")
    file = written(tmp_path / "log.csv", [row(), row(age=1), row(action="b")])
    table = read_table([file], log_map)
    assert (table.account.repeated, len(table.fields)) == (1, 2)


def test_rows_of_a_customer_and_day_become_one_dated_as_the_last(tmp_path: Path) -> None:
    text = CAMPAIGN_MAP + "group: {by: [customer], every_days: 1, add: [age]}\n"
    rows = [
        row(age=1),
        row(age=2, time="2024-01-01T23:00:00"),
        row(age=4, time="2024-01-02T01:00:00"),
        row(age=8, customer="bob"),
    ]
    log = log_of(tmp_path, rows, text)
    assert log.numbers["age"].tolist() == [8, 3, 4]
    assert (log.time_ms[1:] % DAY_MS // 3_600_000).tolist() == [23, 1]


def test_every_condition_of_keep_must_hold(tmp_path: Path) -> None:
    text = CAMPAIGN_MAP + "keep: [{column: age, above: 18}, {column: city, equals: York}]\n"
    rows = [row(), row(age=5), row(city="Bath"), row(age=50)]
    assert log_of(tmp_path, rows, text).numbers["age"].tolist() == [40, 50]


def test_types_are_chosen_where_the_map_leaves_them_open(tmp_path: Path) -> None:
    text = """
fields:
  action: {column: action}
  outcome: {column: bought}
features:
  all_but: [time]
"""
    log = log_of(tmp_path, [row(), row(age="")], text)
    assert set(log.numbers) == {"probability", "age"}
    assert set(log.categories) == {"customer", "city"}


def test_the_reward_is_money_less_cost_and_a_declared_value_stands(tmp_path: Path) -> None:
    text = CAMPAIGN_MAP.replace(
        "  outcome:", "  money: {column: age}\n  cost: {constant: 0.5}\n  outcome:"
    )
    log = log_of(tmp_path, [row(), row(bought=0), row(age="")], text)
    assert log.reward.tolist() == [39.5, -0.5, -0.5]
    declared = log_of(tmp_path, [row(bought=0), row()], text.replace("money:", "value:"))
    assert declared.declared == {0: 40.0}
    assert declared.reward.tolist() == [-0.5, 39.5]


def test_several_files_are_one_log(tmp_path: Path) -> None:
    log_map = parse_map("map.yaml", CAMPAIGN_MAP)
    files = [written(tmp_path / f"{n}.csv", campaign(5, seed=n)) for n in range(2)]
    assert len(read_table(files, log_map).fields) == 10
    assert len(read_table(files, log_map, limit=7).fields) == 7
