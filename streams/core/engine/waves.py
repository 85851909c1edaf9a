"""Partitions on their way, side by side: what they ask for at once is decided as one wave."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from streams.core.decision.decider import Decider
from streams.core.decision.decision_records import DecidedWave
from streams.core.decision.due import DecisionDue

# Customers decided for at once; more are decided in turn. A tick may find a million timers due, and
# a wave's matrices take some hundred bytes for each customer and action.
MAX_WAVE = 1_024


class WaveRequest(NamedTuple):
    """Customers of one partition who are due at once, and the decider for them."""

    decider: Decider
    closed: frozenset[str]
    due: Sequence[DecisionDue]


Way = Generator[WaveRequest, Sequence[DecidedWave], None]
"""A partition on its way through a batch: it asks for decisions and goes on with what it gets."""


def run_side_by_side(ways: Sequence[Way]) -> None:
    """Advance all generators to their ends, deciding for those that ask."""
    asking = [(way, asked) for way in ways if (asked := next(way, None)) is not None]
    while asking:
        decided = _decided([asked for _, asked in asking])
        asking = [
            (way, asked)
            for (way, _), got in zip(asking, decided, strict=True)
            if (asked := _sent(way, got)) is not None
        ]


def _sent(way: Way, decided: Sequence[DecidedWave]) -> WaveRequest | None:
    """Let a partition go on; return what it asks for next, None at its end."""
    try:
        return way.send(decided)
    except StopIteration:
        return None


def _decided(asked: Sequence[WaveRequest]) -> list[list[DecidedWave]]:
    """Decide for all requests, in their order, in as few waves as their deciders allow."""
    answers: list[list[DecidedWave]] = [[] for _ in asked]
    groups: dict[tuple[int, frozenset[str]], list[int]] = {}
    for number, each in enumerate(asked):
        groups.setdefault((id(each.decider), each.closed), []).append(number)
    for numbers in groups.values():
        decider, closed, _ = asked[numbers[0]]
        due = [(number, one) for number in numbers for one in asked[number].due]
        for start in range(0, len(due), MAX_WAVE):
            part = due[start : start + MAX_WAVE]
            wave = decider.decide([one for _, one in part], closed)
            for (number, _), decided in zip(part, wave, strict=True):
                answers[number].append(decided)
    return answers
