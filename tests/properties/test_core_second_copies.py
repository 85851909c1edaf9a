"""An intake that reads again after a crash sends the same events with another arrival."""

from __future__ import annotations

from copy import copy

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import CustomerEvent, Switch, Tick
from tests.properties.test_core_replay import VERSIONS, apart_from_positions, as_bytes, played
from tests.support.made_up import Step, steps
from tests.support.memory import Log


@settings(max_examples=15)
@given(steps(), st.integers(1, 10 * 86_400_000), st.integers(1, 40))
def test_of_two_copies_with_other_arrivals_the_first_counts(
    made: list[Step], later_ms: int, behind: int
) -> None:
    """On topics that producers stamp, what intake reads again after a crash arrives later."""
    # Wide enough apart that a copy fits between any two.
    records = played(made).records
    first = [(2 * offset, record) for offset, record in records]
    both = first + [
        (2 * (offset + behind) + 1, read_again(record, later_ms))
        for offset, record in records
        if not isinstance(record, Tick | Switch)
    ]
    once, twice = Log(VERSIONS), Log(VERSIONS)
    without, out = once.play(first), twice.play(sorted(both, key=lambda each: each[0]))
    assert as_bytes(out) == as_bytes(without)
    assert once.store.states.keys() == twice.store.states.keys()
    for name, state in twice.store.states.items():
        assert apart_from_positions(state) == apart_from_positions(once.store.states[name])


def read_again(event: CustomerEvent, later_ms: int) -> CustomerEvent:
    """Return what intake would make of a record that it reads again, so much later."""
    again = copy(event)
    arrived_ms = event.origin.seen_at_ms + later_ms
    again.origin = msgspec.structs.replace(
        event.origin, seen_at_ms=arrived_ms, stale=True, late_ms=later_ms
    )
    # Dated ahead of its arrival, an event counts as done on arrival.
    again.at_ms += later_ms
    return again
