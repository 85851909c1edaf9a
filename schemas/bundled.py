"""The schemas that come with Concierge, and what it takes to read with them.

Every version that was ever published keeps its id for good: the current ones lie in `avro/`,
all of them, under "name.id.avsc", in `previous/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from schemas.compatibility import is_bounded, unreadable

_SCHEMA_ERRORS = (SchemaParseException, UnknownType)
_HERE = Path(__file__).parent

# Schema name -> id of its current version, used where there is no registry. A changed schema
# takes the next free id here, and a copy in `previous/`; no id is ever used again. A change of
# docs alone keeps its id: bytes are written and read as before.
BUNDLED_IDS: Mapping[str, int] = {
    "clickstream": 1,
    "purchases": 2,
    "support": 3,
    "profile": 13,
    "outcomes": 5,
    "next-best-actions": 12,
    "decisions": 11,
}


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A schema that records were written with, prepared for reading.

    `name` is the name of our schema it belongs to, None when it is no record of ours. `parsed`
    is what the bytes are read with; `resolve_to` is our schema when the two differ. `problem`
    says why its records cannot be read; None when they can.
    """

    name: str | None
    parsed: Any
    resolve_to: Any
    problem: str | None


class SchemaSource(Protocol):
    """Knows the schemas behind the ids that values name."""

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the schema with this id, None when nobody knows it.

        A source that cannot tell right now (a registry that is down) raises.
        """


class BundledSchemas:
    """The source for an installation without a registry: every version published so far."""

    def __init__(self) -> None:
        self._known = {
            int(path.name.split(".")[1]): prepare_writer(path.read_text("utf-8"))
            for path in previous_files()
        }

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the schema with this id, None when there is none."""
        return self._known.get(schema_id)


@cache
def bundled_schemas() -> BundledSchemas:
    """Return the bundled source; its files are read once."""
    return BundledSchemas()


def prepare_writer(schema_json: str) -> WriterSchema:
    """Prepare a writer's schema, given as JSON text.

    Never raises on a bad one: the result's `problem` then says what is wrong with it.
    """
    try:
        parsed: Any = fastavro.parse_schema(json.loads(schema_json))
    except (ValueError, TypeError, KeyError, RecursionError, *_SCHEMA_ERRORS) as error:
        return WriterSchema(None, None, None, f"the schema is no valid Avro schema: {error}")
    full_name = parsed.get("name") if isinstance(parsed, dict) else None
    name = _names_by_record().get(str(full_name))
    if name is None:
        return WriterSchema(None, None, None, None)
    reader = full_schema(name)
    problems = unreadable(reader, parsed)
    if not problems and not is_bounded(parsed):
        problems = ["record: holds itself, or an array of items without bytes"]
    plain, ours = _plain(parsed), plain_schema(name)
    return WriterSchema(name, plain, None if plain == ours else ours, "; ".join(problems) or None)


def schema_text(name: str) -> str:
    """Return the current schema as compact JSON: what is registered, always the same bytes."""
    text = (_HERE / "avro" / f"{name}.avsc").read_text("utf-8")
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


def previous_files() -> list[Path]:
    """Return the files of every published version, named "name.id.avsc"."""
    return sorted((_HERE / "previous").glob("*.avsc"))


@cache
def full_schema(name: str) -> Any:
    """Return the current schema, parsed, with its logical types."""
    return fastavro.parse_schema(json.loads(schema_text(name)))


@cache
def plain_schema(name: str) -> Any:
    """Return the current schema, parsed, without docs and logical types: times are integers."""
    return _plain(full_schema(name))


@cache
def _names_by_record() -> dict[str, str]:
    return {full_schema(name)["name"]: name for name in BUNDLED_IDS}


def _plain(schema: Any) -> Any:
    # Turning milliseconds into datetimes costs a third more, and raises for the year 10000.
    return fastavro.parse_schema(_stripped(schema))


def _stripped(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_stripped(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = ("doc", "logicalType", "__fastavro_parsed", "__named_schemas")
    nested = ("type", "items", "values", "fields")
    return {
        key: _stripped(value) if key in nested else value
        for key, value in schema.items()
        if key not in dropped
    }
