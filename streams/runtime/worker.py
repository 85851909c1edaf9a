"""Run the roles of one worker in one event loop until a signal or a failure ends them.

Our own small main instead of Faust's: no web server, no log set-up, no redirected stdout, and the
exit code says whether everything that was read has been made safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from streams.runtime.app import ShellApp

EXIT_OK = 0
# sysexits.h EX_SOFTWARE: restarting is right, the last checkpoint is what counts.
EXIT_FAILED = 70

log = logging.getLogger("concierge.worker")


class Service(Protocol):
    """Something that runs beside the roles (the health server, the version reader)."""

    async def start(self) -> None:
        """Begin; raising ends the worker before it has begun."""

    async def stop(self) -> None:
        """End."""


class Fate:
    """How the worker ends: the first failure, or a request to stop, whichever comes first."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self._decided = asyncio.Event()

    def failed(self, error: BaseException) -> None:
        """Note the first failure; later ones are its consequences."""
        if self.failure is None and not isinstance(error, asyncio.CancelledError):
            self.failure = error
        self._decided.set()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._decided.set()

    async def decided(self) -> None:
        """Wait until the worker has to end."""
        await self._decided.wait()


async def serve(
    apps: Sequence[ShellApp],
    fate: Fate,
    services: Sequence[Service] = (),
    stop_timeout_s: float = 30.0,
) -> int:
    """Run the apps until `fate` is decided; return the exit code.

    An orderly end drains and checkpoints each app, in the order given, and leaves its group. A
    failure commits nothing and does not wait longer than `stop_timeout_s`.
    """
    with _signals(fate.stop):
        running: list[asyncio.Task[None]] = []
        try:
            for service in services:
                await service.start()
            for app in apps:
                running.append(_watch(app.start(), fate))
                running.append(_watch(app.shell.run_checkpoints(), fate))
            await fate.decided()
        except Exception as error:
            fate.failed(error)
        await _stop(apps, services, fate, stop_timeout_s)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    if fate.failure is None:
        return EXIT_OK
    log.error(
        "stopped with nothing further committed: %s: %s",
        type(fate.failure).__name__,
        fate.failure,
        exc_info=fate.failure,
    )
    return EXIT_FAILED


def run(main: Callable[[], Awaitable[int]]) -> int:
    """Run a worker's coroutine in an event loop of its own and return its exit code.

    Does not return when a failure has left threads behind that would keep the process alive (a
    consumer that cannot be stopped): then it ends the process with the code.
    """

    async def in_loop() -> int:
        return await main()

    code = asyncio.run(in_loop())
    left = [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    if code != EXIT_OK and left:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


async def _stop(
    apps: Sequence[ShellApp], services: Sequence[Service], fate: Fate, timeout_s: float
) -> None:
    for part in (*apps, *reversed(services)):
        try:
            await asyncio.wait_for(part.stop(), timeout_s)
        except Exception as error:
            fate.failed(error)
    for app in apps:
        await app.shell.outbox.close()
        await app.shell.writer.close()


def _watch(coro: Awaitable[None], fate: Fate) -> asyncio.Task[None]:
    async def watched() -> None:
        try:
            await coro
        except Exception as error:
            fate.failed(error)

    return asyncio.create_task(watched())


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
