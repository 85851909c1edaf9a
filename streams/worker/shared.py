"""What the roles of one worker share: settings, clients, metrics, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from schemas.topics import DECISIONS, TOPICS, Topic
from streams.agents import role_metrics
from streams.agents.build_info import BuildInfo
from streams.agents.dead_letter_outlet import DeadLetterRate, DeadLetters
from streams.core.catalogue.values import Catalogue
from streams.shell.faust_app.app import ShellApp, create_app
from streams.shell.faust_app.credentials import (
    faust_credentials,
)
from streams.shell.kafka.client_config import (
    librdkafka_config,
)
from streams.shell.kafka.outbox import Outbox
from streams.shell.kafka.producers import producer_config
from streams.shell.process.serve import Service, Shutdown
from streams.shell.runner.role import Role
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings, SettingsError
from streams.shell.state.partitions import Partitions
from streams.shell.telemetry.metric_series import create_known_series
from streams.shell.telemetry.metrics import Metrics
from streams.shell.telemetry.progress import Progress, RoleProgress
from streams.shell.versions.catalogue_file import CatalogueFile
from streams.shell.versions.leader import Timeline
from streams.shell.wall_clock import now_ms
from streams.worker.version_makers import catalogue_of

if TYPE_CHECKING:
    from streams.shell.kafka.registry import RegistrySchemas


class Shared:
    """Created once for each worker; the roles are built from it.

    `timeline` is known after the topics were checked.
    """

    def __init__(self, settings: Settings, timeline: Timeline) -> None:
        self.settings = settings
        self.timeline = timeline
        self.client = librdkafka_config(settings)
        self.options = role_options_of(settings, self.client)
        self.metrics = create_known_series(Metrics(), settings.topic_prefix)
        self.build_info = BuildInfo(self.metrics, installed_version("concierge"))
        self.progress = Progress()
        self.shutdown = Shutdown()
        self.services: list[Service] = []
        self._catalogue_file: CatalogueFile | None = None
        self.registry = _registry(settings) if settings.schema_registry_url else None

    def name(self, topic: Topic) -> str:
        """Return what a topic is called in this installation."""
        return topic.with_prefix(self.settings.topic_prefix).name

    def outbox(self) -> Outbox:
        """Return a new producer."""
        config = producer_config(self.client, self.options.linger_ms)
        config["message.timeout.ms"] = self.settings.delivery_timeout_ms
        compressed = {self.name(t): self.settings.compression for t in TOPICS if t.for_others}
        compressed[self.name(DECISIONS)] = self.settings.decisions_compression
        return Outbox(config, self.shutdown.failed, compressed)

    def catalogue_file(self) -> CatalogueFile:
        """Return the catalogue file, the same one for all roles: read and parsed once.

        Raises SettingsError or `CatalogueError`, which end the worker before anything is read from
        Kafka. Later edits are counted where intake runs, which publishes them.
        """
        if self._catalogue_file is None:
            counted = self.metrics if "intake" in self.settings.roles else None
            try:
                file = CatalogueFile(catalogue_path(self.settings), counted)
                file.catalogue()
            except OSError as error:
                raise SettingsError([f"CONCIERGE_CATALOGUE_PATH: {error}"]) from error
            self._catalogue_file = file
        return self._catalogue_file

    def catalogue_of(self, version: str, data: bytes) -> Catalogue:
        """Return a published catalogue; the catalogue of the file is not parsed again.

        A worker that only decides has read no file.
        """
        held = None if self._catalogue_file is None else self._catalogue_file.last_read
        return held if held is not None and held.version == version else catalogue_of(version, data)

    def dead_letters(self, outbox: Outbox) -> DeadLetters:
        """Return what sends refused records, with the limit of the settings."""
        settings = self.settings
        return DeadLetters(
            outbox,
            DeadLetterRate(settings.dead_letter_limit, settings.dead_letter_window_ms),
            now_ms,
            installed_version("concierge"),
            settings.topic_prefix,
            role_metrics.count_refused(self.metrics),
        )

    def app(
        self,
        role: Role,
        outbox: Outbox,
        partitions: Partitions | None = None,
        *,
        fetch_max_wait_ms: int = 0,
    ) -> ShellApp:
        """Return the Faust app of a role; `outbox` is what the role sends through.

        `fetch_max_wait_ms` is for a role whose fetches may wait longer than the setting says.
        """
        progress = self.progress.roles.setdefault(role.name, RoleProgress())
        wait_ms = max(self.options.fetch_max_wait_ms, fetch_max_wait_ms)
        options = replace(self.options, fetch_max_wait_ms=wait_ms)
        runner = RoleRunner(
            role, options, outbox, self.outbox(), progress, self.shutdown.failed, self.metrics
        )
        return create_app(runner, partitions)


def role_options_of(settings: Settings, client: Mapping[str, Any]) -> RoleOptions:
    """Return the options of a role's runner from the settings."""
    return RoleOptions(
        settings.bootstrap,
        app_id=settings.app_id,
        checkpoint_every_s=settings.checkpoint_interval_ms / 1000,
        checkpoint_every_records=settings.checkpoint_max_events,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        session_timeout_s=settings.session_timeout_ms / 1000,
        instance_id=settings.instance_id or None,
        failpoint=settings.failpoint,
        may_miss=frozenset(
            topic.with_prefix(settings.topic_prefix).name for topic in TOPICS if topic.may_be_missed
        ),
        client=client,
        credentials=faust_credentials(settings),
    )


def _registry(settings: Settings) -> RegistrySchemas:
    # Its client takes a quarter second to import.
    from streams.shell.kafka.registry import RegistrySchemas

    return RegistrySchemas(settings)
