"""Histories of one customer, fed to the engine as often as a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from schemas.records import CustomerEvent, OrderLine
from streams.core.state.customer import CustomerState
from streams.core.units import DAY_MS
from tests.support.events import NOON_MS, Feed, numbered
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

CUP = OrderLine("cup", "tea", 1.0, 900)


def heard(*events: CustomerEvent, state: CustomerState | None = None) -> tuple[CustomerState, int]:
    """Let the engine hear of events; return the state and how many counted."""
    log = Log(MemoryVersions(load()))
    if state is not None:
        log.store.put("ada", state)
        start = state.applied_offset + 1
    else:
        start = 0
    out = log.play(numbered(list(events), start))
    return log.store.states["ada"], out.notes["folded"]


def again(feed: Feed, events: Iterable[CustomerEvent]) -> list[CustomerEvent]:
    return [feed.again(event) for event in events]


def shuffled(events: Sequence[CustomerEvent], seed: int) -> list[CustomerEvent]:
    mixed = list(events)
    Random(seed).shuffle(mixed)
    return mixed


def days_of(feed: Feed, count: int, kinds: Sequence[str] = ("order",)) -> list[CustomerEvent]:
    return [
        feed.order("ada", NOON_MS + day * DAY_MS, CUP, kind=kinds[day % len(kinds)])
        for day in range(count)
    ]
