"""Run a user's query over the open files; a cell that cannot be read rejects its row alone.

In: one SELECT. Out: a table of typed rows, and the rows that became none with the reason. What
may surprise: a plain cast such as `price::DECIMAL` fails a whole query in DuckDB. Here the rows
on which it fails are found by halving the file, the query runs again with NULL in their place,
and what it made of them is taken out again by the query's column `row` (the number of the row, or
`list(row)` where one result is made of several). Where `row` cannot tell, nothing is returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from streams.files.expressions import aggregates
from streams.files.load_table import number
from streams.files.open_file import DataFileError
from streams.files.rewrite_query import (
    Tree,
    groups_in,
    parsed,
    text_of,
    with_empty_for_unreadable,
    with_safe_times,
)
from streams.files.syntax_tree import ROW
from streams.files.tables import DATA, Tables
from streams.files.unreadable_rows import make, take_out, unreadable_rows

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

_BATCH_ROWS = 10_000
_SHOWN_COLUMNS = 40
_RESULTS = count()


@dataclass(frozen=True)
class Result:
    """What a query made: types by column, as text and as values, and the rows it rejected.

    `unreadable` are the reasons by row. What was made of such a row is no row of the result:
    `spoiled` results, of `spoiled_rows` rows of the data. `used_rows` is how many rows of the
    data the other results are made of; None where the column `row` does not name them all.
    """

    tables: Tables
    name: str
    table: str
    types: Mapping[str, str]
    sql_types: Mapping[str, DuckDBPyType]
    row_count: int
    used_rows: int | None
    unreadable: Mapping[int, str]
    spoiled: int
    spoiled_rows: int

    @property
    def left_out(self) -> int | None:
        """How many rows of the data are in no result, because the query left them out."""
        if self.used_rows is None:
            return None
        return self.tables.row_count - self.used_rows - self.spoiled_rows

    def batches(
        self, order_by: str = "_place", columns: str = "* EXCLUDE (_place)", offset: int = 0
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows in bounded batches, in the query's order unless SQL says another.

        `columns` is the SQL of what is read of each row.
        """
        found = self.tables.connection.cursor().execute(
            f"SELECT {columns} FROM {self.table} ORDER BY {order_by} OFFSET {offset}"
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
    table = f"_result_{next(_RESULTS)}"
    tree = with_safe_times(parsed(connection, sql))
    # The query as it was written, so that an error shows its line.
    selected = [str(name) for name, *_ in connection.execute(f"DESCRIBE {sql}").fetchall()]
    for place, column in enumerate(selected):
        if column.lower() in map(str.lower, selected[:place]):
            raise DataFileError(f"selects `{column}` twice")
    unreadable: dict[int, str] = {}
    spoiled = spoiled_rows = 0
    try:
        make(tables, table, text_of(connection, tree))
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
        unreadable = unreadable_rows(tables, text_of(connection, tree))
        make(tables, table, text_of(connection, with_empty_for_unreadable(tree)))
        spoiled, spoiled_rows = take_out(tables, table, tree, unreadable)
    described = connection.execute(f"SELECT * EXCLUDE (_place) FROM {table} LIMIT 0").description
    types = {str(column[0]): column[1] for column in described or ()}
    return Result(
        tables=tables,
        name=name,
        table=table,
        types={name: str(kind) for name, kind in types.items()},
        sql_types=types,
        row_count=number(connection, f"SELECT count(*) FROM {table}"),
        used_rows=_used_rows(tables, table, tree, types),
        unreadable=unreadable,
        spoiled=spoiled,
        spoiled_rows=spoiled_rows,
    )


def _used_rows(
    tables: Tables, table: str, tree: Tree, types: Mapping[str, DuckDBPyType]
) -> int | None:
    kind = next((str(kind) for name, kind in types.items() if name.lower() == ROW), "")
    if not kind or (groups_in(tree, aggregates(tables.connection)) and "[]" not in kind):
        return None
    rows = f"unnest({ROW})" if "[]" in kind else ROW
    sql = f"SELECT count(DISTINCT r) FROM (SELECT {rows} AS r FROM {table})"
    return number(tables.connection, sql)
