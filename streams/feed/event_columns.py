"""The columns of a query as the fields of an event: checked before anything is sent.

A column must have a type that its field takes without guessing: a text is no number, a time needs
a zone. What a value needs to become the field's is decided once a column, not once a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.feed.topic_fields import Fields, fields_of, topic_fields
from streams.files.open_file import DataFileError
from streams.files.query import Result
from streams.files.sql_names import quoted
from streams.files.syntax_tree import ROW

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

Change = Callable[[Any], Any]
EVENT_ID = "event_id"
_WHOLE = {
    f"{sign}{size}"
    for sign in ("", "u")
    for size in ("bigint", "integer", "smallint", "tinyint", "hugeint")
}
_NUMBERS = {*_WHOLE, "double", "float", "decimal"}
_TEXTS = {"varchar", "enum", "uuid"}
_ADVICE = {
    "string": "write a text, e.g. id::VARCHAR (an id that became 12346.0: digits_id(id))",
    "whole": "write a whole number, e.g. amount::BIGINT, or minor_units(amount) for money",
    "double": "write a number, e.g. quantity::DOUBLE",
    "boolean": "write a condition, e.g. subscribed = 'yes'",
    "time": "write a time with a zone: instant(text, 'Europe/London') for text, "
    "time AT TIME ZONE 'Europe/London' for a TIMESTAMP, or epoch milliseconds as BIGINT",
    "list": "write a list, e.g. list({'product_id': sku, 'quantity': n::DOUBLE} ORDER BY row)",
    "record": "write a struct, e.g. {'product_id': sku}",
}


class EventColumn(NamedTuple):
    """A field of the event, the SQL that reads it from the query's result, and what is changed."""

    field: str
    sql: str
    change: Change | None


def event_columns(
    topic: str, types: Mapping[str, DuckDBPyType], name: str
) -> tuple[EventColumn, ...]:
    """Return the fields of an event of `topic` that a query's columns give.

    DataFileError, with the SQL file's name, for a column that is no field, a field that must be
    given and is not, or a type that does not fit. `row` is no field; `event_id` may be left out.
    """
    fields = topic_fields(topic)
    given = {column.lower(): column for column in types if column.lower() != ROW}
    _check_names(given, fields, topic, name, ignore={EVENT_ID})
    return tuple(
        EventColumn(
            field,
            _reading(column, types[column]),
            _change(fields.types[field], types[column], f"{name}: `{column}`"),
        )
        for field, column in given.items()
    )


def empty_columns(result: Result) -> list[str]:
    """Return the columns that are empty in every event: often a join or a path that is wrong."""
    names = [name for name in result.types if name.lower() != ROW]
    if not names or not result.row_count:
        return []
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    found = result.tables.connection.execute(f"SELECT {counts} FROM {result.table}").fetchone()
    return [name for name, given in zip(names, found or (), strict=False) if not given]


def _check_names(
    given: Mapping[str, str] | Sequence[str],
    fields: Fields,
    what: str,
    where: str,
    ignore: set[str] | frozenset[str] = frozenset(),
) -> None:
    for column in given:
        if column not in fields.types:
            near = get_close_matches(column, fields.types, 1)
            meant = f"did you mean `{near[0]}`?" if near else "they are " + ", ".join(fields.types)
            raise DataFileError(f"{where}: `{column}` is no field of {what}; {meant}")
    missing = sorted(fields.required - set(given) - ignore)
    if missing:
        raise DataFileError(
            f"{where}: {what} needs {', '.join(f'`{name}`' for name in missing)}; select "
            "an expression AS that name"
        )


def _reading(column: str, kind: DuckDBPyType) -> str:
    name = quoted(column)
    return f"epoch_ms({name})" if kind.id == "timestamp with time zone" else name


def _change(avro: Any, kind: DuckDBPyType, where: str) -> Change | None:
    """Return what makes a value of SQL type `kind` one of an Avro type; None for nothing."""
    if isinstance(avro, list):
        avro = next(branch for branch in avro if branch != "null")
    name = avro["type"] if isinstance(avro, dict) else avro
    if kind.id == "null":
        return None
    if isinstance(avro, dict) and "logicalType" in avro:
        _fits(kind.id in {*_WHOLE, "timestamp with time zone"}, kind, where, "time")
        return None
    if name in ("string", "enum"):
        whole = kind.id in _WHOLE and name == "string"
        _fits(kind.id in _TEXTS or whole, kind, where, "string")
        return None if kind.id in ("varchar", "enum") else str
    if name in ("long", "int"):
        _fits(kind.id in _WHOLE, kind, where, "whole")
        return None
    if name in ("double", "float"):
        _fits(kind.id in _NUMBERS, kind, where, "double")
        return float
    if name == "boolean":
        _fits(kind.id == "boolean", kind, where, "boolean")
        return None
    return _nested_change(avro, name, kind, where)


def _nested_change(avro: Any, name: str, kind: DuckDBPyType, where: str) -> Change | None:
    if name == "array":
        _fits(kind.id == "list", kind, where, "list")
        inner = _change(avro["items"], members_of(kind)[0][1], where)
        return None if inner is None else lambda items: [_applied(inner, item) for item in items]
    if name == "record":
        _fits(kind.id == "struct", kind, where, "record")
        members = dict(members_of(kind))
        fields = fields_of(avro)
        _check_names(list(members), fields, avro["name"].rpartition(".")[2], where)
        changes = {
            member: _change(fields.types[member], inner, f"{where}.{member}")
            for member, inner in members.items()
        }
        return lambda record: filled(record, changes)
    # No other Avro type is used by an input topic; encoding an event says what does not fit.
    return None


def members_of(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the members of a struct, or the one of a list, with their types."""
    members: Any = kind.children
    return list(members)


def filled(record: Mapping[str, Any], changes: Mapping[str, Change | None]) -> dict[str, Any]:
    """Return the fields that are not empty, each changed to what its Avro type takes."""
    return {
        field: value if (change := changes[field]) is None else change(value)
        for field, value in record.items()
        if value is not None
    }


def _applied(change: Change, value: Any) -> Any:
    return None if value is None else change(value)


def _fits(fits: bool, kind: DuckDBPyType, where: str, wanted: str) -> None:
    if not fits:
        raise DataFileError(f"{where} is {kind}; {_ADVICE[wanted]}")
