"""Logged decisions and their outcomes, read from the topics `decisions` and `lessons`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schemas.records import LESSON_DECODER, Decision
from schemas.topics import DECISIONS, LESSONS
from schemas.wire import decode_decision
from streams.analysis.settled_decisions import Outcomes
from streams.cli.read_topic import read_topic
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.settings.settings import Settings


def logged_decisions(settings: Settings, limit: int) -> Iterator[Decision]:
    """Yield about `limit` of the newest decisions, each once, in order per customer."""
    schemas = RegistrySchemas(settings) if settings.schema_registry_url else None
    seen: set[str] = set()
    for messages in read_topic(settings, DECISIONS, newest=limit):
        for message in messages:
            decision = decode_decision(message.value() or b"", schemas)
            # After a crash a decision may be on its topic twice, with the same content.
            if decision.decision_id not in seen:
                seen.add(decision.decision_id)
                yield decision


def logged_outcomes(settings: Settings, wanted: Callable[[str], bool]) -> Outcomes:
    """Return the rewards of the settled decisions for whose id `wanted` is true."""
    outcomes = Outcomes()
    for messages in read_topic(settings, LESSONS):
        for message in messages:
            lesson = LESSON_DECODER.decode(message.value() or b"")
            outcomes.note(lesson, wanted(lesson.decision_id))
    return outcomes
