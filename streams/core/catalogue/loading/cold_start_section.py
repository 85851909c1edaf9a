"""How a catalogue has what is new begin: the ramp of actions, and what survey answers tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from streams.core.catalogue.values import Answers, Ramp
from streams.core.state.layout import MAX_NAME_BYTES, MAX_TEXT_BYTES
from streams.core.state.text import shortened
from streams.core.yaml_file.typed_node import Section, TypedNode

KEYS = ("ramp", "answers")

DEFAULT_START_RATIO = 0.02
DEFAULT_FULL_AFTER = 200
MOST_LESSONS = 1_000_000


def read_ramp(section: Section) -> Ramp | None:
    """Return how a new action's reach grows; None when all may get it at once."""
    place = section.get("ramp")
    inside = place.section(("from", "full_after")) if place else None
    if inside is None:
        return None
    lessons = inside.get("full_after")
    return Ramp(
        inside.number("from", 0.001, 1.0, DEFAULT_START_RATIO),
        (lessons.whole(1, MOST_LESSONS) if lessons else None) or DEFAULT_FULL_AFTER,
    )


def read_answers(section: Section, families: Collection[str]) -> Answers:
    """Return how much a survey answer says of liking (-1 to 1) which families."""
    place = section.get("answers")
    answers: dict[str, Mapping[str, Mapping[str, float]]] = {}
    for question, by_answer in ((place.entries() if place else None) or {}).items():
        told: dict[str, Mapping[str, float]] = {}
        for answer, likings in (by_answer.entries() or {}).items():
            # As a customer's state stores it.
            told[shortened(answer, MAX_TEXT_BYTES)] = _read_likings(likings, families)
        answers[shortened(question, MAX_NAME_BYTES)] = MappingProxyType(told)
    return MappingProxyType(answers)


def _read_likings(place: TypedNode, families: Collection[str]) -> Mapping[str, float]:
    section = place.section(families)
    if section is None:
        return {}
    likings = {family: section.number(family, -1.0, 1.0, 0.0) for family in section.entries}
    return MappingProxyType(likings)
