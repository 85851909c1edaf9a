"""What became of the rows of the files; where the query's column `row` tells, it adds up:

rows = used + rejected + spoiled + left out
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.log_columns import LogError
from streams.files.load_table import insert, number
from streams.files.query import Result
from streams.files.tables import Tables

SHOWN_PROBLEMS = 10
_NOT_KEPT = "_not_kept"


@dataclass
class Account:
    """Rows of the files: `rows` read, `used`, `rejected`, `spoiled` and `left_out` by the query.

    A row is spoiled that is part of a result (`list(row)`) with a row that could not be read.
    `used` and `left_out` are None where the column `row` does not tell; then `rejected` counts
    results that cannot be used beside rows that cannot be read. `made` are the query's results.
    """

    rows: int = 0
    made: int = 0
    used: int | None = None
    rejected: int = 0
    spoiled: int = 0
    left_out: int | None = None
    problems: list[str] = field(default_factory=list)

    def reject(self, problem: str, strict: bool) -> None:
        """Count a row that cannot be used; with `strict` it is the end."""
        if strict:
            raise LogError(problem)
        self.rejected += 1
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(problem)


def account_of(tables: Tables, result: Result, strict: bool) -> Account:
    """Return what became of the rows before the results are checked."""
    account = Account(
        rows=tables.row_count + tables.rejected_count,
        made=result.row_count,
        used=result.used_rows,
        spoiled=result.spoiled_rows - len(result.unreadable),
        left_out=result.left_out,
    )
    for row, reason, _ in tables.rejected():
        account.reject(f"{tables.place(row)}: {reason}", strict)
    for row, reason in sorted(result.unreadable.items()):
        account.reject(f"{tables.place(row)}: {reason}", strict)
    return account


def settle(account: Account, result: Result, not_kept: NDArray[np.int64]) -> None:
    """Count the rows of results that were rejected, each of which counts as one until here.

    A row that is part of another result too is used.
    """
    if account.used is None or not len(not_kept):
        return
    connection = result.tables.connection
    connection.execute(f"CREATE OR REPLACE TABLE {_NOT_KEPT} (place BIGINT)")
    insert(connection, _NOT_KEPT, not_kept.tolist(), [])
    rows = "unnest(row)" if result.types["row"].endswith("[]") else "row"
    used = number(
        connection,
        f"SELECT count(DISTINCT r) FROM (SELECT {rows} AS r FROM {result.table} "
        f"WHERE _place NOT IN (FROM {_NOT_KEPT}))",
    )
    account.rejected += account.used - used - len(not_kept)
    account.used = used
