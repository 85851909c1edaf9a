"""Find the rows on which a query fails, and take out what it made of them.

Rows are found by halving the file. Each costs some tens of small queries, so their number has a
limit. `row` tells what was made of them; where it cannot, the whole query is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.files.load_table import insert, number
from streams.files.open_file import DataFileError
from streams.files.provenance import may_lose_rows
from streams.files.rewrite_query import Tree
from streams.files.syntax_tree import ROW, UnclearError
from streams.files.tables import ALL_DATA, DATA, Tables

# A column that is mostly unreadable is a mistake in the SQL.
MAX_UNREADABLE_ROWS = 1_000
_UNREADABLE = "_unreadable"
_SPOILED = "_spoiled"
_SPOILED_ROWS = f"SELECT r FROM {_SPOILED}"


def make(tables: Tables, table: str, sql: str) -> None:
    """Make a table of a query's results, with their order as `_place`."""
    tables.connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT *, row_number() OVER () AS _place FROM ({sql})"
    )


def unreadable_rows(tables: Tables, sql: str) -> dict[int, str]:
    """Return the reason by row for each row on which the query fails, found by halving."""
    connection = tables.connection
    limits = connection.execute(f"SELECT min(row), max(row) FROM {ALL_DATA}").fetchone()
    found: dict[int, str] = {}
    ranges = [tuple(limits or (0, 0))]
    together = ""
    try:
        while ranges:
            first, last = ranges.pop()
            reason = _failure(tables, sql, first, last)
            if reason is None:
                continue
            if not found:
                together = f"{tables.place(first)} to {tables.place(last)} together: {reason}"
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
    if not found:
        what = together or "the query fails on no single row, but on all together"
        raise DataFileError(f"{what}; nothing was used: read the value with TRY_CAST")
    return found


def _failure(tables: Tables, sql: str, first: int, last: int) -> str | None:
    """Say why the query fails on a range of rows, or None."""
    import duckdb

    _show_rows(tables, f"row BETWEEN {first} AND {last}")
    try:
        make(tables, "_probe", sql)
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


def take_out(
    tables: Tables, table: str, tree: Tree, unreadable: Mapping[int, str]
) -> tuple[int, int]:
    """Delete the results that an unreadable row is part of; DataFileError when `row` cannot tell.

    Returns how many results these were, and how many rows of the data are in no other result.
    """
    connection = tables.connection
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    columns = {str(name).lower(): str(kind) for name, kind, *_ in described}
    kind = columns.get(ROW, "")
    connection.execute(f"CREATE OR REPLACE TABLE {_UNREADABLE} (row BIGINT, reason VARCHAR)")
    insert(connection, _UNREADABLE, list(unreadable), [list(unreadable.values())])
    try:
        if not kind:
            raise UnclearError("`row` is not selected")
        may_lose = may_lose_rows(connection, tree)
    except UnclearError as error:
        raise DataFileError(
            f"{_shown(tables, unreadable)}; nothing was used, because the query does not tell "
            f"for certain which of its results are made of this row ({error}): select `row` (in a "
            "query with GROUP BY: `list(row) AS row`), or read the value with TRY_CAST"
        ) from None
    bad = f"(SELECT list(row) FROM {_UNREADABLE})"
    mine = f"list_has_any(row, {bad})" if "[]" in kind else f"list_contains({bad}, row)"
    rows = "unnest(row)" if "[]" in kind else "row"
    if may_lose:
        sql = f"SELECT min(row) FROM {_UNREADABLE} WHERE row NOT IN (SELECT {rows} FROM {table})"
        lost = number(connection, sql)
        if lost:
            raise DataFileError(
                f"{_shown(tables, {lost: unreadable[lost]})}; nothing was used, because the query "
                "leaves this row out where it cannot be read, and its group would lack it"
            )
    spoiled = number(connection, f"SELECT count(*) FROM {table} WHERE {mine}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {_SPOILED} AS SELECT {rows} AS r FROM {table} WHERE {mine} "
        f"UNION SELECT row FROM {_UNREADABLE}"
    )
    connection.execute(f"DELETE FROM {table} WHERE {mine}")
    # A row may be part of several results, of which some are used.
    used = f"SELECT {rows} AS r FROM {table}"
    return spoiled, number(connection, f"SELECT count(*) FROM ({_SPOILED_ROWS} EXCEPT {used})")


def _shown(tables: Tables, unreadable: Mapping[int, str]) -> str:
    row, reason = next(iter(unreadable.items()))
    more = f" (and {len(unreadable) - 1:,} more rows)" if len(unreadable) > 1 else ""
    return f"{tables.place(row)}: {reason}{more}"
