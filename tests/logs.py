"""Small campaign logs for the back-test: made up, seeded, written as CSV with their map."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from streams.backtest.log import Log, build_log
from streams.backtest.log_map import parse_map
from streams.backtest.reading import read_table
from streams.cli.backtest import backtest_command

CAMPAIGN_MAP = """
fields:
  customer: {column: customer}
  time: {column: time, steps: [time: iso]}
  action: {column: action}
  probability: {column: probability}
  outcome: {column: bought}
features:
  numbers: [age]
  categories: [city]
"""


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


def log_of(tmp_path: Path, rows: Sequence[Mapping[str, Any]], text: str = CAMPAIGN_MAP) -> Log:
    """Return rows as a log in memory, through a file and a map."""
    log_map = parse_map("map.yaml", text)
    return build_log(read_table([written(tmp_path / "log.csv", rows)], log_map), log_map)


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
    tmp_path: Path, rows: Sequence[Mapping[str, Any]], *, control: str = ""
) -> tuple[str, Any]:
    """Back-test rows through the command: what it printed, and its JSON."""
    fields = {"customer": "customer", "action": "action", "probability": "p", "outcome": "bought"}
    fields["probability"] = "p" if "p" in rows[0] else "probability"
    held: dict[str, Any] = {
        name: {"column": column} for name, column in fields.items() if column in rows[0]
    }
    held["time"] = {"column": "time", "steps": [{"time": "iso"}]}
    given: dict[str, Any] = {
        "fields": held,
        "features": {"all_but": ["n"] if "n" in rows[0] else []},
    } | ({"control": control} if control else {})
    (tmp_path / "map.yaml").write_text(json.dumps(given), encoding="utf-8")
    log = written(tmp_path / "log.csv", rows)
    arguments = [str(log), "--map", str(tmp_path / "map.yaml"), "--json"]
    result = CliRunner(env={"COLUMNS": "1000"}).invoke(backtest_command, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout, json.loads(result.stdout.splitlines()[-1])
