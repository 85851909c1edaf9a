"""A topic that producers stamp (Kafka's default): records arrive when intake first reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # unexported there
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from schemas.records import TIMELINE_DECODER, Click, Tick
from schemas.topics import CLICKSTREAM, DEAD_LETTERS, DECISIONS, TIMELINE
from schemas.wire import decode_decision, encode_event
from streams.shell.wall_clock import now_ms
from tests.integration.world import World, write_catalogue
from tests.support.kafka import RealKafka
from tests.support.shops import SHOP

_MINUTE_MS = 60_000
_DAY_MS = 1_440 * _MINUTE_MS


@pytest.fixture
def world(kafka: RealKafka, tmp_path: Path) -> Iterator[World]:
    path = write_catalogue(tmp_path, SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0"))
    made = World(kafka.bootstrap, f"s{uuid4().hex[:10]}.", catalogue_path=path, clock="wall")
    made.create_topics()
    yield made
    made.close()


def _let_producers_stamp(world: World) -> None:
    set_it = AlterConfigOpType.SET
    changes = [
        ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=set_it),
        # Or the oldest records expire before they are read.
        ConfigEntry("retention.ms", "-1", incremental_operation=set_it),
    ]
    topic = ConfigResource(
        ConfigResource.Type.TOPIC, world.name(CLICKSTREAM), incremental_configs=changes
    )
    admin = AdminClient(dict(world.client))
    for done in admin.incremental_alter_configs([topic]).values():
        done.result(30)


def _send(world: World, customer: str, kind: str, at_ms: int, stamped_ms: int) -> None:
    event: dict[str, Any] = {"event_id": uuid4().hex, "customer_id": customer, "kind": kind}
    value = encode_event(CLICKSTREAM.name, {**event, "occurred_at": at_ms, "product_id": "cup"})
    producer = Producer(dict(world.client))
    producer.produce(world.name(CLICKSTREAM), value, b"k", timestamp=stamped_ms)
    assert producer.flush(30) == 0


def test_history_stamped_with_its_own_times_is_not_answered_and_no_stamp_refuses_a_record(
    world: World,
) -> None:
    _let_producers_stamp(world)
    now = now_ms()
    for days in (2, 60):
        _send(world, f"cart-{days}", "add_to_cart", now - days * _DAY_MS, now - days * _DAY_MS)
    _send(world, "behind", "search", now, now - 30 * _MINUTE_MS)
    worker = world.start()

    def ticked() -> bool:
        records = [TIMELINE_DECODER.decode(m.value() or b"") for m in world.read(TIMELINE)]
        return sum(isinstance(r, Click) for r in records) == 3 and any(
            isinstance(r, Tick) for r in records
        )

    worker.await_true(ticked, "the time to go on")
    # What was on the timeline is decided; ticks go on behind it.
    world.await_read(worker, "decide")
    # Which action is drawn depends on how many ticks came first; that one is decided does not.
    decided = [decode_decision(m.value() or b"").customer for m in world.read(DECISIONS)]
    assert set(decided) == {"behind"}
    assert not world.read(DEAD_LETTERS)
    assert f"{world.name(CLICKSTREAM)}: message.timestamp.type is CreateTime" in worker.said()
    assert world.name("purchases") not in worker.said()
