"""A writer's schema made ready for reading: with what it refers to, and as Avro resolves it.

In goes the schema's text as a registry has it, with the texts it refers to; out comes a
`WriterSchema`, which also says why its records cannot be read. Two things go beyond what Avro's
resolution does, because writers do them all the time and nothing is guessed: a time in
microseconds or nanoseconds is brought to milliseconds, and a field that only the writer lets be
null is read as our default, or as an empty value that the gate judges as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from schemas.compatibility import is_bounded, unreadable

_SCHEMA_ERRORS = (SchemaParseException, UnknownType)
_MILLIS = "timestamp-millis"
_PER_MILLISECOND = {"timestamp-micros": 1_000, "timestamp-nanos": 1_000_000}
_PARTS = ("type", "items", "values", "fields")
# What a null is read as where our field has no default: the gate refuses each in its own words.
_EMPTY: Mapping[str, Any] = {"string": "", "long": 0, "int": 0, "array": []}


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A schema that records were written with, prepared for reading.

    `name` is the name of our schema it belongs to, None when it is no record of ours, and `record`
    what the writer calls it. `parsed` is what the bytes are read with; `resolve_to` is our schema
    when the two differ. `problem` says why its records cannot be read; None when they can.
    `finer` says of times in a finer unit how many make a millisecond, `nullable` what a null of a
    field that is never null here becomes.
    """

    name: str | None
    parsed: Any
    resolve_to: Any
    problem: str | None
    record: str = ""
    finer: Mapping[str, int] = field(default_factory=dict)
    nullable: Mapping[str, Any] = field(default_factory=dict)

    def settle(self, record: dict[str, Any]) -> None:
        """Bring a record that was read to our units and defaults, in place."""
        for name, per_ms in self.finer.items():
            if record[name] is not None:
                record[name] //= per_ms
        for name, instead in self.nullable.items():
            if record[name] is None:
                record[name] = copy(instead)


@dataclass(frozen=True, slots=True)
class Reader:
    """One of our records: the name of its schema, and the schema with and without docs."""

    name: str
    full: Any
    plain: Any


def no_schema(problem: str) -> WriterSchema:
    """Return the schema of records that cannot be read, whatever their bytes."""
    return WriterSchema(None, None, None, problem)


def prepare(
    schema_json: str, referenced: Sequence[str], readers: Mapping[str, Reader]
) -> WriterSchema:
    """Prepare a writer's schema; `readers` are our records by their names without namespace.

    `referenced` are the schemas it refers to, each behind those it refers to itself. Never raises
    on a bad one: the result's `problem` then says what is wrong with it.
    """
    try:
        named: dict[str, Any] = {}
        for text in referenced:
            fastavro.parse_schema(json.loads(text), named_schemas=named)
        parsed: Any = fastavro.parse_schema(json.loads(schema_json), named_schemas=named)
        whole = _self_contained(parsed, named, set())
        plain = plain_of(whole)
    except (ValueError, TypeError, KeyError, RecursionError, *_SCHEMA_ERRORS) as error:
        return no_schema(f"the schema is no valid Avro schema: {type(error).__name__}: {error}")
    record = str(whole.get("name", "")) if isinstance(whole, dict) else ""
    reader = readers.get(record.rpartition(".")[2])
    if reader is None or whole["type"] != "record":
        return WriterSchema(None, None, None, None, record)
    written, finer = _in_milliseconds(reader.full, whole)
    nullable = _nullable(reader.full, whole)
    problems = unreadable(_allowing_null(reader.full, nullable), written)
    if not problems and not is_bounded(whole):
        problems = ["record: holds itself, or an array of items without bytes"]
    ours = reader.plain
    if nullable:
        ours = plain_of(_allowing_null(reader.full, nullable))
    same = not finer and not nullable and plain == ours
    return WriterSchema(
        reader.name,
        plain,
        None if same else ours,
        "; ".join(problems) or None,
        record,
        finer,
        nullable,
    )


def plain_of(schema: Any) -> Any:
    """Return a parsed schema without docs and logical types: times are integers."""
    # Turning milliseconds into datetimes costs a third more, and raises for the year 10000.
    return fastavro.parse_schema(_stripped(schema))


def _stripped(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_stripped(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = ("doc", "logicalType", "__fastavro_parsed", "__named_schemas")
    return {
        key: _stripped(value) if key in _PARTS else value
        for key, value in schema.items()
        if key not in dropped
    }


def _self_contained(schema: Any, named: Mapping[str, Any], defined: set[str]) -> Any:
    """Return a schema with the definition of each type in it where the type is first named."""
    if isinstance(schema, list):
        return [_self_contained(part, named, defined) for part in schema]
    if isinstance(schema, str):
        if schema not in named or schema in defined:
            return schema
        return _self_contained(named[schema], named, defined)
    if not isinstance(schema, dict):
        return schema
    if "name" in schema and "type" in schema and schema["type"] in ("record", "enum", "fixed"):
        defined.add(str(schema["name"]))
    return {
        key: _self_contained(value, named, defined) if key in _PARTS else value
        for key, value in schema.items()
        if not key.startswith("__")
    }


def _branches(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _fields(record: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in record["fields"]}


def _logical(schema: Any) -> Any:
    return schema.get("logicalType") if isinstance(schema, dict) else None


def _in_milliseconds(reader: Any, writer: Any) -> tuple[Any, dict[str, int]]:
    """Return the writer's record as if its finer times were in milliseconds, and which are."""
    ours, finer = _fields(reader), dict[str, int]()
    for name, entry in _fields(writer).items():
        if name in ours and _MILLIS in map(_logical, _branches(ours[name]["type"])):
            for branch in _branches(entry["type"]):
                if (per_ms := _PER_MILLISECOND.get(_logical(branch))) is not None:
                    finer[name] = per_ms
    if not finer:
        return writer, finer
    fields = [
        entry | {"type": [_as_millis(branch) for branch in _branches(entry["type"])]}
        if entry["name"] in finer
        else entry
        for entry in writer["fields"]
    ]
    return writer | {"fields": fields}, finer


def _as_millis(branch: Any) -> Any:
    return branch | {"logicalType": _MILLIS} if _logical(branch) in _PER_MILLISECOND else branch


def _nullable(reader: Any, writer: Any) -> dict[str, Any]:
    """Return the fields that only the writer lets be null, with what a null is read as."""
    written, found = _fields(writer), dict[str, Any]()
    for name, entry in _fields(reader).items():
        if isinstance(entry["type"], list) or name not in written:
            continue
        if "null" in _branches(written[name]["type"]):
            type_ = entry["type"]
            kind = type_["type"] if isinstance(type_, dict) else type_
            instead = type_["default"] if kind == "enum" else _EMPTY.get(kind)
            if (instead := entry.get("default", instead)) is not None:
                found[name] = instead
    return found


def _allowing_null(reader: Any, nullable: Mapping[str, Any]) -> Any:
    fields = [
        {key: part for key, part in entry.items() if key != "default"}
        | {"type": ["null", entry["type"]]}
        if entry["name"] in nullable
        else entry
        for entry in reader["fields"]
    ]
    return reader | {"fields": fields}
