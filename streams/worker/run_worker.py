"""Run one worker: check its topics, build its roles, serve its pages, until it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from schemas.topics import TIMELINE, all_topics
from streams.shell.faust_app.app import ShellApp
from streams.shell.faust_app.hooks import check_hooks
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.connect import connect_admin
from streams.shell.kafka.topic_admin import TopicsNotReady, check_topics, partitions_of
from streams.shell.pages.health import HealthServer
from streams.shell.pages.lag import LagWatch
from streams.shell.pages.ready import ReadyLine
from streams.shell.process.serve import serve
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.progress import Progress
from streams.shell.versions.leader import Timeline
from streams.worker import build_decide as decide
from streams.worker import build_intake as intake
from streams.worker.shared import Shared

log = logging.getLogger("concierge.worker")

Builder = Callable[[Shared], Awaitable[ShellApp]]

_WITHOUT_RIVER: dict[str, Builder] = {
    "intake": intake.build,
    "decide": decide.build,
}


class _Announcement:
    """Logs the address of the pages once they are served, and when the roles are ready."""

    def __init__(self, health: HealthServer, settings: Settings, progress: Progress) -> None:
        self._health, self._settings = health, settings
        self._ready = ReadyLine(progress)

    async def start(self) -> None:
        await self._ready.start()
        log.info(
            "worker with %s on %s; /metrics, /healthz and /readyz at %s",
            ", ".join(self._settings.roles),
            self._settings.bootstrap,
            self._health.url,
        )

    async def stop(self) -> None:
        await self._ready.stop()
        log.info("worker stopped")


def builders(roles: Collection[str]) -> list[Builder]:
    """Return what builds the roles, in the order in which they drain.

    A role may still read what the role before it sends.
    """
    found = [build for role, build in _WITHOUT_RIVER.items() if role in roles]
    if "learn" in roles:
        # Learn imports River, which takes a second and 80 MB; other workers do without.
        from streams.worker import build_learn as learn

        found.append(learn.build)
    return found


async def run_worker(settings: Settings, build: Sequence[Builder]) -> int:
    """Run the roles that `build` makes until a signal or a failure; return the exit code.

    Raises `TopicsNotReady` and KafkaException before anything is read.
    """
    check_hooks()
    shared = Shared(settings, await asyncio.to_thread(_timeline, settings))
    lag = LagWatch(settings, shared.progress, shared.metrics, failed=shared.shutdown.failed)
    health = HealthServer(settings, shared.metrics, shared.progress, lag)
    shared.services += [lag, health, _Announcement(health, settings, shared.progress)]
    apps = [await each(shared) for each in build]
    code = await serve(apps, shared.shutdown, shared.services, shared.options.stop_timeout_s)
    if shared.registry is not None:
        shared.registry.close()
    return code


def _timeline(settings: Settings) -> Timeline:
    """Check the topics and return the timeline's name and width."""
    # Without log_level 0 librdkafka logs hundreds of lines while no broker answers.
    client = {**librdkafka_config(settings), "log_level": 0}
    wanted = all_topics(settings.app_id, settings.topic_prefix)
    reports = check_topics(connect_admin(client), wanted)
    wrong = [f"{r.topic} is {r.verdict}: {r.detail}" for r in reports if not r.usable]
    if wrong:
        raise TopicsNotReady("; ".join(wrong))
    if "intake" in settings.roles:
        for report in reports:
            if report.stamped_by_producers:
                log.warning("topic %s: %s", report.topic, report.detail)
    name = TIMELINE.with_prefix(settings.topic_prefix).name
    return Timeline(name, len(partitions_of(client, name)))
