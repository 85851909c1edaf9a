"""What the brokers forbid us, told as what has to be allowed; and the group that never answers.

aiokafka keeps a refusal of the group for whoever fetches next. Before the first assignment nobody
fetches, so a worker that may not join would wait for ever without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from streams.runtime.endings import Ending

_LOOK_EVERY_S = 1.0


class Forbidden(Ending):
    """A permission is missing. Somebody may grant it while we restart, so a restart is right."""


def told(error: BaseException) -> BaseException:
    """Return the sentence that stands for a refusal of the brokers; any other error as it is."""
    grant = "an ACL is missing, `concierge topics --acls` prints what each role needs"
    if isinstance(error, GroupAuthorizationFailedError):
        return Forbidden(f"the user may not Read the group {_named(error)}: {grant}")
    if isinstance(error, TopicAuthorizationFailedError):
        return Forbidden(f"the user may not Read {_named(error)}: {grant}")
    return error


async def watch_group(consumer: Callable[[], Any], failed: Callable[[BaseException], None]) -> None:
    """Look every second what the group has refused; tell `failed` what waiting does not mend.

    `consumer` returns the aiokafka consumer, None before its start. It is only looked at: it
    belongs to another thread, and whoever fetches is still told.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        refused = getattr(getattr(consumer(), "_coordinator", None), "_pending_exception", None)
        # The coordination goes on by itself after what may be tried again.
        if refused is not None and not refused.retriable:
            failed(refused)
            return


def _named(error: KafkaError) -> str:
    """Return what aiokafka says an error is about: a group, or a set of topics."""
    named = error.args[0] if error.args else "(not told which)"
    return ", ".join(sorted(map(str, named))) if isinstance(named, set | frozenset) else str(named)
