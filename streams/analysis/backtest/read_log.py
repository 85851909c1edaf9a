"""Read a log through a user's query: its rows, checked, become columns.

In: files and one SELECT over `data`, or over `typed`, the same with numbers for all columns of text
that hold nothing else. Out: numpy columns in the order of the files. A row that cannot be used is
counted with its line and reason; what was read, left out, rejected and used adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.category_codes import Category, coded, name_of
from streams.analysis.backtest.log_columns import LogColumns, LogError, log_columns
from streams.analysis.backtest.row_account import Account, account_of, settle
from streams.analysis.backtest.row_checks import checks
from streams.files.open_file import ReadOptions
from streams.files.query import Result, run_query
from streams.files.sql_names import quoted
from streams.files.tables import Tables, open_tables

# About 700 bytes a row of 13 columns while they are read (measured): 1.4 GB.
MAX_ROWS = 2_000_000
TYPED = "typed"
# What counts as a number: a code with a leading zero is a name.
_NUMBER = r"[+-]?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|NaN|inf)"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """The query: its text, the name of its file, and what else it may read."""

    sql: str
    name: str
    read: ReadOptions = field(default_factory=ReadOptions)
    further: Mapping[str, Path] = field(default_factory=dict)


@dataclass
class Table:
    """The rows that can be used, by column, in the order of the files.

    `meanings` has times and spans in ms, numbers, truths as 1.0 and 0.0, all NaN where empty;
    `texts` the columns of names. `row` is what the query's row is called, by its number in it, and
    `place` the number of the row of its result.
    """

    columns: LogColumns
    meanings: dict[str, Floats]
    texts: dict[str, NDArray[np.object_]]
    numbers: dict[str, Floats]
    categories: dict[str, Category]
    policy_key: Category
    row: Ints
    place: Ints
    account: Account

    def __len__(self) -> int:
        return len(self.row)


def read_table(
    files: Sequence[Path],
    question: Question,
    *,
    supervised: bool = False,
    strict: bool = False,
    policy_by: Sequence[str] = (),
) -> Table:
    """Return the rows of a query over the files; LogError or DataFileError when there are none.

    `policy_by` are the columns by which a further policy differs. With `strict` the first row that
    cannot be used is a LogError.
    """
    with open_tables(files, question.read, question.further) as tables:
        _make_typed(tables)
        result = run_query(tables, question.sql, question.name)
        columns = log_columns(result.types, question.name, supervised)
        if result.row_count > MAX_ROWS:
            raise LogError(f"{question.name}: more than {MAX_ROWS:,} rows; select fewer")
        table = _fetched(result, columns, policy_by, account_of(tables, result, strict))
        kept = _checked(table, tables, strict)
        account = table.account
        settle(account, result, table.place[~kept])
    if not kept.any():
        first = f"; the first: {account.problems[0]}" if account.problems else ""
        raise LogError(f"{files[0]}: no row of {account.rows:,} can be replayed{first}")
    return table if kept.all() else _only(table, kept)


def _make_typed(tables: Tables) -> None:
    """Make the view `typed`: numbers where a column of text holds nothing else."""
    described = tables.connection.execute("DESCRIBE data").fetchall()
    texts = [quoted(str(name)) for name, kind, *_ in described if kind == "VARCHAR"]
    numeric: set[str] = set()
    if texts:
        tests = (
            f"coalesce(bool_and(regexp_full_match(trim({t}), '{_NUMBER}')), true)" for t in texts
        )
        found = tables.connection.execute(f"SELECT {', '.join(tests)} FROM data").fetchone()
        numeric = {text for text, holds in zip(texts, found or (), strict=True) if holds}
    names = [quoted(str(name)) for name, *_ in described]
    chosen = (f"TRY_CAST(trim({n}) AS DOUBLE) AS {n}" if n in numeric else n for n in names)
    tables.connection.execute(f"CREATE VIEW {TYPED} AS SELECT {', '.join(chosen)} FROM data")


# How a column with a meaning becomes a number.
_AS_NUMBER = {
    "time": "CASE WHEN isfinite({0}) THEN round_even(epoch_us({0}::TIMESTAMPTZ) / 1000, 0) END",
    "window": "CASE WHEN datepart('month', {0}) + 12 * datepart('year', {0}) = 0 "
    "THEN epoch_ms({0}) ELSE -1 END",
    "outcome": "{0}",
    "known": "{0}",
    "control": "{0}",
}
_TEXTS = ("customer", "action", "family", "currency")


def _fetched(
    result: Result, columns: LogColumns, policy_by: Sequence[str], account: Account
) -> Table:
    as_time = dict.fromkeys(("time", "outcome_time"), _AS_NUMBER["time"])
    wanted: dict[str, str] = {}
    for name in sorted(columns.meanings - {"row"}):
        if name in _TEXTS:
            wanted[f"t:{name}"] = f"{quoted(name)}::VARCHAR"
        else:
            made = (_AS_NUMBER | as_time).get(name, "{0}").format(quoted(name))
            wanted[f"m:{name}"] = f"({made})::DOUBLE"
    wanted |= {f"n:{name}": f"{quoted(name)}::DOUBLE" for name in columns.numbers}
    wanted |= {f"c:{name}": f"{quoted(name)}::VARCHAR" for name in columns.categories}
    for place, name in enumerate(policy_by):
        if name not in result.types:
            raise LogError(
                f"{result.name}: no column {name}, by which the further policy differs; the query "
                f"has {', '.join(result.types)}"
            )
        wanted[f"p:{place}"] = f"{quoted(name)}::VARCHAR"
    number = "_place"
    if "row" in columns.meanings:
        number = "list_min(row)" if result.types["row"].endswith("[]") else "row"
    wanted |= {"row": f"coalesce({number}, _place)", "place": "_place"}
    chosen = ", ".join(f"{made} AS {quoted(name)}" for name, made in wanted.items())
    held = result.tables.connection.execute(
        f"SELECT {chosen} FROM {result.table} ORDER BY {number}, _place"
    ).fetchnumpy()
    of = {name.partition(":"): _plain(values) for name, values in held.items()}
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in "mtncp"}
    for (kind, _, name), values in of.items():
        if name:
            by_kind[kind][name] = values
    return Table(
        columns=columns,
        meanings=by_kind["m"],
        texts=by_kind["t"],
        numbers={n: np.where(np.isfinite(v), v, np.nan) for n, v in by_kind["n"].items()},
        categories={name: coded(values) for name, values in by_kind["c"].items()},
        policy_key=coded(policy_keys(list(by_kind["p"].values()), result.row_count), None),
        row=of["row", "", ""].astype(np.int64),
        place=of["place", "", ""].astype(np.int64),
        account=account,
    )


def policy_keys(columns: Sequence[Sequence[object]], rows: int) -> list[str]:
    """Return the context of each row, by the columns by which a further policy differs."""
    if not columns:
        return [""] * rows
    return ["|".join(map(name_of, values)) for values in zip(*columns, strict=True)]


def _plain(values: Any) -> Any:
    """Return a column without a mask: NaN or None where it is empty."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    plain = values.data.copy()
    plain[np.ma.getmaskarray(values)] = None if plain.dtype == object else np.nan
    return plain


def _checked(table: Table, tables: Tables, strict: bool) -> NDArray[np.bool_]:
    """Return which rows can be used, and count the others with the first reason of each."""
    kept = np.ones(len(table), bool)
    if not len(table):
        # Columns of no rows have no type that could be checked.
        return kept
    found: list[tuple[int, str]] = []
    for name, wrong, what in checks(table.meanings, table.texts, len(table)):
        for place in np.flatnonzero(wrong & kept).tolist():
            found.append((place, f"{name} {what(place)}"))
        kept &= ~wrong
    numbered = "row" in table.columns.meanings
    for place, reason in sorted(found):
        row = int(table.row[place])
        where = tables.place(row) if numbered else f"row {row} of the query"
        table.account.reject(f"{where}: {reason}", strict)
    return kept


def _only(table: Table, kept: NDArray[np.bool_]) -> Table:
    def some(columns: dict[str, Any]) -> dict[str, Any]:
        return {name: values[kept] for name, values in columns.items()}

    return replace(
        table,
        meanings=some(table.meanings),
        texts=some(table.texts),
        numbers=some(table.numbers),
        categories={n: replace(c, codes=c.codes[kept]) for n, c in table.categories.items()},
        policy_key=replace(table.policy_key, codes=table.policy_key.codes[kept]),
        row=table.row[kept],
        place=table.place[kept],
    )
