"""The intake role, with the clock that its leader runs."""

from __future__ import annotations

from schemas.bundled import bundled_schemas
from schemas.topics import CATALOGUES
from streams.agents import intake
from streams.agents import role_metrics as meters
from streams.agents.dropped_fields import DroppedFields
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
    role = intake.Intake(
        outbox,
        shared.dead_letters(outbox),
        bundled_schemas() if shared.registry is None else shared.registry,
        _clock(shared),
        AdmitLimits(settings.oldest_event_ms, settings.future_ms),
        now_ms,
        settings.topic_prefix,
        shared.registry,
        RegistryUnavailable,
        meters.admitted(shared.metrics),
        settings.stale_ms if settings.clock == "wall" else 0,
        DroppedFields(shared.metrics, now_ms).note,
    )
    return shared.app(role, outbox)


def _clock(shared: Shared) -> Leader:
    # A producer of its own: it waits for acknowledgements at other times than a checkpoint does.
    outbox = shared.outbox()
    shared.services.append(_Closing(outbox))
    return Leader(
        outbox,
        shared.timeline,
        shared.name(CATALOGUES),
        now_ms if shared.settings.clock == "wall" else None,
        shared.catalogue_file().current,
        outbox.write,
        shared.shutdown.failed,
        shared.settings.clock_interval_ms / 1000,
        CatchUp(lambda: shared.progress.roles["intake"]),
    )
