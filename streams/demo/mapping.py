"""How a log's map says which files are read: format, zone and files that are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.mapping_file import Document, unknown

FORMATS = ("csv", "jsonl", "avro", "parquet")


@dataclass(frozen=True)
class Lookup:
    """A further file whose `columns` are added to each row that has its `key` in `column`.

    A relative `file` stands beside the source. Added columns are named `<name>.<column>`.
    """

    name: str
    file: str
    key: str
    column: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """How to read the file; `format` None means by the end of its name."""

    format: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"


def compile_zone(document: Document, name: Any) -> ZoneInfo:
    """Return the zone of times that name none."""
    try:
        return ZoneInfo(document.text(name, "zone"))
    except (KeyError, ValueError, OSError):
        document.fail("zone", f"`{name}` is no IANA time zone, such as Europe/London")


def compile_source(document: Document, node: Any) -> Source:
    """Return how the file is to be read."""
    table = document.table(node, "source", ("format", "delimiter", "encoding"))
    form = table.get("format")
    if form is not None and form not in FORMATS:
        document.fail("source.format", unknown(str(form), FORMATS))
    delimiter = document.text(table.get("delimiter", ","), "source.delimiter")
    if len(delimiter) != 1:
        document.fail("source.delimiter", "must be one character")
    encoding = document.text(table.get("encoding", "utf-8"), "source.encoding")
    try:
        "".encode(encoding)
    except LookupError:
        document.fail("source.encoding", f"`{encoding}` is no encoding Python knows")
    return Source(form, delimiter, encoding)


def compile_lookups(document: Document, node: Any) -> tuple[Lookup, ...]:
    """Return the further files that rows are joined with."""
    lookups = []
    for name, entry in document.table(node, "lookups").items():
        path = f"lookups.{name}"
        table = document.table(entry, path, ("file", "key", "column", "columns"))
        key = document.text(table.get("key"), f"{path}.key")
        columns = document.items(table.get("columns"), f"{path}.columns")
        lookups.append(
            Lookup(
                name=name,
                file=document.text(table.get("file"), f"{path}.file"),
                key=key,
                column=document.column(table.get("column", key), f"{path}.column"),
                columns=tuple(
                    document.text(column, f"{path}.columns.{number}")
                    for number, column in enumerate(columns)
                ),
            )
        )
    return tuple(lookups)
