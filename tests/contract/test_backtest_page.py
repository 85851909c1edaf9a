"""deploy/backtest: the page and the examples say what the command does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.analysis.backtest.log_columns import MEANINGS, log_columns
from streams.analysis.backtest.read_log import _make_typed
from streams.cli.commands.backtest import backtest_command
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.checkout import ROOT
from tests.support.logs import written

FOLDER = ROOT / "deploy" / "backtest"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted(FOLDER.glob("*.sql"))


# A log with the columns that the pages and messages speak of.
LOG = {
    **{"customer": "ada", "user_id": "7", "id": "8", "city": "York", "age": "40", "bought": "1"},
    **{"time": "2024-01-01", "sent_at": "1704103200", "offer": "a", "kind": "b", "action": "none"},
    **{"p": "0.5", "probability": "0.5", "amount": "9.90", "clicked": "true", "currency": "EUR"},
}
ADVISED = [
    (column, advice)
    for column, (_, said) in MEANINGS.items()
    for advice in re.findall("`([^`]+)`", said)
    if advice != "time"
]


def types_of(tmp_path: Path, sql: str, log: dict[str, str]) -> dict[str, str]:
    """Return the types of the columns that a query makes of the log; it must run."""
    with open_tables([written(tmp_path / "log.csv", [log])]) as tables:
        _make_typed(tables)
        result = run_query(tables, sql, "advice.sql")
        assert (result.row_count, dict(result.unreadable)) == (1, {})
        return dict(result.types)


@pytest.mark.parametrize(("column", "advice"), ADVISED)
def test_what_a_message_advises_runs_and_has_the_type_that_the_column_needs(
    tmp_path: Path, column: str, advice: str
) -> None:
    group = " GROUP BY customer" if "list(" in advice else ""
    sent_at = LOG["sent_at"] if "DOUBLE" in advice else "2024-01-01T10:00:00"
    sql = f"SELECT {advice} AS made FROM data{group}"
    made = types_of(tmp_path, sql, LOG | {"sent_at": sent_at})["made"]
    assert re.fullmatch(MEANINGS[column][0], made), made


def test_messages_advise_all_three_ways_to_a_time() -> None:
    assert len([1 for column, _ in ADVISED if column == "time"]) == 3
    assert len(ADVISED) >= 15


PAGE_SQL = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
PAGE_SQL += [words for words in re.findall(r"`(SELECT [^`]+)`", PAGE)]


@pytest.mark.parametrize("sql", PAGE_SQL)
def test_every_query_of_the_page_runs(tmp_path: Path, sql: str) -> None:
    # `*` takes all columns, so there the log has features and the outcome alone.
    plain = {"age": "40", "city": "York", "bought": "1"}
    log = plain if "* EXCLUDE (row" in sql else LOG | {"sent_at": "2024-01-01T10:00:00"}
    types = types_of(tmp_path, sql, log)
    assert log_columns(types, "page.sql", supervised="action" not in types)


@pytest.mark.parametrize(
    "said",
    [
        "TRY_CAST(age AS DOUBLE)",
        "INTERVAL 7 DAYS AS window",
        "* EXCLUDE (age)",
        "coalesce(nullif(currency, ''), 'EUR') AS currency",
    ],
)
def test_other_advice_in_messages_and_pages_runs(tmp_path: Path, said: str) -> None:
    pattern = said.replace("'EUR'", "'{only}'").replace("(age)", "({column})")
    texts = [
        PAGE,
        *(p.read_text("utf-8") for p in (ROOT / "streams/analysis/backtest").glob("*.py")),
    ]
    assert any(said in text or pattern in text for text in texts)
    sql = f"SELECT {said} FROM data"
    assert types_of(tmp_path, sql, LOG)


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
