"""The learn role: banks of models, restored from and published as snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from threading import Event
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from models.learning.capture import take
from models.protocol import learns_from
from models.snapshot.snapshot_codec import encode
from schemas.records import MODEL
from schemas.topics import LESSONS, MODEL_SNAPSHOTS
from streams.agents import learn
from streams.agents import role_metrics as meters
from streams.shell.faust_app.app import ShellApp
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import BROKER_TIMEOUT_S, in_thread, read_to_end, reader_config
from streams.shell.telemetry.metric_series import create_catalogue_series
from streams.shell.versions.version_store import parse_version_key
from streams.shell.wall_clock import now_ms
from streams.worker.model_setup import ModelSetup
from streams.worker.new_models import new_model
from streams.worker.published_snapshots import Snapshots
from streams.worker.shared import Shared
from streams.worker.uplift_recount import recounting, uplift_meter

# Nobody waits for a lesson, and a fetch that finds nothing costs as much as another.
_FETCH_WAIT_MS = 100

Found = Mapping[str, Mapping[str, bytes]]


async def build(shared: Shared) -> ShellApp:
    """Return the app of the learn role."""
    settings, outbox = shared.settings, shared.outbox()

    setup = ModelSetup(
        shared.catalogue_file(), now_ms, partial(create_catalogue_series, shared.metrics)
    )
    # Read at once, so that the actions' counters are there before the first lesson.
    setup.learners_of("")

    def snapshot(model: Any) -> tuple[str, bytes]:
        taken = take(model)
        in_use, *_ = setup.learners_of(learns_from(model.name)[0])
        meters.published(shared.metrics, model, model.name == in_use)
        return taken.version, encode(taken)

    snapshots = Snapshots(shared.metrics)

    async def published() -> Found:
        topic = shared.name(MODEL_SNAPSHOTS)
        found: Found = await in_thread(lambda stop: _published(shared.client, topic, stop))
        snapshots.ends = await asyncio.to_thread(_ends, shared.client, shared.name(LESSONS))
        return found

    meter = uplift_meter(shared)
    role = learn.Learn(
        learn.ModelStore(
            new=new_model,
            restore=snapshots.bank,
            snapshot=snapshot,
            published=published,
            recount=recounting(shared, meter),
            learners_of=setup.learners_of,
        ),
        outbox,
        shared.timeline,
        now_ms,
        settings.snapshot_every_lessons,
        settings.snapshot_interval_ms,
        settings.keep_snapshots,
        settings.topic_prefix,
        meter.after(meters.learned(shared.metrics)),
    )
    return shared.app(role, outbox, fetch_max_wait_ms=_FETCH_WAIT_MS)


def _published(client: Mapping[str, Any], topic: str, give_up: Event) -> Found:
    """Read every snapshot that stands: model -> version -> bytes."""
    found: dict[str, dict[str, bytes]] = {}
    for messages in read_to_end(client, topic, partitions_of(client, topic), give_up):
        for message in messages:
            name = parse_version_key(MODEL, message.key() or b"")
            if name is None:
                continue
            _, model, version = name
            versions = found.setdefault(model, {})
            if (data := message.value()) is None:
                versions.pop(version, None)
            else:
                versions[version] = data
    return {model: versions for model, versions in found.items() if versions}


def _ends(client: Mapping[str, Any], topic: str) -> dict[int, int]:
    """Return where each partition of a topic ends."""
    consumer = Consumer(reader_config(client))
    try:
        bounds = {
            number: consumer.get_watermark_offsets(
                TopicPartition(topic, number), timeout=BROKER_TIMEOUT_S
            )
            for number in partitions_of(client, topic)
        }
        return {number: found[1] for number, found in bounds.items() if found is not None}
    finally:
        consumer.close()
