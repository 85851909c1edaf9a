"""Bad input through a real worker: each kind has its fate, and the worker lives on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from schemas.dead_letter_record import DeadLetter, read_dead_letter
from schemas.topics import CLICKSTREAM, DEAD_LETTERS
from schemas.wire import encode_event
from streams.core.state.codec import decode_customer
from streams.core.state.customer import CustomerState
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.process.serve import EXIT_FAILED, EXIT_OK
from tests.integration.world import Given, World
from tests.integration.world_bad_input import SPOILT, order_of
from tests.support.events import NOON_MS

_ORDERS = {
    "no_number": (math.nan, "not_finite"),
    "endless": (math.inf, "not_finite"),
    "less_than_nothing": (-3.0, "value_out_of_range"),
    "more_than_there_is": (1e300, "value_out_of_range"),
}
_MINUTE_MS = 60_000


def _event(customer: str, event_id: str, at_ms: int = NOON_MS, **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "customer_id": customer,
        "occurred_at": at_ms,
        "kind": "view",
        **more,
    }


def _view(customer: str, event_id: str, at_ms: int = NOON_MS, key: bytes | None = b"k") -> Given:
    event = _event(customer, event_id, at_ms, family="tea")
    return Given(CLICKSTREAM.name, key, encode_event(CLICKSTREAM.name, event))


def _bad() -> dict[str, Given]:
    """Return every kind of bad record, under its name and with a key of its own."""
    made = {
        name: Given(CLICKSTREAM.name, f"key of {name}".encode(), spoil(_event("bad", name)), reason)
        for name, reason, spoil in SPOILT
    }
    for name, (quantity, reason) in _ORDERS.items():
        key = f"key of {name}".encode()
        made[name] = order_of(quantity, _event("bad", name))._replace(key=key, bad=reason)
    return made


BAD = _bad()
# Odd, and good all the same.
ODD = {
    "odd_key": [_view("odd", "o1", key=b"\xff\xfe\x00"), _view("odd", "o2", key=None)],
    "twice": [_view("twice", "t1"), _view("twice", "t1"), _view("twice", "t1")],
    "late": [_view("late", "l1"), _view("late", "l2", NOON_MS - 90 * 86_400_000)],
    "out_of_order": [
        _view("mixed", "m3", NOON_MS + 2 * _MINUTE_MS),
        _view("mixed", "m1", NOON_MS),
        _view("mixed", "m2", NOON_MS + _MINUTE_MS),
    ],
}


@pytest.fixture
def world(embedded_broker: EmbeddedBroker) -> Iterator[World]:
    made = World(embedded_broker.bootstrap, f"b{uuid4().hex[:10]}.")
    made.create_topics()
    yield made
    made.close()


@pytest.fixture(scope="module")
def after(
    embedded_broker: EmbeddedBroker,
) -> Iterator[tuple[World, dict[bytes | None, DeadLetter], dict[str, CustomerState]]]:
    """Everything odd and bad sent at once: the dead letters by key, the states by customer."""
    world = World(embedded_broker.bootstrap, f"b{uuid4().hex[:10]}.")
    try:
        world.create_topics()
        worker = world.start()
        worker.await_ready()
        world.send(BAD.values())
        world.send(given for records in ODD.values() for given in records)
        world.await_settled(worker)
        assert worker.terminate() == EXIT_OK, worker.said()
        yield world, _letters(world), _states(world)
    finally:
        world.close()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_becomes_a_dead_letter_verbatim(
    after: tuple[World, dict[bytes | None, DeadLetter], Any], name: str
) -> None:
    world, letters, _ = after
    given = BAD[name]
    letter = letters[given.key]
    assert letter.value == given.value
    assert letter.rejection.reason == given.bad
    assert letter.rejection.detail
    origin = letter.origin
    assert world.bad[world.name(origin.topic), origin.partition, origin.offset] == given.bad
    assert letter.first_failed_at_ms >= origin.seen_at_ms


def test_there_is_no_dead_letter_but_of_bad_records(
    after: tuple[World, dict[bytes | None, DeadLetter], Any],
) -> None:
    _, letters, states = after
    assert letters.keys() == {given.key for given in BAD.values()}
    assert "bad" not in states


@pytest.mark.parametrize(
    ("customer", "views", "latest_ms"),
    [
        ("odd", 2, NOON_MS),
        ("twice", 1, NOON_MS),
        ("late", 1, NOON_MS),
        ("mixed", 3, NOON_MS + 2 * _MINUTE_MS),
    ],
)
def test_what_is_only_odd_counts(
    after: tuple[World, Any, dict[str, CustomerState]], customer: str, views: int, latest_ms: int
) -> None:
    _, _, states = after
    state = states[customer]
    assert state.number("latest_seen") == latest_ms
    # Worth at the last one's time at a half-life of 30 days, three months being three of them.
    worth = state.families["tea"][2] / 2 ** (latest_ms / (30 * 86_400_000) % 64)
    assert worth == pytest.approx(views + (0.125 if customer == "late" else 0), rel=1e-4)


def test_too_many_dead_letters_stop_the_worker_and_a_higher_limit_goes_on_without_loss(
    world: World,
) -> None:
    good = [_view(f"c{number}", f"g{number}") for number in range(40)]
    json = Given(CLICKSTREAM.name, b"k", b'{"kind": "view"}', "wrong_magic")
    worker = world.start(dead_letter_limit=8)
    worker.await_ready()
    world.send([*good[:20], *[json] * 8])
    world.await_settled(worker)
    world.send([*good[20:30], *[json] * 4, *good[30:]])
    assert worker.ended() == EXIT_FAILED
    said = worker.said()
    assert "CONCIERGE_DEAD_LETTER_LIMIT" in said
    assert "wrong_magic" in said
    (first_over,) = sorted(offset for _, _, offset in world.bad)[8:9]
    assert sum(world.committed().values()) > 0
    behind = [end for name, end in world.committed().items() if CLICKSTREAM.name in name]
    assert max(behind) <= first_over
    follower = world.start(dead_letter_limit=1_000)
    follower.await_ready()
    world.await_settled(follower)
    assert follower.terminate() == EXIT_OK, follower.said()
    places = {
        (world.name(letter.origin.topic), letter.origin.partition, letter.origin.offset)
        for letter in _all_letters(world)
    }
    assert places == world.bad.keys()
    assert _states(world).keys() == {f"c{number}" for number in range(40)}


def _all_letters(world: World) -> list[DeadLetter]:
    return [
        read_dead_letter(message.key(), message.value(), message.headers())
        for message in world.read(DEAD_LETTERS)
    ]


def _letters(world: World) -> dict[bytes | None, DeadLetter]:
    return {letter.key: letter for letter in _all_letters(world)}


def _states(world: World) -> dict[str, CustomerState]:
    return {
        key: decode_customer(data)
        for partition in world.states().values()
        for key, data in partition.items()
        if not key.startswith("\0")
    }
