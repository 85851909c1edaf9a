"""Small campaign logs for the back-test: made up, seeded, written as CSV with their query."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from streams.analysis.backtest.build_log import build_log
from streams.analysis.backtest.campaign_log import Log
from streams.analysis.backtest.read_log import Question, read_table
from streams.cli.commands.backtest import backtest_command

# Columns of a campaign's query; a test adds to them, or replaces one.
CAMPAIGN = {
    "row": "row",
    "customer": "customer",
    "time": "time::TIMESTAMP",
    "action": "action",
    "probability": "probability::DOUBLE",
    "outcome": "bought::BOOLEAN",
    "age": "age::DOUBLE",
    "city": "city",
}


def campaign_sql(*without: str, **columns: str) -> str:
    """Return the query of a campaign, with further columns or others, and without some."""
    chosen = {name: made for name, made in (CAMPAIGN | columns).items() if name not in without}
    selected = ", ".join(f'{made} AS "{name}"' for name, made in chosen.items())
    return f"SELECT {selected} FROM data"


def written(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as CSV; the first one tells the columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def campaign(
    count: int,
    *,
    seed: int = 1,
    shares: Mapping[str, float] | None = None,
    rates: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Return rows of a campaign; young customers like `a`, old ones `b`, and nobody much `c`.

    `shares` is how often an action was chosen, at random; `rates` replaces the taste for age.
    """
    rng = np.random.default_rng(seed)
    shares = shares or {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    names, odds = list(shares), np.array(list(shares.values()))
    rows = []
    for number in range(count):
        young = bool(rng.random() < 0.5)
        action = names[int(rng.choice(len(names), p=odds / odds.sum()))]
        liked = {"a": young, "b": not young, "c": False}[action]
        rate = rates[action] if rates else (0.4 if liked else 0.1)
        day, minute = divmod(number, 1440)
        rows.append(
            {
                "customer": f"c{number % 97}",
                "time": f"2024-01-{1 + day:02d}T{minute // 60:02d}:{minute % 60:02d}:00",
                "action": action,
                "probability": shares[action],
                "bought": int(rng.random() < rate),
                "age": 25 if young else 60,
                "city": "York" if rng.random() < 0.5 else "Bath",
            }
        )
    return rows


def question(sql: str) -> Question:
    """Return a query as if it came from a file of the name log.sql."""
    return Question(sql, "log.sql")


def log_of(
    tmp_path: Path, rows: Sequence[Mapping[str, Any]], sql: str = "", rule: str = "shares"
) -> Log:
    """Return rows as a log in memory, through a file and a query."""
    asked = question(sql or campaign_sql())
    return build_log(read_table([written(tmp_path / "log.csv", rows)], asked), rule, asked.name)


def chosen_by(
    rule: Callable[[dict[str, Any]], float], count: int = 2_400, *, logged: bool = False
) -> list[dict[str, Any]]:
    """Return a log whose actions A and B do nothing: `rule` is the probability of B in a row.

    Gold customers buy often, others hardly ever. `logged` writes the probability down.
    """
    rng = np.random.default_rng(count)
    customers = [(rng.random() < 0.5, int(rng.integers(18, 66))) for _ in range(count // 2)]
    rows = []
    for number in range(count):
        customer = int(rng.integers(len(customers)))
        gold, age = customers[customer]
        minute = number % 1_440
        row = {
            "n": number,
            "customer": f"c{customer}",
            "time": f"2024-01-{1 + number // 1_440:02d}T{minute // 60:02d}:{minute % 60:02d}:00",
            "segment": "gold" if gold else "new",
            "city": "York" if rng.random() < 0.5 else "Bath",
            "age": age,
            "bought": int(rng.random() < (0.5 if gold else 0.04)),
        }
        probability = rule(row)
        row["action"] = "B" if rng.random() < probability else "A"
        row["p"] = (probability if row["action"] == "B" else 1.0 - probability) if logged else ""
        rows.append(row)
    return rows


def backtested(
    tmp_path: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    control: str = "",
    more: Sequence[str] = (),
) -> tuple[str, Any]:
    """Back-test rows through the command: what it printed, and its JSON."""
    columns = {
        "row": "row",
        "customer": "customer",
        "time": "time::TIMESTAMP",
        "action": "action::VARCHAR",
        "outcome": "bought = 1",
    }
    held = {name: made for name, made in columns.items() if name in {*rows[0], "row", "outcome"}}
    chosen = [f"{made} AS {name}" for name, made in held.items()]
    probability = "p" if "p" in rows[0] else "probability"
    chosen.append(f"{probability}::DOUBLE AS probability")
    if control:
        chosen.append(f"action = '{control}' AS control")
    features = [n for n in rows[0] if n not in {*held, "bought", "n", "p", "probability"}]
    sql = f"SELECT {', '.join(chosen + features)} FROM typed"
    (tmp_path / "log.sql").write_text(sql, encoding="utf-8")
    log = written(tmp_path / "log.csv", rows)
    arguments = [str(log), "--sql", str(tmp_path / "log.sql"), "--json", *more]
    result = CliRunner(env={"COLUMNS": "1000"}).invoke(backtest_command, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout, json.loads(result.stdout.splitlines()[-1])
