"""What events of each input topic consist of, read from the topic's schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.bundled import bundled_schemas, full_schema
from schemas.records import Origin, Rejection
from schemas.topics import INPUTS
from schemas.wire import encode_event
from streams.core.admission.admit import admit


@dataclass(frozen=True)
class Fields:
    """The fields of a record: Avro type by name, and the names that every event must have."""

    types: Mapping[str, Any]
    required: frozenset[str]


def input_topics() -> tuple[str, ...]:
    """Return the names of the topics that a feed may write."""
    return tuple(topic.name for topic in INPUTS)


@cache
def topic_fields(topic: str) -> Fields:
    """Return the fields of a topic's events."""
    return fields_of(full_schema(topic))


def fields_of(record: Mapping[str, Any]) -> Fields:
    """Return the fields of an Avro record."""
    return Fields(
        {field["name"]: field["type"] for field in record["fields"]},
        frozenset(field["name"] for field in record["fields"] if "default" not in field),
    )


def problem_of(topic: str, event: dict[str, Any], seen_at_ms: int) -> str | None:
    """Say why the input side would refuse an event that arrives at `seen_at_ms`, or None."""
    try:
        value = encode_event(topic, event)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return f"does not fit the {topic} schema: {error}"
    verdict = admit(topic, value, Origin(topic, 0, 0, seen_at_ms), bundled_schemas())
    return f"{verdict.reason}: {verdict.detail}" if isinstance(verdict, Rejection) else None
