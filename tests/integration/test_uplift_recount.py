"""A worker that gets partitions counts what was settled in them before it shows an uplift."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any, cast

from confluent_kafka import Producer
from prometheus_client import generate_latest

from schemas.records import ENCODER, Lesson, LessonPlace
from schemas.topics import LESSONS, Topic
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import Metrics
from streams.shell.versions.catalogue_file import CatalogueFile
from streams.worker.shared import Shared
from streams.worker.uplift_recount import recounting, uplift_meter


def _lesson(number: int) -> Lesson:
    return Lesson(
        model=f"model {number % 2}",
        action="offer",
        family="tea",
        issue="sell",
        decision_id=f"{number:024x}",
        feature_version="f",
        features=[],
        label=0.0,
        action_probability=0.5,
        decided_at_ms=number,
        settled_at_ms=number,
        place=LessonPlace(0, number, number << 20),
        arm="holdout" if number % 4 == 0 else "treated",
        converted=number % 2 == 0,
        first=7,
    )


def _shared(bootstrap: str) -> Any:
    def name(topic: Topic) -> str:
        return topic.name

    settings = Settings.from_env({"CONCIERGE_KAFKA": bootstrap})
    return SimpleNamespace(
        client={"bootstrap.servers": bootstrap},
        metrics=Metrics(),
        settings=settings,
        name=name,
        catalogue_file=lambda: CatalogueFile(catalogue_path(settings)),
    )


async def _wait(work: Awaitable[None]) -> None:
    await work


def test_what_was_settled_before_is_counted_once_with_what_comes_after() -> None:
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for number in range(400):
            # All lessons of a model are in one partition.
            producer.produce(LESSONS.name, ENCODER.encode(_lesson(number)), partition=number % 2)
        assert producer.flush(20) == 0
        shared = _shared(broker.bootstrap)
        meter = uplift_meter(cast(Shared, shared))
        recount = recounting(cast(Shared, shared), meter)

        def settled() -> str:
            meter.show()
            text = generate_latest(shared.metrics.registry).decode()
            return next(line for line in text.splitlines() if 'experiment_customers{arm="t' in line)

        asyncio.run(_wait(recount([0, 1])))
        assert settled().endswith(" 300.0")
        # Learned again from an older snapshot: counted before.
        meter.see(_lesson(399))
        meter.see(_lesson(401))
        assert settled().endswith(" 301.0")
        asyncio.run(_wait(recount([1])))
        assert settled().endswith(" 200.0")
        asyncio.run(_wait(recount([])))
        assert settled().endswith(" 0.0")
