"""The schemas that come with Concierge, and what it takes to read with them.

Every version that was ever published keeps its id for good: the current ones lie in `avro/`,
all of them, under "name.id.avsc", in `previous/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import fastavro

from schemas.resolution import Reader, plain_of, prepare
from schemas.resolution import WriterSchema as WriterSchema

_HERE = Path(__file__).parent

# Schema name -> id of its current version, used where there is no registry. A changed schema
# takes the next free id here, and a copy in `previous/`; no id is ever used again. A change of
# docs alone keeps its id: bytes are written and read as before.
BUNDLED_IDS: Mapping[str, int] = {
    "clickstream": 14,
    "purchases": 2,
    "support": 3,
    "profile": 13,
    "outcomes": 5,
    "next-best-actions": 15,
    "decisions": 11,
}


class SchemaSource(Protocol):
    """Knows the schemas behind the ids that values name."""

    def find(self, schema_id: int) -> WriterSchema | None:
        """Return the schema with this id, None for an unknown one.

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


def prepare_writer(schema_json: str, referenced: Sequence[str] = ()) -> WriterSchema:
    """Prepare a writer's schema, given as JSON text with the texts of what it refers to.

    Never raises on a bad one: the result's `problem` then says what is wrong with it.
    """
    return prepare(schema_json, referenced, _readers())


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
    return plain_of(full_schema(name))


@cache
def _readers() -> dict[str, Reader]:
    records = [Reader(name, full_schema(name), plain_schema(name)) for name in BUNDLED_IDS]
    return {record.full["name"].rpartition(".")[2]: record for record in records}
