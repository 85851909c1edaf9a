"""Refused permissions as an error that names what to allow; and the group that never answers.

aiokafka keeps a refusal of the group until the next fetch, and its coordination waits for that
fetch. Before an assignment there is none, and ours does not ask for it (`consumer_thread`): the
worker would wait for ever without a word, even after an error that passes.
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

_LOOK_EVERY_S = 1.0

log = logging.getLogger("concierge.group")


class Forbidden(WorkerExit):
    """A permission is missing. Somebody may grant it while we restart, so a restart is right."""


def as_worker_exit(error: BaseException) -> BaseException:
    """Return the sentence that stands for a refusal of the brokers; any other error as it is."""
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
    """Look every second what the group has refused; tell `failed` what waiting does not mend.

    What may be tried again is taken from the coordination, which then tries again. `consumer`
    returns the aiokafka consumer, None before its start; `in_thread` runs a coroutine in the
    thread that owns it.
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
    """Take what the coordination waits with; raises what must not be tried again."""
    try:
        coordinator.check_errors()
    except KafkaError as error:
        if not error.retriable:
            raise
        log.warning("%s: tries again after %r", coordinator.group_id, error)


def _named(error: KafkaError) -> str:
    """Return what aiokafka says an error is about: a group, or a set of topics."""
    named = error.args[0] if error.args else "(the brokers name none)"
    return ", ".join(sorted(map(str, named))) if isinstance(named, set | frozenset) else str(named)
