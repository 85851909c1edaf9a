"""A customer's history is what had happened before a row, and never a thing more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streams.backtest.history import history
from streams.backtest.log import Log
from streams.backtest.log_map import parse_map
from streams.core.layout import DAY_MS
from tests.logs import CAMPAIGN_MAP, campaign, log_of

MAP = (
    CAMPAIGN_MAP
    + """
window_hours: 3
history:
  count: {take: count}
  sum: {take: sum, of: age}
  mean: {take: mean, of: age}
  recency: {take: recency}
  tenure: {take: tenure}
  gap: {take: mean_gap}
  decayed: {take: decayed, half_life_hours: 1}
  bought: {take: count, at: outcome}
  settled: {take: count, at: settled}
  york: {take: count, where: {column: city, equals: York}}
"""
)


def naive(log: Log, row: int) -> dict[str, float]:
    """The same by the words of the map, one row at a time."""
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
        "bought": sum(log.label[n] and log.outcome_ms[n] < now for n in mine),
        "settled": sum(log.due_ms[n] < now for n in mine),
        "york": sum(log.categories["city"].codes[n] == york for n in before),
    }


def test_history_equals_a_naive_count(tmp_path: Path) -> None:
    rows = campaign(400, seed=3)
    for number, row in enumerate(rows):
        row["customer"] = f"c{number % 11}"
        if number % 5 == 0:
            row["time"] = rows[number - 1]["time"]
    log = log_of(tmp_path, rows, MAP)
    found = history(log, parse_map("m", MAP).history)
    for place in range(len(log)):
        expected = naive(log, place)
        got = {name: float(values[place]) for name, values in found.items()}
        assert got == pytest.approx(expected, abs=1e-6, nan_ok=True), place


def test_a_customer_comes_again_only_strictly_later_and_within_the_days(tmp_path: Path) -> None:
    text = CAMPAIGN_MAP.replace("  outcome: {column: bought}\n", "") + "repeat_within_days: 2\n"
    rows = campaign(6)
    days = ["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-06", "2024-01-07", "2024-01-30"]
    for row, day, customer in zip(rows, days, "aaaaba", strict=True):
        row["time"], row["customer"] = day, customer
    log = log_of(tmp_path, rows, text)
    assert log.label.tolist() == [True, True, False, False, False, False]
    # The last row's two days had not passed when the log ended: nobody knows.
    assert log.known.tolist() == [True, True, True, True, True, False]
    assert log.due_ms[0] - log.time_ms[0] == 2 * DAY_MS
    # Nothing could be learned before the third.
    assert log.judged.tolist() == [False, False, True, True, True, False]
