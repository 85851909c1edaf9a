"""A mapping: how the rows of somebody's file become events of one input topic.

See `deploy/feeds/` for whole examples. The keys of a mapping file:

    topic      the input topic, e.g. purchases
    source     format (else by the file's name), delimiter, encoding
    zone       IANA zone of times that name none (default UTC)
    lookups    further files, joined by key: {name: {file, key, column, columns}}
    keep       a condition; other rows are left out and counted
    group_by   columns: rows that stand together with equal values become one event
    fields     field of the event -> where its value comes from
    lines      the same for each row's order line (purchases)
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.contract import TopicFields, input_topics, topic_fields
from streams.demo.expressions import Condition, Value, compile_condition, compile_value
from streams.demo.mapping_file import Document, parse_document, read_document, unknown

FORMATS = ("csv", "jsonl", "avro", "parquet")
_KEYS = ("topic", "source", "zone", "lookups", "keep", "group_by", "fields", "lines")


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


@dataclass(frozen=True)
class Mapping:
    """A checked mapping. `lines` is empty unless the topic has order lines.

    `columns` are all that it names, those of lookups (`products.department`) included.
    """

    name: str
    topic: str
    source: Source
    lookups: tuple[Lookup, ...]
    keep: Condition | None
    group_by: tuple[str, ...]
    fields: MappingOf[str, Value]
    lines: MappingOf[str, Value]
    columns: frozenset[str]


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in a file; MappingError says what is wrong with file, line and path."""
    return compile_mapping(read_document(path))


def parse_mapping(name: str, text: str) -> Mapping:
    """Return the mapping in a text; `name` stands for the file in errors."""
    return compile_mapping(parse_document(name, text))


def compile_mapping(document: Document) -> Mapping:
    """Return the mapping a document describes."""
    table = document.table(document.value, "", _KEYS)
    topic = document.text(table.get("topic"), "topic")
    if topic not in input_topics():
        document.fail("topic", unknown(topic, input_topics()))
    zone = compile_zone(document, table.get("zone", "UTC"))
    known = topic_fields(topic)
    fields = _fields(document, table.get("fields"), "fields", known, zone)
    lines: dict[str, Value] = {}
    if known.lines is not None:
        lines = _fields(document, table.get("lines"), "lines", known.lines, zone)
    elif "lines" in table:
        document.fail("lines", f"events of {topic} have no lines")
    keep = table.get("keep")
    condition = None if keep is None else compile_condition(document, keep, "keep")
    group_by = document.items(table.get("group_by", []), "group_by")
    if group_by and known.lines is None:
        document.fail("group_by", f"only events with lines are made of several rows, not {topic}")
    lookups = compile_lookups(document, table.get("lookups", {}))
    grouping = tuple(
        document.column(column, f"group_by.{number}") for number, column in enumerate(group_by)
    )
    return Mapping(
        name=document.name,
        topic=topic,
        source=compile_source(document, table.get("source", {})),
        lookups=lookups,
        keep=condition,
        group_by=grouping,
        fields=fields,
        lines=lines,
        columns=frozenset(document.columns),
    )


def _fields(
    document: Document, node: Any, path: str, known: TopicFields, zone: ZoneInfo
) -> dict[str, Value]:
    table = document.table(node, path, known.names)
    for name in known.required:
        if name not in table:
            document.fail(path, f"`{name}` is required and missing")
    return {
        name: compile_value(document, entry, f"{path}.{name}", zone)
        for name, entry in table.items()
    }


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
