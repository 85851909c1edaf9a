"""One log line when a worker begins to work, and again after each rebalance."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from streams.shell.telemetry.progress import Progress

_LOOK_EVERY_S = 0.1

log = logging.getLogger("concierge.worker")


class ReadyLine:
    """Watches the roles; says what they have when all of them are ready, and how long it took."""

    def __init__(self, progress: Progress, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock_s = clock_s
        self._waits_since_s = clock_s()
        self._was_ready = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Look once; logs a line when readiness has come or gone."""
        ready = self._progress.ready
        if ready and not self._was_ready:
            waited_s = self._clock_s() - self._waits_since_s
            log.info("ready after %.1f s: %s", waited_s, "; ".join(self._roles()))
        elif self._was_ready and not ready:
            self._waits_since_s = self._clock_s()
        self._was_ready = ready

    def _roles(self) -> list[str]:
        found = []
        for name, role in self._progress.roles.items():
            detail = role.detail()
            found.append(f"{name} {len(role.partitions)} partitions" + (detail and f" ({detail})"))
        return found

    async def _run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_LOOK_EVERY_S)
