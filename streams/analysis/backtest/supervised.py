"""The query of a plain supervised log: one column is the outcome, all others are features."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from streams.analysis.backtest.log_columns import MEANINGS, NEAR, LogError
from streams.analysis.backtest.read_log import TYPED
from streams.files.open_file import ReadOptions
from streams.files.sql_names import quoted
from streams.files.tables import open_tables


def target_query(files: Sequence[Path], column: str, read: ReadOptions) -> str:
    """Return the query; LogError when the files have no such column."""
    with open_tables(files, read) as tables:
        described = tables.connection.execute("DESCRIBE data").fetchall()
    names = [str(name) for name, *_ in described if name != "row"]
    if column not in names:
        near = get_close_matches(column, names, 1)
        meant = f"did you mean {near[0]}?" if near else "it has " + ", ".join(names)
        raise LogError(f"{files[0]}: no column {column}; {meant}")
    text = f"lower(trim({quoted(column)}::VARCHAR))"
    # Whole numbers are written as 1.0 where a cell of the column was empty.
    outcome = f"regexp_replace({text}, '^([01])[.]0+$', '\\1')::BOOLEAN AS outcome"
    # Every other column is a feature, whatever its name; so none has a meaning of its own.
    features = (f"{quoted(n)} AS {quoted(_feature(n))}" for n in names if n != column)
    return f"SELECT {', '.join(('row', outcome, *features))} FROM {TYPED}"


def _feature(name: str) -> str:
    near = get_close_matches(name.lower(), MEANINGS, 1, NEAR)
    return f"{name} (column)" if near else name
