"""A group that refuses a worker ends it, and the error names the permission to allow."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any
from unittest.mock import MagicMock

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from streams.shell.exits import EXIT_FAILED
from streams.shell.faust_app import group_errors as permission
from streams.shell.faust_app.group_errors import (
    CoordinationEnded,
    Forbidden,
    as_worker_exit,
    watch_coordination,
    watch_group,
)


class _Consumer:
    """As far as it is looked at: a coordinator with what it was refused."""

    group_id = "shop-decide"

    def __init__(self, pending: Exception | None, taken: Exception | None = None) -> None:
        self._coordinator = self
        self._pending_exception = pending
        self._taken = taken or pending

    def check_errors(self) -> None:
        self._pending_exception = None
        if self._taken is not None:
            raise self._taken


async def _here(coroutine: Awaitable[None]) -> None:
    await coroutine


def test_the_sentence_names_the_group_or_the_topics() -> None:
    group = as_worker_exit(GroupAuthorizationFailedError("shop-decide"))
    assert isinstance(group, Forbidden)
    assert "Read the group shop-decide" in str(group)
    topics = as_worker_exit(TopicAuthorizationFailedError({"timeline", "lessons"}))
    assert "Read lessons, timeline" in str(topics)
    assert "concierge topics --acls" in str(topics)


def test_any_other_error_stays_what_it_is() -> None:
    error = ValueError("something else")
    assert as_worker_exit(error) is error


def test_a_refused_member_fails_the_worker_and_a_passing_trouble_does_not(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(permission, "_LOOK_EVERY_S", 0.0)
    refusal = GroupAuthorizationFailedError("shop-decide")
    passing = _Consumer(KafkaConnectionError())
    seen = iter([None, _Consumer(None), passing, _Consumer(refusal)])
    failures: list[BaseException] = []
    asyncio.run(watch_group(lambda: next(seen), failures.append, _here))
    assert failures == [refusal]
    # aiokafka waits with it until it is taken.
    assert passing._pending_exception is None


def test_a_refusal_that_comes_while_a_passing_trouble_is_taken_fails_the_worker(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(permission, "_LOOK_EVERY_S", 0.0)
    refusal = KafkaError("the coordination has ended")
    consumer = _Consumer(KafkaConnectionError(), refusal)
    failures: list[BaseException] = []
    asyncio.run(watch_group(lambda: consumer, failures.append, _here))
    assert failures == [refusal]


def test_aiokafka_still_keeps_a_refusal_where_it_is_looked_for() -> None:
    source = inspect.getsource(GroupCoordinator)
    assert "self._pending_exception = exc" in source
    assert "self._error_consumed_fut.set_result(None)" in source.partition("def check_errors")[2]


def test_a_coordination_that_dies_fails_the_worker_at_once(monkeypatch: Any) -> None:
    async def dies(self: GroupCoordinator) -> None:
        raise ValueError("a bug of the client")

    monkeypatch.setattr(GroupCoordinator, "_GroupCoordinator__coordination_routine", dies)
    failures: list[BaseException] = []

    async def scenario() -> None:
        coordinator = GroupCoordinator(MagicMock(), SubscriptionState(), group_id="shop-decide")
        watch_coordination(coordinator, failures.append)
        await asyncio.wait([coordinator._coordination_task])
        # The callback runs in the next turn of the loop.
        await asyncio.sleep(0)

    asyncio.run(scenario())
    (failure,) = failures
    assert isinstance(failure, CoordinationEnded)
    assert failure.exit_code == EXIT_FAILED
    assert "consumer group shop-decide" in str(failure)
    assert "a bug of the client" in str(failure)


def test_a_coordination_that_is_closed_is_no_failure() -> None:
    failures: list[BaseException] = []

    async def scenario() -> None:
        coordinator = GroupCoordinator(MagicMock(), SubscriptionState(), group_id="shop-decide")
        watch_coordination(coordinator, failures.append)
        await coordinator.close()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert failures == []
