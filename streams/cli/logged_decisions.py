"""What was logged, read from its topics: decisions, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event

from schemas.records import LESSON_DECODER, Decision
from schemas.topics import DECISIONS, LESSONS
from schemas.wire import decode_decision
from streams.analysis.settled_decisions import Outcomes
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.newest_offsets import offsets_of_newest
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.settings.settings import Settings


def logged_decisions(settings: Settings, limit: int) -> Iterator[Decision]:
    """Yield the newest decisions, each once, in order per customer."""
    client, topic = librdkafka_config(settings), settings.topic_prefix + DECISIONS.name
    schemas = RegistrySchemas(settings) if settings.schema_registry_url else None
    partitions = partitions_of(client, topic)
    starts = offsets_of_newest(client, topic, partitions, -(-limit // len(partitions)))
    seen: set[str] = set()
    for messages in read_to_end(client, topic, partitions, Event(), starts):
        for message in messages:
            decision = decode_decision(message.value() or b"", schemas)
            # A repeat after a crash is the same decision with the same content.
            if decision.decision_id not in seen:
                seen.add(decision.decision_id)
                yield decision


def logged_outcomes(settings: Settings, wanted: Callable[[str], bool]) -> Outcomes:
    """Return what settled decisions were rewarded with, of those that are wanted by their id."""
    client, topic = librdkafka_config(settings), settings.topic_prefix + LESSONS.name
    outcomes = Outcomes()
    for messages in read_to_end(client, topic, partitions_of(client, topic), Event()):
        for message in messages:
            lesson = LESSON_DECODER.decode(message.value() or b"")
            outcomes.note(lesson, wanted(lesson.decision_id))
    return outcomes
