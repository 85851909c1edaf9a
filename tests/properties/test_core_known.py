"""Laws of the memory of ids: nothing counts twice, and nothing new is lost while there is room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import CustomerEvent
from streams.core.state import counted_ids as known
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.counted_ids import MOST_IDS, kind_of
from streams.core.state.customer import CustomerState
from streams.core.units import SECOND_MS
from tests.support.events import NOON_MS, Feed, numbered
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

SMALL = {kind: 5 for kind in MOST_IDS}
# Kind of event -> the total that counts it.
TOTALS = {"order": "orders", "refund": "refunds", "click": "clicks", "accept": "accepts"}
TOTALS |= {"reject": "rejects"}
CATALOGUE = load()


class Fed(NamedTuple):
    """A history, each event once, and how it was fed: any order, any number of times."""

    history: list[CustomerEvent]
    fed: list[CustomerEvent]


@st.composite
def feeds(draw: st.DrawFn, most: int, kinds: Sequence[str] = tuple(TOTALS)) -> Fed:
    """Draw at most so many events, some of them in one second, fed in any order and repeatedly."""
    feed, history = Feed(), list[CustomerEvent]()
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(kinds))
        at_ms = NOON_MS + draw(st.integers(0, 9)) * SECOND_MS // 2
        if kind in ("order", "refund"):
            history.append(feed.order("ada", at_ms, kind=kind, order_id=f"o{number}"))
        else:
            history.append(feed.outcome("ada", at_ms, kind, f"d{number}"))
    fed, mix = list[CustomerEvent](), Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 4))):
        part = mix.sample(history, mix.randint(1, len(history)))
        fed += [feed.again(event) for event in part]
    fed += [feed.again(event) for event in mix.sample(history, len(history))]
    return Fed(history, fed)


def counts(fed: Sequence[CustomerEvent]) -> dict[str, float]:
    log, half = Log(MemoryVersions(CATALOGUE)), len(fed) // 2
    log.play(numbered(fed[:half]))
    if "ada" in log.store.states:
        state: CustomerState = log.store.states["ada"]
        log.store.put("ada", decode_customer(encode_customer(state)))
    log.play(numbered(fed[half:], half))
    state = log.store.states["ada"]
    for kind, ids in state.known_ids.items():
        assert len(known.entries(ids)) <= known.MOST_IDS[kind]
    return {kind: state.number(f"total_{total}") for kind, total in TOTALS.items()}


@settings(max_examples=150)
@given(feeds(most=20))
def test_nothing_counts_twice_however_often_and_in_whichever_order_it_is_fed(drawn: Fed) -> None:
    sent = Counter(event.kind for event in drawn.history)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "MOST_IDS", SMALL)
        found = counts(drawn.fed)
    assert {kind: n for kind, n in found.items() if n > sent[kind]} == {}
    # Nor is everything refused: as many count as have room.
    rooms = Counter(kind_of(event) for event in drawn.history)
    assert sum(found.values()) >= sum(min(n, 5) for n in rooms.values())


@settings(max_examples=50)
@given(feeds(most=5) | feeds(most=40, kinds=("order", "click", "refund")))
def test_nothing_new_is_lost_while_fewer_are_remembered_than_the_bound_of_their_kind(
    drawn: Fed,
) -> None:
    rooms = Counter(kind_of(event) for event in drawn.history)
    assert all(n <= MOST_IDS[kind] for kind, n in rooms.items() if kind is not None)
    sent = Counter(event.kind for event in drawn.history)
    assert counts(drawn.fed) == {kind: sent[kind] for kind in TOTALS}
