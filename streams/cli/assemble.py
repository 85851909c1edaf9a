"""Where settings become a worker: the one place that knows every part and joins them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version as installed_version
from threading import Event
from typing import Any

from confluent_kafka.admin import AdminClient

from models.bank import Bank
from models.protocol import ActionKey, Scorer
from models.scorer import linear_scorer, prior_scorer
from models.snapshot import restore, take
from models.snapshot_codec import decode, encode
from schemas import topics as t
from schemas.bundled import BUNDLED_IDS, SchemaSource, bundled_schemas
from schemas.records import Decision, NextBestAction
from schemas.wire import encode_action, encode_decision
from streams.agents import decide, intake, learn, meters
from streams.agents.dead_letters import DeadLetterRate, DeadLetters
from streams.core.engine import Engine
from streams.core.features import FEATURE_NAMES, FEATURE_VERSION
from streams.core.limits import AdmitLimits
from streams.runtime.app import ShellApp, create_app
from streams.runtime.catalogue_file import CatalogueFile, parse_catalogue
from streams.runtime.changelog import in_thread, newest_states, read_to_end
from streams.runtime.clients import faust_credentials, librdkafka_config
from streams.runtime.clock import Clock, Timeline
from streams.runtime.health import HealthServer
from streams.runtime.hooks import check_hooks
from streams.runtime.lag import LagWatch
from streams.runtime.metrics import Metrics
from streams.runtime.options import ShellOptions
from streams.runtime.partition_store import StateCodec
from streams.runtime.paths import catalogue_path
from streams.runtime.producer import Outbox, producer_config
from streams.runtime.progress import Progress, RoleProgress
from streams.runtime.registry import RegistrySchemas, RegistryUnavailable
from streams.runtime.role import Role
from streams.runtime.settings import Settings
from streams.runtime.shell import Shell
from streams.runtime.table import Partitions
from streams.runtime.topic_admin import check_topics, partitions_of
from streams.runtime.versions import CompiledVersions, VersionStore, named
from streams.runtime.wall import now_ms
from streams.runtime.worker import Fate, Service, serve

# What we believe of an action before anybody has answered it: a typical response rate.
PRIOR = 0.05

log = logging.getLogger("concierge.worker")


class TopicsNotReady(Exception):
    """The topics are not what a worker needs."""


class Assembly:
    """Builds the roles of one worker over shared metrics, progress and fate."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.progress = Progress()
        self.fate = Fate()
        self.client = librdkafka_config(settings)
        self.services: list[Service] = []
        self.registry = RegistrySchemas(settings) if settings.schema_registry_url else None
        self._prefix = settings.topic_prefix
        self._options = shell_options(settings, self.client)

    async def run(self) -> int:
        """Check the topics, then run the configured roles until a signal; the exit code."""
        check_hooks()
        timeline = await asyncio.to_thread(self._check_topics)
        lag = LagWatch(self.settings, self.progress, self.metrics)
        health = HealthServer(self.settings, self.metrics, self.progress, lag)
        self.services += [lag, health]
        builders = {"intake": self._intake, "decide": self._decide, "learn": self._learn}
        apps = [await builders[role](timeline) for role in builders if role in self.settings.roles]
        self.services.append(_Announced(health, self.settings))
        code = await serve(apps, self.fate, self.services, self._options.stop_timeout_s)
        if self.registry is not None:
            self.registry.close()
        return code

    def _check_topics(self) -> Timeline:
        wanted = t.all_topics(self.settings.app_id, self._prefix)
        reports = check_topics(AdminClient(self.client), wanted)
        wrong = [f"{r.topic} is {r.verdict}: {r.detail}" for r in reports if not r.usable]
        if wrong:
            raise TopicsNotReady("; ".join(wrong))
        name = t.TIMELINE.with_prefix(self._prefix).name
        return Timeline(name, len(partitions_of(self.client, name)))

    async def _intake(self, timeline: Timeline) -> ShellApp:
        outbox, writer = self._outboxes()
        catalogue = CatalogueFile(catalogue_path(self.settings))
        # Of its own: it waits for acknowledgements at other times than a checkpoint does.
        clock_outbox = self._outbox()
        self.services.append(_Closed(clock_outbox))
        clock = Clock(
            clock_outbox,
            timeline,
            t.CATALOGUES.with_prefix(self._prefix).name,
            now_ms if self.settings.clock == "wall" else None,
            catalogue.current,
            clock_outbox.write,
            self.fate.failed,
        )
        role = intake.Intake(
            outbox,
            self._dead_letters(outbox),
            self._schemas(),
            clock,
            AdmitLimits(self.settings.oldest_event_ms, self.settings.future_ms),
            self._prefix,
            self.registry,
            RegistryUnavailable,
            meters.admitted(self.metrics),
        )
        return self._app(role, intake.agent(role), outbox, writer)

    async def _decide(self, timeline: Timeline) -> ShellApp:
        outbox, writer = self._outboxes()
        store = VersionStore(
            self.client,
            t.MODEL_SNAPSHOTS.with_prefix(self._prefix).name,
            t.CATALOGUES.with_prefix(self._prefix).name,
            self.fate.failed,
        )
        self.services.append(store)
        versions = CompiledVersions(store, _catalogue, _scorer)
        changelog = t.customers_changelog(self.settings.app_id).name
        partitions = Partitions(changelog, StateCodec(), self.settings.hot_customers)

        async def read_states(numbers: Sequence[int]) -> Mapping[int, Mapping[str, bytes]]:
            read = partial(newest_states, self.client, changelog, numbers)
            states: Mapping[int, Mapping[str, bytes]] = await in_thread(read)
            return states

        role = decide.Decide(
            Engine(versions, self.settings.salt),
            partitions,
            store,
            outbox,
            await self._encoders(),
            read_states,
            self._dead_letters(outbox),
            self._prefix,
            meters.decided(self.metrics),
        )
        return self._app(role, decide.agent(role), outbox, writer, partitions)

    async def _learn(self, timeline: Timeline) -> ShellApp:
        outbox, writer = self._outboxes()
        workshop = learn.Workshop(_new_model, _restored_model, self._snapshot, self._published)
        role = learn.Learn(
            workshop,
            outbox,
            timeline,
            now_ms,
            self.settings.snapshot_every_lessons,
            self.settings.snapshot_interval_ms,
            self.settings.keep_snapshots,
            self._prefix,
            meters.learned(self.metrics),
        )
        return self._app(role, learn.agent(role), outbox, writer)

    def _snapshot(self, model: Any) -> tuple[str, bytes]:
        snapshot = take(model)
        meters.published(self.metrics, model)
        return snapshot.version, encode(snapshot)

    async def _published(self) -> Mapping[str, Mapping[str, bytes]]:
        """Read every snapshot there is: model -> version -> bytes."""
        topic = t.MODEL_SNAPSHOTS.with_prefix(self._prefix).name
        found: dict[str, dict[str, bytes]] = {}

        def read(give_up: Event) -> None:
            for messages in read_to_end(
                self.client, topic, partitions_of(self.client, topic), give_up
            ):
                for message in messages:
                    _, model, version = named("model", message.key() or b"")
                    versions = found.setdefault(model, {})
                    if (data := message.value()) is None:
                        versions.pop(version, None)
                    else:
                        versions[version] = data

        await in_thread(read)
        return {model: versions for model, versions in found.items() if versions}

    def _schemas(self) -> SchemaSource:
        return bundled_schemas() if self.registry is None else self.registry

    async def _encoders(self) -> _Encoders:
        if self.registry is None:
            return _Encoders(BUNDLED_IDS)
        outputs = {
            topic.with_prefix(self._prefix).name: topic.schema
            for topic in (t.NEXT_BEST_ACTIONS, t.DECISIONS)
            if topic.schema is not None
        }
        return _Encoders(await asyncio.to_thread(self.registry.register, outputs))

    def _dead_letters(self, outbox: Outbox) -> DeadLetters:
        settings = self.settings
        return DeadLetters(
            outbox,
            DeadLetterRate(settings.dead_letter_limit, settings.dead_letter_window_ms),
            now_ms,
            installed_version("concierge"),
            self._prefix,
            meters.refused(self.metrics),
        )

    def _outbox(self) -> Outbox:
        return Outbox(producer_config(self.client, self._options.linger_ms), self.fate.failed)

    def _outboxes(self) -> tuple[Outbox, Outbox]:
        return self._outbox(), self._outbox()

    def _app(
        self,
        role: Role,
        agent: Callable[..., Any],
        outbox: Outbox,
        writer: Outbox,
        partitions: Partitions | None = None,
    ) -> ShellApp:
        progress = self.progress.roles.setdefault(role.name, RoleProgress())
        shell = Shell(role, self._options, outbox, writer, progress, self.fate.failed)
        return create_app(shell, agent, partitions)


class _Encoders:
    """Outputs as Avro under the ids of the registry, or the bundled ones."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = ids

    def action(self, action: NextBestAction) -> bytes:
        return encode_action(action, self._ids)

    def decision(self, decision: Decision) -> bytes:
        return encode_decision(decision, self._ids)


class _Closed:
    """Closes an outbox at the end."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def start(self) -> None:
        """Do nothing: an outbox starts with its first record."""

    async def stop(self) -> None:
        await self._outbox.close()


class _Announced:
    """Says where the pages are, once they are."""

    def __init__(self, health: HealthServer, settings: Settings) -> None:
        self._health, self._settings = health, settings

    async def start(self) -> None:
        log.info(
            "worker with %s on %s; /metrics /healthz /readyz at %s",
            ", ".join(self._settings.roles),
            self._settings.bootstrap,
            self._health.url,
        )

    async def stop(self) -> None:
        log.info("worker stopped")


def shell_options(settings: Settings, client: Mapping[str, Any]) -> ShellOptions:
    """Return what the shell is told of the settings."""
    return ShellOptions(
        settings.bootstrap,
        app_id=settings.app_id,
        checkpoint_every_s=settings.checkpoint_interval_ms / 1000,
        checkpoint_every_records=settings.checkpoint_max_events,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        session_timeout_s=settings.session_timeout_ms / 1000,
        hot_customers=settings.hot_customers,
        instance_id=settings.instance_id or None,
        failpoint=settings.failpoint,
        client=client,
        credentials=faust_credentials(settings),
    )


def _catalogue(version: str, data: bytes) -> Any:
    return parse_catalogue(data, f"catalogue {version}")


def _scorer(
    model: str, version: str | None, data: bytes | None, actions: Sequence[ActionKey]
) -> Scorer:
    snapshot = None if data is None else decode(data)
    if snapshot is None or snapshot.feature_version != FEATURE_VERSION:
        # Learned by a release with other features: its weights mean nothing here.
        return prior_scorer(actions, PRIOR)
    return linear_scorer(snapshot, actions, FEATURE_VERSION)


def _new_model(name: str, partition: int) -> Bank:
    return Bank(name, FEATURE_VERSION, FEATURE_NAMES, prior=PRIOR, lessons_partition=partition)


def _restored_model(data: bytes) -> Bank:
    """Return the bank of a snapshot; one of other features is begun anew at the same lesson."""
    snapshot = decode(data)
    if snapshot.feature_version == FEATURE_VERSION:
        return restore(snapshot)
    log.warning(
        "model %s@%s learned from features of another release: it is learned afresh",
        snapshot.model,
        snapshot.version,
    )
    bank = _new_model(snapshot.model, snapshot.lessons_partition)
    bank.next_lesson_offset = snapshot.next_lesson_offset
    return bank
