"""Run the roles of one worker in one event loop until a signal or a failure ends them.

Our own small main instead of Faust's: no web server, no log set-up, no redirected stdout, and the
exit code says whether everything that was read has been made safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NoReturn, Protocol

from confluent_kafka import KafkaException

from streams.core.state.codec import StateError
from streams.shell.exits import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, WorkerExit
from streams.shell.faust_app.app import ShellApp
from streams.shell.faust_app.group_errors import as_worker_exit
from streams.shell.kafka.error_advice import advice
from streams.shell.process.arena import share_one_arena
from streams.shell.process.exit_process import exit_after, exit_process
from streams.shell.process.garbage_collector import collect_hourly, tune_garbage_collector

__all__ = ["EXIT_CONFIG", "EXIT_FAILED", "EXIT_OK", "Service", "Shutdown", "run", "serve"]

# After a failure there is nothing to make safe any more: this is for leaving the groups, so that
# others take over at once. A consumer whose brokers are away would try for a minute.
_LEAVE_WITHIN_S = 3.0
# As often as that is waited for, one after the other, and once more for a busy machine.
_STEPS_OF_LEAVING = 5

log = logging.getLogger("concierge.worker")


class Service(Protocol):
    """Something that runs beside the roles (the health server, the version reader)."""

    async def start(self) -> None:
        """Begin; raising ends the worker before it has begun."""

    async def stop(self) -> None:
        """End."""


class Shutdown:
    """How the worker ends: the first failure, or a request to stop, whichever comes first."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.failing = asyncio.Event()
        self._requested = asyncio.Event()

    def failed(self, error: BaseException) -> None:
        """Note the first failure; later ones are its consequences."""
        if self.failure is None and not isinstance(error, asyncio.CancelledError):
            self.failure = error
            self.failing.set()
        self._requested.set()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._requested.set()

    async def requested(self) -> None:
        """Wait until the worker has to end."""
        await self._requested.wait()


async def serve(
    apps: Sequence[ShellApp],
    shutdown: Shutdown,
    services: Sequence[Service] = (),
    stop_timeout_s: float = 20.0,
) -> int:
    """Run the apps until `shutdown` is requested; return the exit code.

    An orderly end drains and checkpoints each app, in the order given, and leaves its group, all
    within `stop_timeout_s`; what takes longer counts as a failure. A failure commits nothing and
    ends within seconds. Raises what a service raises at its start: then nothing has begun.
    """
    with _signals(shutdown.stop):
        await _start(services)
        running = [_watch(collect_hourly(), shutdown)]
        for app in apps:
            running.append(_watch(app.start(), shutdown))
            running.append(_watch(app.runner.run_checkpoints(), shutdown))
        await shutdown.requested()
        at_most_s = stop_timeout_s + _STEPS_OF_LEAVING * _LEAVE_WITHIN_S
        with exit_after(at_most_s, lambda: _tell(shutdown.failure or _too_long(at_most_s))):
            await _stop(apps, services, shutdown, stop_timeout_s)
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_LEAVE_WITHIN_S)
    return EXIT_OK if shutdown.failure is None else _tell(shutdown.failure)


def run(main: Callable[[], Awaitable[int]]) -> NoReturn:
    """Run a worker's coroutine in an event loop of its own and end the process with its exit code.

    Everything that was to be made safe is so when `main` returns. What libraries have left behind
    (a consumer that cannot be stopped, a registry that does not answer) is not waited for. Raises
    what `main` raises: then nothing has begun.
    """
    threading.excepthook = _thread_ended

    async def in_loop() -> NoReturn:
        exit_process(await main())

    share_one_arena()
    tune_garbage_collector()
    asyncio.run(in_loop())
    raise AssertionError("whoever has left does not come back")


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    # Faust's consumer threads, cut off in an attempt to reach brokers that are away.
    if not issubclass(ended.exc_type, asyncio.CancelledError):
        name = ended.thread.name if ended.thread is not None else "a thread"
        log.error("%s ended: %s: %s", name, ended.exc_type.__name__, ended.exc_value)


def _tell(failure: BaseException) -> int:
    """Log why the worker ended; return its exit code. Only a bug gets a trace."""
    failure = as_worker_exit(failure)
    if isinstance(failure, WorkerExit):
        log.error("stopped with nothing further committed: %s", failure)
        return failure.exit_code
    if isinstance(failure, StateError):
        log.error("stopped with nothing further committed: %s", failure)
        return EXIT_CONFIG
    if isinstance(failure, KafkaException):
        log.error("stopped with nothing further committed: Kafka: %s", advice(failure.args[0]))
        return EXIT_FAILED
    log.error(
        "stopped with nothing further committed: %s: %s",
        type(failure).__name__,
        failure,
        exc_info=failure,
    )
    return EXIT_FAILED


async def _start(services: Sequence[Service]) -> None:
    started: list[Service] = []
    try:
        for service in services:
            await service.start()
            started.append(service)
    except BaseException:
        for service in reversed(started):
            await service.stop()
        raise


async def _stop(
    apps: Sequence[ShellApp], services: Sequence[Service], shutdown: Shutdown, timeout_s: float
) -> None:
    draining = asyncio.create_task(_drain(apps, shutdown))
    failing = asyncio.create_task(shutdown.failing.wait())
    # Waited for, not cancelled: Faust swallows a cancellation where it stops its services.
    await asyncio.wait((draining, failing), timeout=timeout_s, return_when=FIRST_COMPLETED)
    if not (draining.done() or failing.done()):
        shutdown.failed(_too_long(timeout_s))
    failing.cancel()
    if shutdown.failure is not None:
        await _at_once([draining, *(app.stop() for app in apps)])
    await _at_once([service.stop() for service in reversed(services)])
    outboxes = [outbox for app in apps for outbox in (app.runner.outbox, app.runner.writer)]
    await _at_once([outbox.close() for outbox in outboxes])


def _too_long(within_s: float) -> WorkerExit:
    return WorkerExit(f"the work under way could not be made safe within {within_s:.0f} s")


async def _drain(apps: Sequence[ShellApp], shutdown: Shutdown) -> None:
    for app in apps:
        if shutdown.failure is not None:
            return
        try:
            await app.stop()
        except Exception as error:
            shutdown.failed(error)


async def _at_once(stopping: Sequence[Awaitable[None]]) -> None:
    """Run what stops something side by side, and wait for it no longer than it deserves."""
    tasks = [asyncio.ensure_future(each) for each in stopping]
    if tasks:
        await asyncio.wait(tasks, timeout=_LEAVE_WITHIN_S)


def _watch(coro: Awaitable[None], shutdown: Shutdown) -> asyncio.Task[None]:
    async def watched() -> None:
        try:
            await coro
        except Exception as error:
            shutdown.failed(error)

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
