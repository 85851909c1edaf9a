"""Run the roles of one worker in one event loop until a signal or a failure ends them.

This replaces Faust's own main program: no web server, no log set-up, no redirected stdout. Exit
code 0 means that the work on all records that were read is committed.
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

# After a failure nothing may be committed. This time is for leaving the groups, so that others take
# over at once; a consumer without brokers would try for a minute.
_STEP_TIMEOUT_S = 3.0
# Steps of a shutdown that wait this long one after the other, and one more for a busy machine.
_SHUTDOWN_STEPS = 5

log = logging.getLogger("concierge.worker")


class Service(Protocol):
    """A service beside the roles (the health server, the version reader)."""

    async def start(self) -> None:
        """Start; an exception ends the worker before its roles start."""

    async def stop(self) -> None:
        """Stop."""


class Shutdown:
    """Whether and why the worker ends: the first failure, or a request to stop."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.failing = asyncio.Event()
        self._requested = asyncio.Event()

    def failed(self, error: BaseException) -> None:
        """Note the first failure and request the end; later failures are consequences of it."""
        if self.failure is None and not isinstance(error, asyncio.CancelledError):
            self.failure = error
            self.failing.set()
        self._requested.set()

    def stop(self) -> None:
        """Request an orderly end."""
        self._requested.set()

    async def requested(self) -> None:
        """Wait until the end is requested."""
        await self._requested.wait()


async def serve(
    apps: Sequence[ShellApp],
    shutdown: Shutdown,
    services: Sequence[Service] = (),
    stop_timeout_s: float = 20.0,
) -> int:
    """Run the apps until `shutdown` is requested; return the exit code.

    An orderly end drains and checkpoints each app, in the given order, and leaves its group, all
    within `stop_timeout_s`; more counts as a failure. After a failure nothing is committed, and the
    worker ends within seconds. Raises what a service raises at its start, before any app starts.
    """
    with _signals(shutdown.stop):
        await _start(services)
        running = [_watch(collect_hourly(), shutdown)]
        for app in apps:
            running.append(_watch(app.start(), shutdown))
            running.append(_watch(app.runner.run_checkpoints(), shutdown))
        await shutdown.requested()
        at_most_s = stop_timeout_s + _SHUTDOWN_STEPS * _STEP_TIMEOUT_S
        with exit_after(at_most_s, lambda: _log_failure(shutdown.failure or _too_long(at_most_s))):
            await _stop(apps, services, shutdown, stop_timeout_s)
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_STEP_TIMEOUT_S)
    return EXIT_OK if shutdown.failure is None else _log_failure(shutdown.failure)


def run(main: Callable[[], Awaitable[int]]) -> NoReturn:
    """Run a worker's coroutine in an event loop and end the process with its exit code.

    When `main` returns, all work is committed. Threads and tasks of libraries that have not ended
    (a consumer that cannot be stopped, a registry that does not answer) are not waited for. Raises
    what `main` raises.
    """
    threading.excepthook = _thread_ended

    async def in_loop() -> NoReturn:
        exit_process(await main())

    share_one_arena()
    tune_garbage_collector()
    asyncio.run(in_loop())
    raise AssertionError("exit_process returned")


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    # A CancelledError comes from a Faust consumer thread that was connecting to the brokers.
    if not issubclass(ended.exc_type, asyncio.CancelledError):
        name = ended.thread.name if ended.thread is not None else "a thread"
        log.error("%s ended: %s: %s", name, ended.exc_type.__name__, ended.exc_value)


def _log_failure(failure: BaseException) -> int:
    """Log why the worker ends; return its exit code. Only a bug is logged with a traceback."""
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
    # It is not cancelled on a timeout: Faust ignores a cancellation while it stops its services.
    await asyncio.wait((draining, failing), timeout=timeout_s, return_when=FIRST_COMPLETED)
    if not (draining.done() or failing.done()):
        shutdown.failed(_too_long(timeout_s))
    failing.cancel()
    if shutdown.failure is not None:
        await _stop_all([draining, *(app.stop() for app in apps)])
    await _stop_all([service.stop() for service in reversed(services)])
    outboxes = [outbox for app in apps for outbox in (app.runner.outbox, app.runner.writer)]
    await _stop_all([outbox.close() for outbox in outboxes])


def _too_long(within_s: float) -> WorkerExit:
    return WorkerExit(f"the current work could not be committed within {within_s:.0f} s")


async def _drain(apps: Sequence[ShellApp], shutdown: Shutdown) -> None:
    for app in apps:
        if shutdown.failure is not None:
            return
        try:
            await app.stop()
        except Exception as error:
            shutdown.failed(error)


async def _stop_all(stopping: Sequence[Awaitable[None]]) -> None:
    """Stop services concurrently, and wait for them `_STEP_TIMEOUT_S` at most."""
    tasks = [asyncio.ensure_future(each) for each in stopping]
    if tasks:
        await asyncio.wait(tasks, timeout=_STEP_TIMEOUT_S)


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
