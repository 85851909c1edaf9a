"""The learn role: its models, its snapshots and its topics are joined to an app."""

from __future__ import annotations

from functools import partial
from typing import Any

from models.learning.capture import take
from models.protocol import learns_from
from models.snapshot.snapshot_codec import encode
from schemas.topics import LESSONS, MODEL_SNAPSHOTS
from streams.agents import role_metrics
from streams.agents.learn import Learn, LearnOptions, ModelStore
from streams.shell.faust_app.app import ShellApp
from streams.shell.telemetry.metric_series import create_catalogue_series
from streams.shell.versions.snapshot_reader import SnapshotsByModel, read_snapshots
from streams.shell.wall_clock import now_ms
from streams.worker.model_setup import ModelSetup
from streams.worker.new_models import new_model
from streams.worker.published_snapshots import Snapshots
from streams.worker.shared import Shared
from streams.worker.uplift_recount import recounting, uplift_meter

# No action waits for a lesson, and a fetch costs the same whether it finds records or not.
_FETCH_WAIT_MS = 100


async def build(shared: Shared) -> ShellApp:
    """Return the app of the learn role."""
    settings, outbox = shared.settings, shared.outbox()
    setup = ModelSetup(
        shared.catalogue_file(), now_ms, partial(create_catalogue_series, shared.metrics)
    )
    # The catalogue is read at once, so that its actions' counters exist before the first lesson.
    setup.learners_of("")
    snapshots = Snapshots(shared.metrics)

    def snapshot(model: Any) -> tuple[str, bytes]:
        taken = take(model)
        in_use, *_ = setup.learners_of(learns_from(model.name)[0])
        role_metrics.measure_model(shared.metrics, model, model.name == in_use)
        return taken.version, encode(taken)

    async def published() -> SnapshotsByModel:
        topics = shared.name(MODEL_SNAPSHOTS), shared.name(LESSONS)
        found, snapshots.ends = await read_snapshots(shared.client, *topics)
        return found

    meter = uplift_meter(shared)
    role = Learn(
        ModelStore(
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
        LearnOptions(
            every_lessons=settings.snapshot_every_lessons,
            interval_ms=settings.snapshot_interval_ms,
            keep=settings.keep_snapshots,
            prefix=settings.topic_prefix,
        ),
        meter.after(role_metrics.count_lessons(shared.metrics)),
    )
    return shared.app(role, outbox, fetch_max_wait_ms=_FETCH_WAIT_MS)
