"""How a worker ends: what it says, what it exits with, and that no library holds it up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.core.state.codec import StateError
from streams.shell.exits import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, ConfigExit, WorkerExit
from streams.shell.kafka.error_advice import advice, undelivered
from streams.shell.process import serve as worker
from streams.shell.process.serve import Shutdown, serve


class _Closed:
    async def close(self) -> None: ...


class _Runner:
    outbox = writer = _Closed()

    async def run_checkpoints(self) -> None:
        await asyncio.Event().wait()


# How an app stops; the event is the end of the process, which is the end of whatever still runs.
Stop = Callable[[asyncio.Event], Awaitable[None]]


class _App:
    """An app that runs until it is stopped, and stops as the test says."""

    def __init__(self, stop: Stop, process_ends: asyncio.Event) -> None:
        self.runner, self._stop, self._process_ends = _Runner(), stop, process_ends

    async def start(self) -> None: ...

    async def stop(self) -> None:
        await self._stop(self._process_ends)


async def _at_once(process_ends: asyncio.Event) -> None: ...


async def _never(process_ends: asyncio.Event) -> None:
    while not process_ends.is_set():
        # As mode does where it stops its services.
        with suppress(asyncio.CancelledError):
            await process_ends.wait()


def _serve(shutdown: Shutdown, *stops: Stop, within_s: float = 9.0) -> int:
    async def main() -> int:
        process_ends = asyncio.Event()
        code = await serve(
            cast(Any, [_App(stop, process_ends) for stop in stops]), shutdown, (), within_s
        )
        left = asyncio.all_tasks() - {cast(asyncio.Task[Any], asyncio.current_task())}
        assert bool(left) == any(stop is not _at_once for stop in stops), left
        # The product's process ends here, by `exit_process`; the test's goes on.
        process_ends.set()
        await asyncio.gather(*left)
        return code

    return asyncio.run(main())


@pytest.fixture
def leaves_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for long, and the watch that ends the process would end the test run."""
    monkeypatch.setattr(worker, "_STEP_TIMEOUT_S", 0.01)
    monkeypatch.setattr(worker, "_SHUTDOWN_STEPS", 60_000)


def _failed(error: BaseException) -> Shutdown:
    shutdown = Shutdown()
    shutdown.failed(error)
    return shutdown


def test_an_orderly_end_is_zero() -> None:
    shutdown = Shutdown()
    shutdown.stop()
    assert _serve(shutdown, _at_once, _at_once) == EXIT_OK


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (WorkerExit("too many dead letters"), EXIT_FAILED),
        (ConfigExit("the changelog is empty"), EXIT_CONFIG),
        (StateError("stored by a newer release"), EXIT_CONFIG),
        (KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN)), EXIT_FAILED),
    ],
)
def test_what_is_no_bug_is_reported_without_a_trace(
    failure: Exception, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert _serve(_failed(failure), _at_once) == code
    [line] = [r for r in caplog.records if r.name == "concierge.worker"]
    assert line.getMessage().startswith("stopped with nothing further committed: ")
    assert line.exc_info is None


def test_a_bug_is_reported_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    assert _serve(_failed(ValueError("seven")), _at_once) == EXIT_FAILED
    [line] = [r for r in caplog.records if r.name == "concierge.worker"]
    assert line.exc_info is not None


@pytest.mark.usefixtures("leaves_soon")
def test_a_failure_waits_for_nobody_who_does_not_end() -> None:
    assert _serve(_failed(WorkerExit("no broker took it")), _never, _never) == EXIT_FAILED


@pytest.mark.usefixtures("leaves_soon")
def test_an_end_that_takes_too_long_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    shutdown = Shutdown()
    shutdown.stop()
    assert _serve(shutdown, _never, _at_once, within_s=0.02) == EXIT_FAILED
    assert "could not be committed" in caplog.text


@pytest.mark.usefixtures("leaves_soon")
def test_a_failure_while_draining_ends_the_wait() -> None:
    shutdown = Shutdown()
    shutdown.stop()

    async def fails(process_ends: asyncio.Event) -> None:
        shutdown.failed(WorkerExit("no broker took it"))
        await _never(process_ends)

    assert _serve(shutdown, fails, _at_once, within_s=600.0) == EXIT_FAILED


def test_a_record_that_was_not_taken_is_reported_with_its_topic_and_what_to_do() -> None:
    message = undelivered("timeline", 2, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    assert "timeline/2" in message
    assert "max.message.bytes" in message
    message = undelivered("timeline", 2, KafkaError(KafkaError._MSG_TIMED_OUT))
    assert "CONCIERGE_DELIVERY_TIMEOUT_MS" in message


def test_a_record_that_is_refused_before_it_has_a_partition_is_reported_so_too() -> None:
    message = undelivered("timeline", None, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    assert "a record for timeline: " in message
    assert "ACL" in message


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (KafkaError._TRANSPORT, "CONCIERGE_KAFKA"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "ACL"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "concierge topics --create"),
        (KafkaError.INVALID_REPLICATION_FACTOR, "CONCIERGE_REPLICATION_FACTOR"),
    ],
)
def test_an_error_of_kafka_comes_with_what_to_do(code: int, hint: str) -> None:
    assert hint in advice(KafkaError(code))


def test_an_error_that_nobody_knows_better_about_is_reported_as_it_is() -> None:
    assert "reachable" not in advice(KafkaError(KafkaError.INVALID_CONFIG))
