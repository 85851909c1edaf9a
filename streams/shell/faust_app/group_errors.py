"""Errors of a consumer's group: a refused permission, and a coordination that has ended.

aiokafka reports neither in time. It keeps a refusal until the next fetch, and its coordination
waits for that fetch. Before an assignment there is no fetch, and `consumer_thread` does not raise
the refusal: the worker would wait for ever, even after an error that passes. If the coordination
itself ends, fetches go on until the session times out and the group drops the member.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from streams.shell.exits import WorkerExit
from streams.shell.faust_app.hooks import HooksMissing

_LOOK_EVERY_S = 1.0

log = logging.getLogger("concierge.group")


class Forbidden(WorkerExit):
    """A permission is missing; an operator may grant it at any time, so a restart is right."""


class CoordinationEnded(WorkerExit):
    """The task in which aiokafka joins the group, and rejoins it, has ended before its consumer."""

    def __init__(self, group: str, error: BaseException | None) -> None:
        super().__init__(
            f"the client has stopped coordinating with the consumer group {group}: "
            f"{_cause(error)}. It can keep no partition, so the "
            "worker ends with nothing more committed; a restart joins the group again"
        )


def _cause(error: BaseException | None) -> str:
    """Return the first error of a chain: aiokafka fails again while it reports one."""
    while error is not None and error.__context__ is not None:
        error = error.__context__
    return "its task ended without an error" if error is None else repr(error)


# What is used of aiokafka's coordinator, beside its public `group_id`.
_HOOKS = ("_coordination_task", "_closing", "_pending_exception", "check_errors")


def watch_coordination(coordinator: Any, failed: Callable[[BaseException], None]) -> None:
    """Call `failed` with `CoordinationEnded` as soon as the coordination ends before `close`.

    `coordinator` is aiokafka's, of a consumer that has started; `failed` is called in its thread.
    """
    for name in _HOOKS:
        if not hasattr(coordinator, name):
            raise HooksMissing(f"aiokafka's group coordinator has no {name} any more")

    def ended(task: asyncio.Task[None]) -> None:
        if not coordinator._closing.done():
            error = None if task.cancelled() else task.exception()
            failed(CoordinationEnded(coordinator.group_id, error))

    coordinator._coordination_task.add_done_callback(ended)


def as_worker_exit(error: BaseException) -> BaseException:
    """Return `Forbidden`, with what to allow, for a refused permission; other errors unchanged."""
    grant = "an ACL is missing, `concierge topics --acls` prints what each role needs"
    if isinstance(error, GroupAuthorizationFailedError):
        return Forbidden(f"the user may not Read the group {_named(error)}: {grant}")
    if isinstance(error, TopicAuthorizationFailedError):
        return Forbidden(f"the user may not Read {_named(error)}: {grant}")
    return error


async def watch_group(
    consumer: Callable[[], Any],
    failed: Callable[[BaseException], None],
    in_thread: Callable[[Awaitable[None]], Awaitable[None]],
) -> None:
    """Look every second for an error of the group; call `failed` with one that is not retriable.

    A retriable error is taken from the coordination, which then tries again. `consumer` returns
    the aiokafka consumer, None before its start. `in_thread` runs a coroutine in the thread that
    owns it.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        coordinator = getattr(consumer(), "_coordinator", None)
        refused = getattr(coordinator, "_pending_exception", None)
        if refused is None:
            continue
        if refused.retriable:
            try:
                await in_thread(_take_error(coordinator))
                continue
            except KafkaError as error:
                refused = error
        failed(refused)
        return


async def _take_error(coordinator: Any) -> None:
    """Take the error with which the coordination waits; raise it if it is not retriable."""
    try:
        coordinator.check_errors()
    except KafkaError as error:
        if not error.retriable:
            raise
        log.warning("%s: tries again after %r", coordinator.group_id, error)


def _named(error: KafkaError) -> str:
    """Return the group, or the topics, that aiokafka names in an error."""
    named = error.args[0] if error.args else "(the brokers name none)"
    return ", ".join(sorted(map(str, named))) if isinstance(named, set | frozenset) else str(named)
