"""Whether one schema can read what another wrote, and what a new version would break.

`unreadable` follows the resolution rules of the Avro 1.11 specification ("Schema Resolution"),
with two additions: logical types must agree, because a reader would silently take microseconds
for milliseconds, and records must agree in their full names, because a topic holds one record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = Any  # parsed JSON: a name, a list (union) or an object

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = {"record", "error", "enum", "fixed"}


def unreadable(reader: Schema, writer: Schema) -> list[str]:
    """Return what keeps `reader` from reading data of `writer`, as "path: problem" lines."""
    return list(_Pair(_names(reader), _names(writer)).problems(reader, writer, "record"))


def broken_promises(new: Schema, old: Schema) -> list[str]:
    """Return everything that replacing `old` by `new` would break, in either direction.

    Full compatibility (each reads the other), and beyond it: a symbol that was published may not
    be taken away. Avro would read it as the enum's default, and its events would be refused.
    """
    found = [f"new cannot read old: {problem}" for problem in unreadable(new, old)]
    found += [f"old cannot read new: {problem}" for problem in unreadable(old, new)]
    kept = {name: schema["symbols"] for name, schema in _names(new).items() if _is_enum(schema)}
    for name, schema in _names(old).items():
        if _is_enum(schema):
            missing = [s for s in schema["symbols"] if s not in kept.get(name, ())]
            found += [f"{name}: symbol {symbol} was taken away" for symbol in missing]
    return found


def is_bounded(schema: Schema) -> bool:
    """Tell whether the size of a payload bounds the work of reading it.

    It does not where a type contains itself (nesting as deep as the payload is long) or where
    an array's items take no bytes (a count of 2**62 in nine bytes).
    """
    return _least_bytes(schema, _names(schema), ()) is not None


@dataclass(frozen=True, slots=True)
class _Pair:
    reader_names: dict[str, Schema]
    writer_names: dict[str, Schema]

    def problems(
        self, reader: Schema, writer: Schema, path: str, inside: frozenset[str] = frozenset()
    ) -> Iterator[str]:
        reader = _resolve(reader, self.reader_names)
        writer = _resolve(writer, self.writer_names)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.problems(reader, branch, path, inside)
        elif isinstance(reader, list):
            fitting = (next(self.problems(r, writer, path, inside), None) is None for r in reader)
            if not any(fitting):
                yield f"{path}: the union holds no type that reads {_kind(writer)}"
        elif _logical(reader) != _logical(writer):
            yield f"{path}: logical type {_logical(writer)} cannot be read as {_logical(reader)}"
        elif (wants := _kind(reader)) != (has := _kind(writer)):
            if wants not in _PROMOTIONS.get(has, ()):
                yield f"{path}: {has} cannot be read as {wants}"
        else:
            yield from self._alike(wants, reader, writer, path, inside)

    def _alike(
        self, kind: str, reader: Schema, writer: Schema, path: str, inside: frozenset[str]
    ) -> Iterator[str]:
        if kind in _NAMED and reader["name"] != writer["name"]:
            yield f"{path}: {writer['name']} is not {reader['name']}"
        elif kind in ("record", "error"):
            # A record met again inside itself is being compared already.
            if reader["name"] not in inside:
                yield from self._record(reader, writer, path, inside | {reader["name"]})
        elif kind == "enum" and "default" not in reader:
            for symbol in [s for s in writer["symbols"] if s not in reader["symbols"]]:
                yield f"{path}: symbol {symbol} is unknown and the enum has no default"
        elif kind == "fixed" and reader["size"] != writer["size"]:
            yield f"{path}: {writer['size']} bytes are not {reader['size']}"
        elif kind == "array":
            yield from self.problems(reader["items"], writer["items"], f"{path}[]", inside)
        elif kind == "map":
            yield from self.problems(reader["values"], writer["values"], f"{path}{{}}", inside)

    def _record(
        self, reader: Schema, writer: Schema, path: str, inside: frozenset[str]
    ) -> Iterator[str]:
        written = {entry["name"]: entry["type"] for entry in writer["fields"]}
        for entry in reader["fields"]:
            where = f"{path}.{entry['name']}"
            names = [n for n in (entry["name"], *entry.get("aliases", ())) if n in written]
            if names:
                yield from self.problems(entry["type"], written[names[0]], where, inside)
            elif "default" not in entry:
                yield f"{where}: not written, and there is no default"


def _least_bytes(schema: Schema, names: dict[str, Schema], inside: tuple[str, ...]) -> int | None:
    """Return the fewest bytes a value takes, None where reading one is unbounded."""
    schema = _resolve(schema, names)
    if isinstance(schema, list):
        sizes = [_least_bytes(branch, names, inside) for branch in schema]
        return None if None in sizes else 1
    kind = _kind(schema)
    if kind == "null":
        return 0
    if kind == "fixed":
        return int(schema["size"])
    if kind == "array":
        return 1 if _least_bytes(schema["items"], names, inside) else None
    if kind == "map":
        return None if _least_bytes(schema["values"], names, inside) is None else 1
    if kind not in ("record", "error"):
        return 1
    if schema["name"] in inside:
        return None
    within = (*inside, schema["name"])
    fields = [_least_bytes(entry["type"], names, within) for entry in schema["fields"]]
    return None if None in fields else sum(size or 0 for size in fields)


def _names(schema: Schema) -> dict[str, Schema]:
    """Return the named types of a schema whose names are full (as fastavro parses them)."""
    if isinstance(schema, list):
        return {name: type_ for branch in schema for name, type_ in _names(branch).items()}
    if not isinstance(schema, dict):
        return {}
    found = {schema["name"]: schema} if schema["type"] in _NAMED else {}
    for entry in schema.get("fields", ()):
        found |= _names(entry["type"])
    for part in ("items", "values"):
        found |= _names(schema.get(part))
    if not isinstance(schema["type"], str):
        found |= _names(schema["type"])
    return found


def _resolve(schema: Schema, names: dict[str, Schema]) -> Schema:
    while isinstance(schema, dict) and not isinstance(schema["type"], str):
        schema = schema["type"]
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Schema) -> str:
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def _logical(schema: Schema) -> str | None:
    return schema.get("logicalType") if isinstance(schema, dict) else None


def _is_enum(schema: Schema) -> bool:
    return bool(schema["type"] == "enum")
