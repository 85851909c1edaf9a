"""Whether one schema can read what another wrote, and what a new version would break.

`unreadable` follows the resolution rules of the Avro 1.11 specification ("Schema Resolution"):
named types are compared without their namespaces, and numbers are widened. In one thing it is
stricter: a logical type that says another unit (microseconds, a decimal) is not read as a plain
number, because a reader would silently take the one for the other. What logical types of no unit
say (`uuid`, names of others) is ignored, as Avro asks, and so is that one is missing.
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
# Logical types that say a unit or a scale, and what reads them besides a reader of the same:
# milliseconds are what plain numbers of ours are in.
_PLAIN = {"timestamp-millis", "time-millis"}
_OF_A_UNIT = {
    *("date", "decimal", "duration", "time-millis", "time-micros", "timestamp-millis"),
    *("timestamp-micros", "timestamp-nanos", "local-timestamp-millis", "local-timestamp-micros"),
    "local-timestamp-nanos",
}


def unreadable(reader: Schema, writer: Schema) -> list[str]:
    """Return what keeps `reader` from reading data of `writer`, as "path: problem" lines."""
    return list(_Pair(_names(reader), _names(writer)).problems(reader, writer, "record"))


def broken_promises(new: Schema, old: Schema) -> list[str]:
    """Return everything that replacing `old` by `new` would break, in either direction.

    Full compatibility (each reads the other), and beyond it: names keep their namespaces, logical
    types stay, and a symbol that was published may not be taken away. Avro would read it as the
    enum's default, and its events would be refused.
    """
    found: list[str] = []
    for reader, writer, what in (
        (new, old, "new cannot read old"),
        (old, new, "old cannot read new"),
    ):
        pair = _Pair(_names(reader), _names(writer), exact=True)
        found += [f"{what}: {problem}" for problem in pair.problems(reader, writer, "record")]
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
    return _Sizes(_names(schema)).least_bytes(schema) is not None


@dataclass(frozen=True, slots=True)
class _Pair:
    """`exact` is for two versions of one schema: names and logical types must be the same."""

    reader_names: dict[str, Schema]
    writer_names: dict[str, Schema]
    exact: bool = False

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
                yield _mismatch(path, reader, writer)
        elif not self._is_same_unit(_logical(reader), _logical(writer)):
            yield _mismatch(path, reader, writer)
        elif (wants := _kind(reader)) != (has := _kind(writer)):
            if wants not in _PROMOTIONS.get(has, ()):
                yield _mismatch(path, reader, writer)
        else:
            yield from self._alike(wants, reader, writer, path, inside)

    def _is_same_unit(self, wanted: str | None, has: str | None) -> bool:
        if wanted == has:
            return True
        if self.exact:
            return False
        if wanted in _OF_A_UNIT:
            # What carries no unit at all is held to the range of the field, value by value.
            return has not in _OF_A_UNIT
        return has not in _OF_A_UNIT or has in _PLAIN

    def _is_same_name(self, reader: Schema, writer: Schema) -> bool:
        ours, theirs = str(reader["name"]), str(writer["name"])
        if self.exact:
            return ours == theirs
        known = {_unqualified(ours), *(_unqualified(alias) for alias in reader.get("aliases", ()))}
        return _unqualified(theirs) in known

    def _alike(
        self, kind: str, reader: Schema, writer: Schema, path: str, inside: frozenset[str]
    ) -> Iterator[str]:
        if kind in _NAMED and not self._is_same_name(reader, writer):
            yield _mismatch(path, reader, writer)
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
                wants = _said(_resolve(entry["type"], self.reader_names))
                yield f"{where}: the writer has no such field, and the reader's {wants} no default"


def _mismatch(path: str, reader: Schema, writer: Schema) -> str:
    return f"{path}: the writer's {_said(writer)} cannot be read as the reader's {_said(reader)}"


def _said(schema: Schema) -> str:
    """Return a type as people write it: with its name, or its logical type."""
    if isinstance(schema, list):
        return " or ".join(_said(branch) for branch in schema)
    kind, logical = _kind(schema), _logical(schema)
    if isinstance(schema, dict) and "name" in schema:
        kind = f"{kind} {schema['name']}"
    return f"{kind} ({logical})" if logical else kind


class _Sizes:
    """The fewest bytes a value of a type takes; each record is measured once."""

    def __init__(self, names: dict[str, Schema]) -> None:
        self._names = names
        self._known: dict[str, int | None] = {}

    def least_bytes(self, schema: Schema) -> int | None:
        """Return the fewest bytes, None where reading a value is unbounded."""
        schema = _resolve(schema, self._names)
        if isinstance(schema, list):
            sizes = [self.least_bytes(branch) for branch in schema]
            return None if None in sizes else 1
        kind = _kind(schema)
        if kind == "null":
            return 0
        if kind == "fixed":
            return int(schema["size"])
        if kind == "array":
            return 1 if self.least_bytes(schema["items"]) else None
        if kind == "map":
            return None if self.least_bytes(schema["values"]) is None else 1
        return self._of_record(schema) if kind in ("record", "error") else 1

    def _of_record(self, schema: Schema) -> int | None:
        name = schema["name"]
        if name not in self._known:
            # Met again while it is being measured, it holds itself.
            self._known[name] = None
            fields = [self.least_bytes(entry["type"]) for entry in schema["fields"]]
            self._known[name] = None if None in fields else sum(size or 0 for size in fields)
        return self._known[name]


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


def _unqualified(name: str) -> str:
    return name.rpartition(".")[2]


def _is_enum(schema: Schema) -> bool:
    return bool(schema["type"] == "enum")
