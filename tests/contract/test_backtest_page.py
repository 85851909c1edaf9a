"""deploy/backtest: the page and the examples say what the command does."""

from __future__ import annotations

import re

from streams.backtest.log_columns import MEANINGS
from streams.cli.backtest import backtest_command
from tests.kafka import ROOT

FOLDER = ROOT / "deploy" / "backtest"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted(FOLDER.glob("*.sql"))


def test_the_page_has_every_column_with_a_meaning_and_no_other() -> None:
    table = PAGE.partition("## Columns")[2].partition("## Options")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(MEANINGS)


def test_the_page_has_every_option_and_no_other() -> None:
    table = PAGE.partition("## Options")[2].partition("## What is claimed")[0]
    stated = set(re.findall(r"--[a-z][a-z-]+", table))
    options = {option for p in backtest_command.params for option in (*p.opts, *p.secondary_opts)}
    assert stated - options == set()
    assert options - stated == {"--sql", "--header", "log"}


def test_every_example_says_how_it_is_run_and_is_in_the_table_of_figures() -> None:
    names = [path.stem for path in EXAMPLES]
    assert names == [
        "bank_marketing",
        "obd",
        "online_retail",
        "starbucks_offers",
        "uci_online_shoppers",
    ]
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        command = re.search(r"^--   concierge backtest .* --sql (\S+)", text, re.MULTILINE)
        assert command is not None
        assert command[1] == f"deploy/backtest/{path.name}"
        assert f"| `{path.stem}` |" in PAGE
