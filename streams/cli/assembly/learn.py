"""The learn role: banks of models, restored from and published as snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import Any

from models.snapshot import take
from models.snapshot_codec import encode
from schemas.topics import MODEL_SNAPSHOTS
from streams.agents import learn, meters
from streams.cli.assembly.models import new_model, restored_model
from streams.cli.assembly.shared import Shared
from streams.runtime.app import ShellApp
from streams.runtime.changelog import in_thread, read_to_end
from streams.runtime.topic_admin import partitions_of
from streams.runtime.versions import MODEL, named
from streams.runtime.wall import now_ms

Snapshots = Mapping[str, Mapping[str, bytes]]


async def build(shared: Shared) -> ShellApp:
    """Return the app of the learn role."""
    settings, outbox = shared.settings, shared.outbox()

    def snapshot(model: Any) -> tuple[str, bytes]:
        taken = take(model)
        meters.published(shared.metrics, model)
        return taken.version, encode(taken)

    async def published() -> Snapshots:
        topic = shared.name(MODEL_SNAPSHOTS)
        found: Snapshots = await in_thread(lambda stop: _published(shared.client, topic, stop))
        return found

    role = learn.Learn(
        learn.Workshop(new_model, restored_model, snapshot, published),
        outbox,
        shared.timeline,
        now_ms,
        settings.snapshot_every_lessons,
        settings.snapshot_interval_ms,
        settings.keep_snapshots,
        settings.topic_prefix,
        meters.learned(shared.metrics),
    )
    return shared.app(role, learn.agent(role), outbox)


def _published(client: Mapping[str, Any], topic: str, give_up: Event) -> Snapshots:
    """Read every snapshot that stands: model -> version -> bytes."""
    found: dict[str, dict[str, bytes]] = {}
    for messages in read_to_end(client, topic, partitions_of(client, topic), give_up):
        for message in messages:
            _, model, version = named(MODEL, message.key() or b"")
            versions = found.setdefault(model, {})
            if (data := message.value()) is None:
                versions.pop(version, None)
            else:
                versions[version] = data
    return {model: versions for model, versions in found.items() if versions}
