"""What became of every row of a log adds up, and so do its amounts: of one currency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.logs import campaign_sql, log_of
from tests.unit.analysis.backtest.test_read_log import account_of, refused, row


def summed(account: Any) -> int:
    return int(account.used + account.rejected + account.spoiled + account.left_out)


GROUPED = (
    "SELECT list(row) AS row, customer, min(time::TIMESTAMP) AS time, first(action) AS action, "
    "bool_or(bought::BOOLEAN) AS outcome, any_value(city) AS city FROM data "
    "WHERE city <> 'Leeds' GROUP BY customer"
)


def test_the_rows_of_a_group_with_an_unreadable_row_are_counted_as_spoiled(tmp_path: Path) -> None:
    rows = [row(customer=f"c{n // 3}") for n in range(30)]
    rows[7]["bought"] = "perhaps"
    rows[20]["city"] = "Leeds"
    account = account_of(tmp_path, rows, GROUPED)
    assert (account.used, account.rejected, account.spoiled, account.left_out) == (26, 1, 2, 1)
    assert account.rows == summed(account) == 30


def test_every_row_of_a_group_that_cannot_be_used_is_rejected(tmp_path: Path) -> None:
    rows = [row(customer=f"c{n // 3}", action="" if n < 3 else "a") for n in range(30)]
    account = account_of(tmp_path, rows, GROUPED)
    assert (account.used, account.rejected, account.spoiled, account.left_out) == (27, 3, 0, 0)
    assert account.rows == summed(account) == 30
    assert len(account.problems) == 1


def test_a_query_without_row_numbers_does_not_say_which_rows_it_used(tmp_path: Path) -> None:
    account = account_of(tmp_path, [row(), row(action="")], campaign_sql("row"))
    assert (account.used, account.rejected, account.left_out) == (None, 1, None)


@pytest.mark.parametrize("column", ["money", "value", "cost"])
@pytest.mark.parametrize("nameless", ["", "NULL"])
def test_an_amount_without_a_currency_is_not_added_to_one_with_it(
    tmp_path: Path, column: str, nameless: str
) -> None:
    rows = [row(age=n, city="EUR" if n % 2 else nameless, time=f"2024-01-0{1 + n}") for n in (0, 1)]
    currency = "nullif(city, 'NULL')"
    sql = campaign_sql(currency=currency, **{column: "age::DOUBLE"})
    # The row without a currency has an amount of 0.
    assert log_of(tmp_path, rows, sql).currency == "EUR"
    rows.append(row(age=3, city=nameless, time="2024-01-04"))
    said = refused(tmp_path, rows, sql)
    assert "1 rows have an amount and no currency (the first: row 4), others have EUR" in said
    advised = said.partition("write `")[2].partition(" AS currency`")[0]
    mended = campaign_sql(currency=advised.replace("currency", currency), **{column: "age::DOUBLE"})
    assert log_of(tmp_path, rows, mended).currency == "EUR"
