"""Make columns of JSON texts: the keys of all rows, scalars as text, objects and lists nested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.files.open_file import DataFileError
from streams.files.sql_names import literal, quoted, unique_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Rows whose keys are data (`{"sku-1": ..., "sku-2": ...}`) would make a column of each.
_MAX_COLUMNS = 2_000
_MAX_LEAVES = 500


def json_to_table(connection: DuckDBPyConnection, raw: str, table: str, rejected: str) -> None:
    """Make `table` of the texts in `raw` (row, text); what is no object goes to `rejected`.

    Texts are looked at whole, not by a sample: a key of the last row is a column.
    """
    connection.execute(
        f"INSERT INTO {rejected} SELECT row, {_PROBLEM} AS reason, text FROM {raw} "
        "WHERE reason IS NOT NULL ORDER BY row"
    )
    connection.execute(f"DELETE FROM {raw} WHERE {_PROBLEM} IS NOT NULL")
    found = connection.execute(f"SELECT json_group_structure(text::JSON) FROM {raw}").fetchone()
    structure = json.loads(found[0]) if found and found[0] else {}
    if not isinstance(structure, dict):
        structure = {}
    if len(structure) > _MAX_COLUMNS:
        raise DataFileError(
            f"the rows have {len(structure):,} keys; at most {_MAX_COLUMNS:,} can be columns"
        )
    names = unique_names(list(structure))
    scalars = [key for key, shape in structure.items() if not _nested(shape)]
    place = {key: number for number, key in enumerate(scalars, start=1)}
    columns = [
        f"scalars[{place[key]}] AS {quoted(name)}"
        if key in place
        else f"json_transform(text -> {literal(_pointer(key))}, "
        f"{literal(json.dumps(_as_text(structure[key])))}) AS {quoted(name)}"
        for name, key in zip(names, structure, strict=True)
    ]
    pointers = ", ".join(literal(_pointer(key)) for key in scalars)
    source = f"(SELECT row, text, json_extract_string(text, [{pointers}]) AS scalars FROM {raw})"
    source = source if scalars else raw
    connection.execute(
        f"CREATE TABLE {table} AS SELECT {', '.join(['row', *columns])} FROM {source}"
    )


_PROBLEM = (
    "CASE WHEN NOT json_valid(text) THEN 'no valid JSON' "
    "WHEN json_type(text) <> 'OBJECT' THEN 'a JSON value that is no object' END"
)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _nested(shape: Any) -> bool:
    return bool(shape) and isinstance(shape, dict | list) and _leaves(shape) <= _MAX_LEAVES


def _as_text(shape: Any) -> Any:
    """Return the shape with text for every scalar; keys that differ by case only stay JSON."""
    if isinstance(shape, list):
        return [_as_text(inner) for inner in shape]
    if isinstance(shape, dict) and shape and len({key.lower() for key in shape}) == len(shape):
        return {key: _as_text(inner) for key, inner in shape.items()}
    return "VARCHAR"


def _leaves(shape: Any) -> int:
    if isinstance(shape, dict):
        return sum(map(_leaves, shape.values()))
    return sum(map(_leaves, shape)) if isinstance(shape, list) else 1
