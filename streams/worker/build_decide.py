"""The decide role: its engine, its state and its versions are joined to an app."""

from __future__ import annotations

import asyncio
from functools import partial

from schemas.bundled import BUNDLED_IDS
from schemas.encoders import Encoders
from schemas.topics import (
    CATALOGUES,
    DECISIONS,
    MODEL_SNAPSHOTS,
    NEXT_BEST_ACTIONS,
    customers_changelog,
)
from streams.agents import role_metrics
from streams.agents.decide import Decide
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Engine
from streams.shell.faust_app.app import ShellApp
from streams.shell.state.partition_store import StateCodec
from streams.shell.state.partitions import Partitions
from streams.shell.state.state_reader import StateReader
from streams.shell.telemetry.metric_series import create_catalogue_series
from streams.shell.versions.compiled_versions import CompiledVersions
from streams.shell.versions.version_store import VersionStore
from streams.worker.published_snapshots import Snapshots
from streams.worker.shared import Shared


async def build(shared: Shared) -> ShellApp:
    """Return the app of the decide role; asks the registry for ids where there is one."""
    settings, outbox = shared.settings, shared.outbox()
    store = VersionStore(
        shared.client, shared.name(MODEL_SNAPSHOTS), shared.name(CATALOGUES), shared.shutdown.failed
    )
    shared.services.append(store)
    changelog = customers_changelog(settings.app_id).name
    partitions = Partitions(changelog, StateCodec(), settings.hot_customers)
    reader = StateReader(
        shared.client,
        changelog,
        shared.timeline.partitions,
        partial(role_metrics.count_recovered, shared.metrics),
    )

    def catalogue(version: str, data: bytes) -> Catalogue:
        made = shared.catalogue_of(version, data)
        create_catalogue_series(shared.metrics, made)
        return made

    versions = CompiledVersions(store, catalogue, Snapshots(shared.metrics).scorer)
    role = Decide(
        Engine(versions, settings.salt, 1.0 / shared.timeline.partitions),
        partitions,
        versions,
        outbox,
        encoders=await _encoders(shared),
        read_states=reader.read,
        dead_letters=shared.dead_letters(outbox),
        prefix=settings.topic_prefix,
        on_outputs=role_metrics.count_outputs(shared.metrics, shared.build_info),
        on_states=role_metrics.measure_states(shared.metrics),
    )
    app = shared.app(role, outbox, partitions)
    shared.progress.roles["decide"].detail = partitions.summary
    return app


async def _encoders(shared: Shared) -> Encoders:
    if shared.registry is None:
        return Encoders(BUNDLED_IDS)
    outputs = {shared.name(topic): topic.name for topic in (NEXT_BEST_ACTIONS, DECISIONS)}
    return Encoders(await asyncio.to_thread(shared.registry.register, outputs))
