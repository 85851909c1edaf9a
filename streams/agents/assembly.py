"""Put a worker together: which role gets which pieces. The one place that knows them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version as installed_version

from confluent_kafka import Consumer

from models.bank import Bank
from models.protocol import ActionKey, Scorer
from models.scorer import LinearScorer
from models.snapshot import restore, take
from models.snapshot_codec import decode, encode
from schemas.bundled import BUNDLED_IDS, SchemaSource, bundled_schemas
from schemas.records import Decision, NextBestAction
from schemas.topics import CATALOGUES, MODEL_SNAPSHOTS, TIMELINE, customers_changelog
from schemas.wire import encode_action, encode_decision
from streams.agents import decide, intake, learn
from streams.agents.dead_letters import DeadLetterRate, DeadLetters
from streams.core.catalogue import Catalogue
from streams.core.engine import Engine
from streams.core.features import FEATURE_NAMES, FEATURE_VERSION
from streams.core.limits import AdmitLimits
from streams.runtime.app import ShellApp, create_app
from streams.runtime.changelog import (
    in_thread,
    newest_states,
    partition_count,
    read_to_end,
    reader_config,
)
from streams.runtime.clients import faust_credentials
from streams.runtime.clock import CatalogueText, Clock, Timeline
from streams.runtime.hooks import check_hooks
from streams.runtime.options import ShellOptions, shell_options
from streams.runtime.partition_store import StateCodec
from streams.runtime.producer import Outbox, producer_config
from streams.runtime.progress import Progress, RoleProgress
from streams.runtime.registry import RegistrySchemas, RegistryUnavailable
from streams.runtime.role import Role
from streams.runtime.settings import Settings
from streams.runtime.shell import Shell
from streams.runtime.table import Partitions
from streams.runtime.versions import MODEL, CompiledVersions, VersionStore, named
from streams.runtime.wall import now_ms
from streams.runtime.worker import Fate, Service, serve


@dataclass(frozen=True)
class Catalogues:
    """How this worker comes by catalogues.

    `current` returns the one to publish (it is asked again and again; None: none), `compile`
    makes a published text usable: it gets the version and the text.
    """

    current: Callable[[], CatalogueText | None]
    compile: Callable[[str, bytes], Catalogue]


@dataclass
class Assembly:
    """Everything a worker is made of, before it runs."""

    settings: Settings
    catalogues: Catalogues
    progress: Progress = field(default_factory=Progress)
    fate: Fate = field(default_factory=Fate)

    def __post_init__(self) -> None:
        check_hooks()
        self.options: ShellOptions = shell_options(self.settings)
        self.client = self.options.client_config()
        self.prefix = self.settings.topic_prefix
        self._timeline: Timeline | None = None

    async def run(self, services: Sequence[Service] = ()) -> int:
        """Run all roles of the settings until the end; return the exit code."""
        self._timeline = await asyncio.to_thread(self._find_timeline)
        versions = VersionStore(
            self.client,
            MODEL_SNAPSHOTS.with_prefix(self.prefix).name,
            CATALOGUES.with_prefix(self.prefix).name,
            self.fate.failed,
        )
        makers: dict[str, Callable[[Outbox, Outbox], tuple[Role, object, Partitions | None]]] = {
            "intake": self._intake,
            "decide": partial(self._decide, versions),
            "learn": self._learn,
        }
        # In this order they also stop: what is upstream first.
        apps = [self._app(makers[name]) for name in makers if name in self.settings.roles]
        beside = [versions, *services] if "decide" in self.settings.roles else list(services)
        return await serve(apps, self.fate, beside, self.options.stop_timeout_s)

    def _app(
        self, make: Callable[[Outbox, Outbox], tuple[Role, object, Partitions | None]]
    ) -> ShellApp:
        config = producer_config(self.client, self.options.linger_ms)
        outbox, writer = Outbox(config, self.fate.failed), Outbox(config, self.fate.failed)
        role, agent, partitions = make(outbox, writer)
        progress = self.progress.roles[role.name] = RoleProgress()
        shell = Shell(role, self.options, outbox, writer, progress, self.fate.failed)
        return create_app(shell, agent, partitions, faust_credentials(self.settings))

    def _intake(self, outbox: Outbox, writer: Outbox) -> tuple[Role, object, None]:
        settings = self.settings
        clock = Clock(
            outbox,
            self._everybody(),
            CATALOGUES.with_prefix(self.prefix).name,
            now_ms if settings.clock == "wall" else None,
            self.catalogues.current,
            writer.write,
            self.fate.failed,
            settings.clock_interval_ms / 1000,
        )
        remote = RegistrySchemas(settings) if settings.schema_registry_url else None
        schemas: SchemaSource = remote or bundled_schemas()
        role = intake.Intake(
            outbox,
            self._dead_letters(outbox),
            schemas,
            clock,
            AdmitLimits(oldest_event_ms=settings.oldest_event_ms, future_ms=settings.future_ms),
            self.prefix,
            remote,
            RegistryUnavailable,
        )
        return role, intake.agent(role), None

    def _decide(
        self, versions: VersionStore, outbox: Outbox, writer: Outbox
    ) -> tuple[Role, object, Partitions]:
        compiled = CompiledVersions(versions, self.catalogues.compile, make_scorer)
        partitions = Partitions(
            customers_changelog(self.settings.app_id).name, StateCodec(), self.options.hot_customers
        )

        async def read_states(numbers: Sequence[int]) -> Mapping[int, Mapping[str, bytes]]:
            read = partial(newest_states, self.client, partitions.changelog, numbers)
            found: Mapping[int, Mapping[str, bytes]] = await in_thread(read)
            return found

        role = decide.Decide(
            Engine(compiled, self.settings.salt),
            partitions,
            versions,
            outbox,
            AvroOutputs(BUNDLED_IDS),
            read_states,
            self._dead_letters(outbox),
            self.prefix,
        )
        return role, decide.agent(role), partitions

    def _learn(self, outbox: Outbox, writer: Outbox) -> tuple[Role, object, None]:
        settings = self.settings
        role = learn.Learn(
            workshop(self._published_snapshots),
            outbox,
            self._everybody(),
            now_ms,
            settings.snapshot_every_lessons,
            settings.snapshot_interval_ms,
            settings.keep_snapshots,
            self.prefix,
        )
        return role, learn.agent(role), None

    def _dead_letters(self, outbox: Outbox) -> DeadLetters:
        rate = DeadLetterRate(self.settings.dead_letter_limit, self.settings.dead_letter_window_ms)
        return DeadLetters(outbox, rate, now_ms, _software_version(), self.prefix)

    def _everybody(self) -> Timeline:
        if self._timeline is None:
            raise RuntimeError("the timeline has not been looked up yet")
        return self._timeline

    def _find_timeline(self) -> Timeline:
        topic = TIMELINE.with_prefix(self.prefix).name
        consumer = Consumer(reader_config(self.client))
        try:
            return Timeline(topic, partition_count(consumer, topic))
        finally:
            consumer.close()

    async def _published_snapshots(self) -> Mapping[str, Mapping[str, bytes]]:
        topic = MODEL_SNAPSHOTS.with_prefix(self.prefix).name

        def read(give_up: object) -> dict[str, dict[str, bytes]]:
            consumer = Consumer(reader_config(self.client))
            try:
                numbers = range(partition_count(consumer, topic))
            finally:
                consumer.close()
            found: dict[str, dict[str, bytes]] = {}
            for messages in read_to_end(self.client, topic, numbers, give_up):  # type: ignore[arg-type]
                for message in messages:
                    _, name, version = named(MODEL, message.key())
                    if message.value() is None:
                        found.get(name, {}).pop(version, None)
                    else:
                        found.setdefault(name, {})[version] = message.value()
            return {name: versions for name, versions in found.items() if versions}

        snapshots: Mapping[str, Mapping[str, bytes]] = await in_thread(read)
        return snapshots


@dataclass(frozen=True)
class AvroOutputs:
    """Actions and decisions as Avro, under the schema ids of this installation."""

    ids: Mapping[str, int]

    def action(self, action: NextBestAction) -> bytes:
        """Return the value of a next-best-actions record."""
        return encode_action(action, self.ids)

    def decision(self, decision: Decision) -> bytes:
        """Return the value of a decisions record."""
        return encode_decision(decision, self.ids)


def make_scorer(
    model: str, version: str | None, snapshot: bytes | None, actions: Sequence[ActionKey]
) -> Scorer:
    """Return the scorer of a snapshot, or an untrained one where there is none."""
    if snapshot is None:
        return LinearScorer(take(new_bank(model, 0)), actions)
    return LinearScorer(decode(snapshot), actions)


def new_bank(model: str, lessons_partition: int) -> Bank:
    """Return an untrained bank for the features of this release."""
    return Bank(model, FEATURE_VERSION, FEATURE_NAMES, lessons_partition=lessons_partition)


def workshop(
    published: Callable[[], Awaitable[Mapping[str, Mapping[str, bytes]]]],
) -> learn.Workshop:
    """Return how banks are made and kept."""

    def snapshot(model: learn.Model) -> tuple[str, bytes]:
        if not isinstance(model, Bank):
            raise TypeError(f"{type(model).__name__} is no bank")
        taken = take(model)
        return taken.version, encode(taken)

    return learn.Workshop(new_bank, lambda data: restore(decode(data)), snapshot, published)


def _software_version() -> str:
    return installed_version("concierge")
