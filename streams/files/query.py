"""Run a user's query over the open files; a cell that cannot be read rejects its row alone.

In: one SELECT. Out: a table of typed rows, and the rows that became none with the reason. What
may surprise: a plain cast such as `price::DECIMAL` fails a whole query in DuckDB. Here the rows
on which it fails are found by halving the file, the query runs again with NULL in their place,
and what it made of them is taken out again by the query's column `row` (the number of the row, or
`list(row)` where one result is made of several). Where `row` cannot tell, nothing is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.files.loading import insert
from streams.files.opening import DataFileError
from streams.files.rewriting import (
    Tree,
    groups_in,
    mixes_rows,
    parsed,
    text_of,
    with_empty_for_unreadable,
    with_safe_times,
)
from streams.files.tables import ALL_DATA, DATA, Tables

ROW = "row"
# Each costs some tens of small queries; a column that is mostly unreadable is a mistake in the SQL.
MAX_UNREADABLE_ROWS = 1_000
_BATCH_ROWS = 10_000
_UNREADABLE = "_unreadable"
_SHOWN_COLUMNS = 40


@dataclass
class Result:
    """What a query made: `types` by column, in the query's order, and the rows it rejected.

    `unreadable` are the reasons by row; a result that one of them is part of is not among the
    rows of the result but in `spoiled`.
    """

    tables: Tables
    name: str
    table: str
    types: Mapping[str, str]
    row_count: int
    unreadable: dict[int, str] = field(default_factory=dict)

    def batches(self, order_by: str = "", offset: int = 0) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows in bounded batches, in the order of the query or of `order_by`."""
        found = self.tables.connection.cursor().execute(
            f"SELECT * EXCLUDE (_place) FROM {self.table} "
            f"ORDER BY {order_by or '_place'} OFFSET {offset}"
        )
        while batch := found.fetchmany(_BATCH_ROWS):
            yield batch


def run_query(tables: Tables, sql: str, name: str) -> Result:
    """Run one SELECT over `data`; DataFileError, with `name` of the SQL file, when it is wrong."""
    import duckdb

    try:
        return _run(tables, sql, name)
    except duckdb.BinderException as error:
        found = tables.connection.execute(f"DESCRIBE {DATA}").fetchall()
        columns = ", ".join(str(column[0]) for column in found[:_SHOWN_COLUMNS])
        files = ", ".join(file.path.name for file in tables.files)
        raise DataFileError(
            f"{name}: {str(error).strip()}\n`{DATA}` ({files}) has the columns: {columns}"
        ) from error
    except (DataFileError, duckdb.Error) as error:
        raise DataFileError(f"{name}: {str(error).strip()}") from error


def _run(tables: Tables, sql: str, name: str) -> Result:
    import duckdb

    connection = tables.connection
    count = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
    table = f"_result_{count[0] if count else 0}"
    tree = with_safe_times(parsed(connection, sql))
    # The query as it was written, so that an error shows its line.
    connection.execute(f"DESCRIBE {sql.strip().rstrip(';')}")
    unreadable: dict[int, str] = {}
    try:
        _make(tables, table, text_of(connection, tree))
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
        unreadable = _unreadable(tables, text_of(connection, tree))
        tried = with_empty_for_unreadable(tree)
        _make(tables, table, text_of(connection, tried))
        _take_out(tables, table, tree, unreadable)
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (_place) FROM {table}").fetchall()
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return Result(
        tables,
        name,
        table,
        {str(column[0]): str(column[1]) for column in described},
        int(found[0]) if found else 0,
        unreadable,
    )


def _make(tables: Tables, table: str, sql: str) -> None:
    tables.connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT *, row_number() OVER () AS _place FROM ({sql})"
    )


def _unreadable(tables: Tables, sql: str) -> dict[int, str]:
    """Return the reason by row for each row on which the query fails, found by halving."""
    connection = tables.connection
    limits = connection.execute(f"SELECT min(row), max(row) FROM {ALL_DATA}").fetchone()
    found: dict[int, str] = {}
    ranges = [tuple(limits or (0, 0))]
    try:
        while ranges:
            first, last = ranges.pop()
            reason = _failure(tables, sql, first, last)
            if reason is None:
                continue
            if first == last:
                found[first] = reason
            else:
                middle = (first + last) // 2
                ranges += [(middle + 1, last), (first, middle)]
            if len(found) > MAX_UNREADABLE_ROWS:
                raise DataFileError(
                    f"{_shown(tables, found)}; and more than {MAX_UNREADABLE_ROWS:,} further rows "
                    "cannot be read; what is meant to be empty there can be left out by nullif() "
                    "or TRY_CAST"
                )
    finally:
        _show_rows(tables, "true")
    return found


def _failure(tables: Tables, sql: str, first: int, last: int) -> str | None:
    """Say why the query fails on a range of rows, or None."""
    import duckdb

    _show_rows(tables, f"row BETWEEN {first} AND {last}")
    try:
        _make(tables, "_probe", sql)
    except (
        duckdb.ConversionException,
        duckdb.InvalidInputException,
        duckdb.OutOfRangeException,
    ) as error:
        return _in_words(str(error))
    return None


def _show_rows(tables: Tables, condition: str) -> None:
    tables.connection.execute(
        f"CREATE OR REPLACE VIEW {DATA} AS SELECT * FROM {ALL_DATA} WHERE {condition}"
    )


def _in_words(message: str) -> str:
    """Return what DuckDB says without its heading and the place in a query that we rewrote.

    >>> _in_words('Conversion Error: Could not convert string "x" to INT32\\n\\nLINE 1: ...')
    'Could not convert string "x" to INT32'
    >>> _in_words("Conversion Error: Could not convert string 'no id of digits: 1_0' to INT64")
    'no id of digits: 1_0'
    """
    text = message.partition("\n")[0].partition(": ")[2] or message
    words = re.match(r"Could not convert string (['\"])(.*: .*)\1 to \w+", text)
    return words[2] if words else text


def _take_out(tables: Tables, table: str, tree: Tree, unreadable: Mapping[int, str]) -> None:
    """Delete the results that an unreadable row is part of; DataFileError when none can tell."""
    connection = tables.connection
    columns = dict(
        (str(name).lower(), str(kind))
        for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()
    )
    kind = columns.get(ROW, "")
    insert(connection, _unreadable_table(tables), list(unreadable), [list(unreadable.values())])
    rows = f"(SELECT list(row) FROM {_UNREADABLE})"
    if not kind or not unreadable or mixes_rows(tree) or (groups_in(tree) and "[]" not in kind):
        raise DataFileError(
            f"{_shown(tables, unreadable)}; nothing was used, because the query does not tell "
            "which of its results are made of this row: select `row` (in a query with GROUP BY: "
            "`list(row) AS row`), or read the value with TRY_CAST"
        )
    mine = f"list_has_any(row, {rows})" if "[]" in kind else f"list_contains({rows}, row)"
    if groups_in(tree):
        found = connection.execute(
            f"SELECT min(u.row) FROM {_UNREADABLE} u WHERE u.row NOT IN "
            f"(SELECT unnest(row) FROM {table})"
        ).fetchone()
        if found and found[0] is not None:
            missing = {found[0]: unreadable[found[0]]}
            raise DataFileError(
                f"{_shown(tables, missing)}; nothing was used, because the query leaves this row "
                "out where it cannot be read, and its group would be sent without it"
            )
    connection.execute(f"DELETE FROM {table} WHERE {mine}")


def _shown(tables: Tables, unreadable: Mapping[int, str]) -> str:
    if not unreadable:
        return "the query fails on no single row, but on all together"
    row, reason = next(iter(unreadable.items()))
    more = f" (and {len(unreadable) - 1:,} more rows)" if len(unreadable) > 1 else ""
    return f"{tables.place(row)}: {reason}{more}"


def _unreadable_table(tables: Tables) -> str:
    tables.connection.execute(f"CREATE OR REPLACE TABLE {_UNREADABLE} (row BIGINT, reason VARCHAR)")
    return _UNREADABLE
