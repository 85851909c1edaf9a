"""Fetch the schemas that a registered schema refers to, and those that they refer to in turn.

A registry keeps shared types (a channel, an address) under subjects of their own; a schema lists
subject and version of each. Number and depth are bounded. A circle is an error: a registry forbids
it, but its content may have been imported.
"""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka.schema_registry import Schema

MAX_REFERENCES = 100
MAX_DEPTH = 10
AVRO = "AVRO"

# Returns the schema of a subject and version; None where the registry has none.
Fetch = Callable[[str, int], Schema | None]
_SubjectVersion = tuple[str, int]


class UnusableSchema(ValueError):
    """The schema, or one that it refers to, is missing or not Avro; the message says which."""


def avro_text(schema: Schema, what: str) -> str:
    """Return the text of an Avro schema; raises `UnusableSchema` for one of another type."""
    kind = schema.schema_type or AVRO
    if kind != AVRO:
        raise UnusableSchema(
            f"{what} is a {kind} schema, and Concierge reads Avro: write the topic with an Avro "
            "serializer, by the schemas that come with Concierge (schemas/avro)"
        )
    return schema.schema_str or ""


def referenced(schema: Schema, fetch: Fetch) -> list[str]:
    """Return the texts of all schemas that one refers to, each after those that it needs itself.

    Raises `UnusableSchema`, and whatever `fetch` raises.
    """
    texts: dict[_SubjectVersion, str] = {}

    def follow(of: Schema, path: tuple[_SubjectVersion, ...]) -> None:
        for reference in of.references or ():
            version = (str(reference.subject), int(reference.version or 0))
            what = f"subject {version[0]!r} version {version[1]}, which it refers to,"
            if version in path:
                raise UnusableSchema(f"{what} refers back to it in a circle")
            if version in texts:
                continue
            if len(path) >= MAX_DEPTH or len(texts) >= MAX_REFERENCES:
                raise UnusableSchema(
                    f"it refers to more than {MAX_REFERENCES} schemas, or more than {MAX_DEPTH} "
                    "levels deep"
                )
            found = fetch(*version)
            if found is None:
                raise UnusableSchema(f"{what} is not in the registry")
            text = avro_text(found, what)
            follow(found, (*path, version))
            texts[version] = text

    follow(schema, ())
    return list(texts.values())
