"""Input that is written by transactions: what counts, what is stepped over, what is waited for.

One story on a real Kafka: a transaction is committed, one is rolled back (its marker is the last
thing in the partition), one stays open while a plain producer writes behind it. The worker is
killed and comes back before the open one is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from schemas.records import TIMELINE_DECODER, Click, Tick
from schemas.topics import CLICKSTREAM, INPUTS, NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode_action, encode_event
from streams.shell.wall_clock import now_ms
from tests.integration.world import World, write_catalogue
from tests.integration.world_worker import Worker
from tests.support.kafka import RealKafka
from tests.support.shops import SHOP

pytestmark = pytest.mark.long

_PARTITION = 0
_PLACE = f"clickstream/{_PARTITION}"


@dataclass
class Seen:
    """What could be seen at each step of the story."""

    world: World
    after_the_rollback: dict[str, int] = field(default_factory=dict)
    ends_after_the_rollback: dict[str, int] = field(default_factory=dict)
    while_open: dict[str, Any] = field(default_factory=dict)
    ticks_while_open: int = -1
    timeline: list[list[Any]] = field(default_factory=list)


class _Writer:
    """A producer that writes to one partition of the clickstream, by transactions or without."""

    def __init__(self, world: World, **config: Any) -> None:
        self._topic = world.name(CLICKSTREAM)
        self.producer = Producer({**world.client, **config})
        if config:
            self.producer.init_transactions(30)

    def write(self, customer: str) -> None:
        event = {"event_id": uuid4().hex, "customer_id": customer, "occurred_at": now_ms()}
        value = encode_event(CLICKSTREAM.name, {**event, "kind": "search"})
        self.producer.produce(self._topic, value, customer.encode(), _PARTITION)
        assert self.producer.flush(30) == 0


def _healthz(worker: Worker) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(worker.page("/healthz"))
    return page


def _input(world: World, worker: Worker) -> dict[str, Any]:
    partitions = _healthz(worker)["roles"]["intake"]["partitions"]
    at: dict[str, Any] = partitions[world.prefix + _PLACE]
    return at


def _timeline(world: World) -> list[list[Any]]:
    records: list[list[Any]] = [[] for _ in range(4)]
    for message in world.read(TIMELINE):
        records[message.partition() or 0].append(TIMELINE_DECODER.decode(message.value() or b""))
    return records


def _ticks(timeline: list[list[Any]]) -> int:
    return sum(isinstance(record, Tick) for partition in timeline for record in partition)


@pytest.fixture(scope="module")
def seen(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    path: Path = write_catalogue(tmp_path_factory.mktemp("shop"), SHOP)
    world = World(kafka.bootstrap, f"t{uuid4().hex[:10]}.", catalogue_path=path)
    found = Seen(world)
    try:
        world.create_topics()
        _tell(world, found)
        yield found
    finally:
        world.close()


def _tell(world: World, seen: Seen) -> None:
    plain, by_transactions = _Writer(world), _Writer(world, **{"transactional.id": world.app_id})
    producer = by_transactions.producer
    worker = world.start()
    worker.await_ready()

    producer.begin_transaction()
    by_transactions.write("committed")
    producer.commit_transaction(30)
    producer.begin_transaction()
    by_transactions.write("rolled-back")
    producer.abort_transaction(30)
    world.await_settled(worker)
    seen.after_the_rollback = world.committed(["intake"])
    seen.ends_after_the_rollback = world.ends(INPUTS)

    producer.begin_transaction()
    by_transactions.write("held")
    plain.write("behind")
    worker.await_true(lambda: _input(world, worker)["held_back"] == 2, "two records to be held")
    seen.while_open = {**_healthz(worker), "input": _input(world, worker)}
    worker.kill()

    worker = world.start(clock="wall", clock_interval_ms=50)
    worker.await_true(lambda: "the clock waits" in worker.said(), "the clock to wait")
    seen.ticks_while_open = _ticks(_timeline(world))
    producer.commit_transaction(30)
    worker.await_true(lambda: _ticks(_timeline(world)) > 0, "a tick")
    seen.timeline = _timeline(world)
    worker.terminate()


def test_what_was_rolled_back_never_happened(seen: Seen) -> None:
    customers = {r.customer for part in seen.timeline for r in part if isinstance(r, Click)}
    assert customers == {"committed", "held", "behind"}
    published = {
        decode_action(m.value() or b"").customer for m in seen.world.read(NEXT_BEST_ACTIONS)
    }
    assert "rolled-back" not in published


def test_the_position_steps_over_a_marker_at_the_end_of_a_partition(seen: Seen) -> None:
    # Two records and their two markers.
    assert seen.after_the_rollback[seen.world.prefix + _PLACE] == 4
    assert seen.after_the_rollback == seen.ends_after_the_rollback


def test_what_an_open_transaction_holds_back_is_no_lag_and_no_fault_of_the_worker(
    seen: Seen,
) -> None:
    assert seen.while_open["status"] == "ok"
    assert seen.while_open["input"] == {"position": 4, "committed": 4, "lag": 0, "held_back": 2}


def test_after_a_restart_no_tick_passes_by_what_is_held_back(seen: Seen) -> None:
    assert seen.ticks_while_open == 0
    [of_held] = [part for part in seen.timeline if any(_is_click_of(r, "held") for r in part)]
    [of_behind] = [part for part in seen.timeline if any(_is_click_of(r, "behind") for r in part)]
    for part, customer in ((of_held, "held"), (of_behind, "behind")):
        kinds = [isinstance(r, Tick) for r in part]
        first_tick = kinds.index(True) if True in kinds else len(part)
        assert any(_is_click_of(r, customer) for r in part[:first_tick])


def _is_click_of(record: Any, customer: str) -> bool:
    return isinstance(record, Click) and record.customer == customer
