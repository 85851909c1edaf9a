"""What events of each input topic consist of, read from the topic's schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.bundled import bundled_schemas, full_schema
from schemas.records import Origin, Rejection
from schemas.topics import INPUTS
from schemas.wire import encode_event
from streams.core.admit import admit


@dataclass(frozen=True)
class TopicFields:
    """Names of a record's fields; `lines` are those of an order line, where there are lines."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    lines: TopicFields | None = None


def input_topics() -> tuple[str, ...]:
    """Return the names of the topics that a feed may write."""
    return tuple(topic.name for topic in INPUTS)


@cache
def topic_fields(topic: str) -> TopicFields:
    """Return the fields of a topic's events; `lines` itself is kept apart."""
    return _fields_of(full_schema(topic))


def _fields_of(schema: dict[str, Any]) -> TopicFields:
    lines = next((f for f in schema["fields"] if f["name"] == "lines"), None)
    fields = [field for field in schema["fields"] if field["name"] != "lines"]
    return TopicFields(
        names=tuple(field["name"] for field in fields),
        required=tuple(field["name"] for field in fields if "default" not in field),
        lines=_fields_of(lines["type"]["items"]) if lines else None,
    )


def problem_of(topic: str, event: dict[str, Any], seen_at_ms: int) -> str | None:
    """Say why the input side would refuse an event that arrives at `seen_at_ms`, or None."""
    try:
        value = encode_event(topic, event)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return f"does not fit the {topic} schema: {error}"
    verdict = admit(topic, value, Origin(topic, 0, 0, seen_at_ms), bundled_schemas())
    return f"{verdict.reason}: {verdict.detail}" if isinstance(verdict, Rejection) else None
