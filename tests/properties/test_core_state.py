"""State: sums that do not mind the order, exact storage, and bounds that nobody breaks."""

from __future__ import annotations

from array import array
from random import Random
from typing import Any

import msgspec
import pytest
from cramjam import lz4
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import CustomerEvent, OrderLine
from streams.analysis.state_view import view
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.codec import (
    SCHEMA_VERSION,
    StateError,
    decode_customer,
    encode_customer,
)
from streams.core.state.customer import CustomerState
from streams.core.state.decay import ERA_SLOTS, FAMILY_SUM_SLOTS, SUM_SLOTS, decayed_value
from streams.core.state.layout import (
    FAMILY,
    HEAD,
    LATEST,
    MAX_STATE_BYTES,
    TOTALS,
)
from streams.core.state.packing import split_halves
from streams.core.units import (
    DAY_MS,
)
from tests.support.events import NOON_MS, Feed
from tests.support.made_up import Step, play, steps
from tests.support.shops import SHOP_TOMORROW, LeaningVersions, load

CATALOGUES = [load(), load(SHOP_TOMORROW)]
VERSIONS = LeaningVersions(*CATALOGUES)
TIMERS = Timers()
# Of a sum 21 bits are kept, each time something is added: here up to 60 times.
SUM_DIGITS = 2e-5
# Three years: beyond every landmark of 64 hours and 64 days, and far into that of 64 months.
SPAN_MS = 3 * 365 * DAY_MS


def events_of(seed: int, length: int, customer: str = "ada") -> list[CustomerEvent]:
    """Make up events in the order of a feed, with times all over three years."""
    chance, feed = Random(seed), Feed()
    events: list[CustomerEvent] = []
    for _ in range(length):
        at_ms = NOON_MS + chance.randrange(SPAN_MS)
        family = chance.choice(("tea", "coffee", "cocoa", None))
        events.append(
            chance.choice(
                (
                    lambda at=at_ms, f=family: feed.click(customer, at, family=f, dwell_ms=1234),
                    lambda at=at_ms, f=family: feed.click(customer, at, "search", family=f),
                    lambda at=at_ms, f=family: feed.order(customer, at, OrderLine("p", f, 3, 199)),
                    lambda at=at_ms: feed.order(customer, at, kind="refund"),
                    lambda at=at_ms: feed.support(customer, at, "opened"),
                    lambda at=at_ms: feed.outcome(customer, at, "accept", "nobody's"),
                )
            )()
        )
    return events


def folded(events: list[CustomerEvent]) -> CustomerState:
    state = CustomerState()
    for event in events:
        fold(state, event, TIMERS)
    return state


def sums(state: CustomerState, at_ms: int) -> dict[str, float]:
    """Return every decayed sum at a time, so that different landmarks compare."""
    found = {}
    for half_life, slots in enumerate(SUM_SLOTS):
        era = state.head[ERA_SLOTS[half_life]]
        for slot in slots:
            found[f"head/{slot}"] = decayed_value(state.head[slot], era, half_life, at_ms)
        for name, row in state.families.items():
            for slot in FAMILY_SUM_SLOTS[half_life]:
                found[f"{name}/{slot}"] = decayed_value(row[slot], era, half_life, at_ms)
    return found


def order_free(state: CustomerState) -> dict[str, float]:
    names = [f"latest_{n}" for n in LATEST if n != "carted"] + [f"total_{n}" for n in TOTALS]
    return {name: state.number(name) for name in (*names, "first_seen_ms")}


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_sums_do_not_depend_on_the_order_of_arrival(seed: int, length: int) -> None:
    events = events_of(seed, length)
    shuffled = list(events)
    Random(seed + 1).shuffle(shuffled)
    a, b = folded(events), folded(shuffled)
    end_ms = NOON_MS + SPAN_MS
    assert sums(a, end_ms) == pytest.approx(sums(b, end_ms), rel=SUM_DIGITS, abs=0.0)
    assert order_free(a) == order_free(b)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 40))
def test_folding_two_identities_and_merging_is_folding_one(seed: int, of_a: int, of_b: int) -> None:
    events = events_of(seed, of_a + of_b)
    merged = merge(folded(events[:of_a]), folded(events[of_a:]))
    together = folded(events)
    end_ms = NOON_MS + SPAN_MS
    assert sums(merged, end_ms) == pytest.approx(sums(together, end_ms), rel=SUM_DIGITS, abs=0.0)
    assert order_free(merged) == order_free(together)
    assert merged.number("due_gone_quiet_ms") == together.number("due_gone_quiet_ms")


@settings(max_examples=25)
@given(steps(customers=2))
def test_merging_is_symmetric_bounded_and_leaves_both_alone(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES).log
    a = log.store.states.get("customer-0", CustomerState())
    b = log.store.states.get("customer-1", CustomerState())
    before = encode_customer(a), encode_customer(b)
    one, other = merge(a, b), merge(b, a)
    assert_near(one, other)
    assert (encode_customer(a), encode_customer(b)) == before
    assert len(encode_customer(one)) < MAX_STATE_BYTES
    assert decode_customer(encode_customer(one)) == one


def assert_near(one: CustomerState, other: CustomerState) -> None:
    """Equal, apart from the last bits of sums."""
    assert list(one.head) == pytest.approx(list(other.head), rel=1e-12, abs=0.0)
    assert list(one.families) == list(other.families)
    for name, row in one.families.items():
        assert list(row) == pytest.approx(list(other.families[name]), rel=1e-12, abs=0.0)
    for slot in CustomerState.__slots__:
        if slot not in ("head", "families"):
            assert getattr(one, slot) == getattr(other, slot), slot


@settings(max_examples=25)
@given(steps())
def test_what_is_stored_is_read_back_exactly(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES).log
    for state in log.store.states.values():
        data = encode_customer(state)
        again = decode_customer(data)
        assert again == state
        assert again.head.tobytes() == state.head.tobytes()
        assert encode_customer(again) == data


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_bytes_that_are_no_state_are_refused_and_never_half_read(junk: bytes, cut: int) -> None:
    whole = encode_customer(folded(events_of(1, 20)))
    for data in (junk, whole[:cut], whole[: cut % len(whole)] + junk):
        if data == whole:
            continue
        try:
            state = decode_customer(data)
        except StateError:
            continue
        assert len(state.head) == len(HEAD)
        assert all(len(row) == len(FAMILY) for row in state.families.values())


def fields_of(data: bytes) -> list[Any]:
    """Return the fields of a stored state; behind its due time it says how it is packed."""
    fields: list[Any] = msgspec.msgpack.decode(bytes(lz4.decompress_block(data[10:])))
    return fields


def test_a_state_of_a_newer_release_is_refused_with_what_to_do() -> None:
    data = encode_customer(CustomerState())
    fields = fields_of(data)
    fields[0] += 1
    with pytest.raises(StateError, match="newer release"):
        decode_customer(data[:8] + msgspec.msgpack.encode([*fields, "a field of the future"]))


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_rows_of_an_older_and_shorter_layout_have_zeros_behind_them(version: int) -> None:
    state = folded(events_of(3, 30))
    data = encode_customer(state)
    fields = fields_of(data)
    names, head_width, family_width = fields[3], len(HEAD) - 12, len(FAMILY) - 2
    short = [1.0 + place for place in range(head_width)]
    head, families = array("d", short), array("d", [2.0] * family_width * len(names))
    if version >= 3:
        fields[2], fields[4] = split_halves(head, [families])
    else:
        # The first version began its head with a bitmap of the slots that are not 0.
        bitmap = b"\xff" * ((head_width + 7) // 8) if version == 1 else b""
        fields[2], fields[4] = bitmap + head.tobytes(), families.tobytes()
        fields[6], fields[7] = [17, 2**64 - 1], {"clickstream/7": 3}
    fields[0], fields[16:18] = version, [head_width, family_width]
    again = decode_customer(data[:8] + msgspec.msgpack.encode(fields))
    assert list(again.head) == short + [0.0] * 12
    assert [list(row) for row in again.families.values()] == [
        [2.0] * family_width + [0.0, 0.0] for _ in names
    ]


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_a_hostile_stream_does_not_grow_a_state_past_its_bound(seed: int) -> None:
    """Every text as long as an event may carry, four bytes a character, each one different."""
    chance, feed = Random(seed), Feed(partitions=60)

    def text(chars: int = 256) -> str:
        return "".join(chr(0x1F300 + chance.randrange(200)) for _ in range(chars))

    makers = (
        lambda at: feed.click("x", at, "add_to_cart", product=text(128), family=text()),
        lambda at: feed.order("x", at, *(OrderLine(text(128), text(), 1e6, 10**10),) * 3),
        lambda at: feed.support("x", at, ticket_id=text(128), family=text()),
        lambda at: feed.profile("x", at, "preference", subject=text(), weight=0.3, value=text()),
        lambda at: feed.profile("x", at, "survey_answer", subject=text(), value=text()),
        lambda at: feed.profile("x", at, "contact_setting", time_zone="A" * 64),
        lambda at: feed.outcome("x", at, "unsubscribe", "?", channel="other"),
    )
    state = CustomerState()
    for number in range(300):
        late_ms = chance.choice((0, 0, DAY_MS))
        fold(state, chance.choice(makers)(NOON_MS + number * 60_000 - late_ms), TIMERS)
    assert len(encode_customer(state)) < MAX_STATE_BYTES
    assert decode_customer(encode_customer(state)) == state
    view(state, NOON_MS)


@settings(max_examples=10)
@given(steps())
def test_a_state_can_be_read_by_people(made: list[Step]) -> None:
    for state in play(made, VERSIONS, CATALOGUES).log.store.states.values():
        shown = view(state, NOON_MS + 10 * DAY_MS)
        assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
        assert not _blank_in(shown)


def _blank_in(value: object) -> bool:
    if isinstance(value, dict):
        return any(inner in ({}, [], None) or _blank_in(inner) for inner in value.values())
    return False
