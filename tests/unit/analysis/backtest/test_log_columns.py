"""What the recipes know of a customer is what had happened before a row, and never a thing more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.analysis.backtest.build_log import build_log
from streams.analysis.backtest.campaign_log import Log
from streams.analysis.backtest.read_log import read_table
from streams.core.units import DAY_MS
from tests.support.checkout import ROOT
from tests.support.logs import campaign, campaign_sql, log_of, question, written

PAGE = (ROOT / "deploy" / "backtest" / "README.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"```sql\n-- recipe: (\w+)\n(.*?)```", PAGE, re.DOTALL))
HOUR_MS = DAY_MS // 24


def rows_with_ties() -> list[dict[str, Any]]:
    rows = campaign(400, seed=3)
    for number, row in enumerate(rows):
        row["customer"] = f"c{number % 11}"
        if number % 5 == 0:
            row["time"] = rows[number - 1]["time"]
    return rows


def naive(log: Log, row: int) -> dict[str, float]:
    """The same by the words of the page, one row at a time."""
    now = log.time_ms[row]
    mine = [n for n in range(len(log)) if log.customer[n] == log.customer[row]]
    before = sorted((n for n in mine if log.time_ms[n] < now), key=lambda n: log.time_ms[n])
    ages = [log.numbers["age"][n] for n in before]
    days = [log.time_ms[n] / DAY_MS for n in before]
    today = now / DAY_MS
    york = log.categories["city"].names.index("York")
    nothing = float("nan")
    return {
        "count": len(before),
        "sum": sum(ages),
        "mean": sum(ages) / len(ages) if ages else nothing,
        "recency": today - days[-1] if days else nothing,
        "tenure": today - days[0] if days else nothing,
        "gap": float(np.mean(np.diff(days))) if len(days) > 1 else nothing,
        "decayed": sum(2.0 ** (-(today - day) * 24) for day in days),
        "york": sum(log.categories["city"].codes[n] == york for n in before),
        "bought_before": sum(log.label[n] and log.time_ms[n] + 2 * HOUR_MS < now for n in mine),
        "settled": sum(log.time_ms[n] + 3 * HOUR_MS < now for n in mine),
    }


@pytest.mark.parametrize("recipe", ["earlier", "known_by_then"])
def test_history_by_the_recipes_equals_a_naive_count(tmp_path: Path, recipe: str) -> None:
    log = log_of(tmp_path, rows_with_ties(), RECIPES[recipe])
    names = log.numbers.keys() - {"age"}
    assert len(names) == {"earlier": 8, "known_by_then": 2}[recipe]
    for place in range(len(log)):
        expected = {name: value for name, value in naive(log, place).items() if name in names}
        got = {name: float(log.numbers[name][place]) for name in names}
        assert got == pytest.approx(expected, abs=1e-6, nan_ok=True), place


def test_a_customer_comes_again_only_strictly_later_and_within_the_days(tmp_path: Path) -> None:
    rows = campaign(6)
    days = ["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-06", "2024-01-07", "2024-01-30"]
    for row, day, customer in zip(rows, days, "aaaaba", strict=True):
        row["time"], row["customer"] = day, customer
    asked = question(RECIPES["repeat"])
    table = read_table([written(tmp_path / "log.csv", rows)], asked, supervised=True)
    log = build_log(table, "shares", asked.name)
    assert log.label.tolist() == [True, True, False, False, False, False]
    # The last row's two days had not passed when the log ended: its outcome is not known.
    assert log.known.tolist() == [True, True, True, True, True, False]
    assert log.due_ms[0] - log.time_ms[0] == 2 * DAY_MS
    # Nothing could be learned before the third.
    assert log.judged.tolist() == [False, False, True, True, True, False]


def test_rows_that_a_join_has_doubled_are_kept_once(tmp_path: Path) -> None:
    rows = campaign(40)
    doubled = log_of(tmp_path, [*rows, *rows], RECIPES["once"])
    assert (len(doubled), int(doubled.copy.sum())) == (40, 0)
    assert doubled.row.tolist() == log_of(tmp_path, rows).row.tolist()
    assert log_of(tmp_path, [*rows, *rows], campaign_sql()).copy.sum() == 40


def test_lines_of_a_customer_and_day_become_one_row_dated_as_the_last(tmp_path: Path) -> None:
    rows = campaign(4)
    times = ["01T10:00", "01T23:00", "02T01:00", "01T12:00"]
    for row, at, age, customer in zip(rows, times, (1, 2, 4, 8), "aaab", strict=True):
        row |= {"time": f"2024-01-{at}", "age": age, "customer": customer}
    log = log_of(tmp_path, rows, RECIPES["grouped"])
    assert log.numbers["age"].tolist() == [8, 3, 4]
    assert (log.time_ms[1:] % DAY_MS // HOUR_MS).tolist() == [23, 1]


def test_every_recipe_is_run() -> None:
    assert set(RECIPES) == {"earlier", "known_by_then", "repeat", "once", "grouped"}
