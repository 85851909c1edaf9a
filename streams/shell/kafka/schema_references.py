"""What a registered schema refers to, fetched with everything that this refers to in turn.

A registry keeps shared types (a channel, an address) under subjects of their own; a schema then
names them, and lists subject and version of each. Bounded in number and depth, and a circle is an
error: a registry forbids it, but its content may have been imported.
"""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka.schema_registry import Schema

MAX_REFERENCES = 100
MAX_DEPTH = 10
AVRO = "AVRO"

# Returns the schema of a subject and version; None where the registry has none.
Fetch = Callable[[str, int], Schema | None]
_Place = tuple[str, int]


class UnusableSchema(ValueError):
    """The schema, or one that it refers to, is not there or not Avro; says which and what to do."""


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
    """Return the texts of all that a schema refers to, each behind those it refers to itself.

    Raises `UnusableSchema`, and whatever `fetch` raises.
    """
    texts: dict[_Place, str] = {}

    def follow(of: Schema, path: tuple[_Place, ...]) -> None:
        for reference in of.references or ():
            place = (str(reference.subject), int(reference.version or 0))
            what = f"subject {place[0]!r} version {place[1]}, which it refers to,"
            if place in path:
                raise UnusableSchema(f"{what} refers back to it in a circle")
            if place in texts:
                continue
            if len(path) >= MAX_DEPTH or len(texts) >= MAX_REFERENCES:
                raise UnusableSchema(
                    f"it refers to more than {MAX_REFERENCES} schemas, or more than {MAX_DEPTH} "
                    "levels deep"
                )
            found = fetch(*place)
            if found is None:
                raise UnusableSchema(f"{what} is not in the registry")
            text = avro_text(found, what)
            follow(found, (*path, place))
            texts[place] = text

    follow(schema, ())
    return list(texts.values())
