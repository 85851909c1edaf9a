"""The intake role, and the leader that one intake worker runs: joined to an app."""

from __future__ import annotations

from schemas.bundled import bundled_schemas
from schemas.topics import CATALOGUES
from streams.agents import role_metrics
from streams.agents.dropped_fields import DroppedFields
from streams.agents.intake import Intake, IntakeOptions
from streams.core.size_limits import AdmitLimits
from streams.shell.faust_app.app import ShellApp
from streams.shell.kafka.outbox import Outbox
from streams.shell.kafka.registry_errors import RegistryUnavailable
from streams.shell.versions.catch_up import CatchUp
from streams.shell.versions.leader import Leader
from streams.shell.wall_clock import now_ms
from streams.worker.shared import Shared


class _Closing:
    """Closes an outbox at the worker's end."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def start(self) -> None:
        """Do nothing: an outbox starts with its first record."""

    async def stop(self) -> None:
        await self._outbox.close()


async def build(shared: Shared) -> ShellApp:
    """Return the app of the intake role."""
    settings, outbox = shared.settings, shared.outbox()
    role = Intake(
        outbox,
        shared.dead_letters(outbox),
        bundled_schemas() if shared.registry is None else shared.registry,
        _leader(shared),
        now_ms,
        IntakeOptions(
            AdmitLimits(settings.oldest_event_ms, settings.future_ms),
            settings.topic_prefix,
            settings.stale_ms if settings.clock == "wall" else 0,
        ),
        remote=shared.registry,
        unavailable=RegistryUnavailable,
        on_admitted=role_metrics.count_admitted(shared.metrics),
        on_dropped_fields=DroppedFields(shared.metrics, now_ms).note,
    )
    return shared.app(role, outbox)


def _leader(shared: Shared) -> Leader:
    # The leader has a producer of its own: it does not wait for a checkpoint's acknowledgements.
    outbox = shared.outbox()
    shared.services.append(_Closing(outbox))
    return Leader(
        outbox,
        shared.timeline,
        shared.name(CATALOGUES),
        now_ms=now_ms if shared.settings.clock == "wall" else None,
        catalogue=shared.catalogue_file().catalogue_text,
        write=outbox.write,
        failed=shared.shutdown.failed,
        interval_s=shared.settings.clock_interval_ms / 1000,
        caught_up=CatchUp(lambda: shared.progress.roles["intake"]),
    )
