"""Logs one line when all roles of a worker are ready, also after each rebalance."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from streams.shell.telemetry.progress import Progress

_CHECK_INTERVAL_S = 0.1

log = logging.getLogger("concierge.worker")


class ReadyLine:
    """Watches the roles and logs, once all are ready, their partitions and how long it took."""

    def __init__(self, progress: Progress, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock_s = clock_s
        self._unready_since_s = clock_s()
        self._was_ready = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start watching."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def check(self) -> None:
        """Check once; log a line if all roles have become ready since the last check."""
        ready = self._progress.ready
        if ready and not self._was_ready:
            waited_s = self._clock_s() - self._unready_since_s
            log.info("ready after %.1f s: %s", waited_s, "; ".join(self._roles()))
        elif self._was_ready and not ready:
            self._unready_since_s = self._clock_s()
        self._was_ready = ready

    def _roles(self) -> list[str]:
        found = []
        for name, role in self._progress.roles.items():
            detail = role.detail()
            found.append(f"{name} {len(role.partitions)} partitions" + (detail and f" ({detail})"))
        return found

    async def _run(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(_CHECK_INTERVAL_S)
