"""Before a member joins again it asks whether its instance id belongs to another one now."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, NodeNotReadyError

from streams.shell.exits import EXIT_CONFIG
from streams.shell.faust_app.fencing import (
    InstanceHeartbeat,
    InstanceIdTaken,
    watch_instance_id,
)
from streams.shell.faust_app.hooks import HooksMissing

_UNKNOWN_MEMBER_ID, _GROUP_AUTHORIZATION_FAILED, _FENCED_INSTANCE_ID = 25, 30, 82
_ILLEGAL_GENERATION, _REBALANCE_IN_PROGRESS = 22, 27
_LOADING, _NOT_AVAILABLE, _NOT_COORDINATOR = 14, 15, 16


class _Coordinator:
    """What aiokafka's coordinator does, as far as it matters here; `answers` are error codes."""

    group_id = "shop-decide"
    _retry_backoff_ms = 1

    def __init__(self, *answers: int | KafkaError) -> None:
        self.generation, self.member_id = 3, "member-1"
        self._group_instance_id = "w-0"
        self._answers = list(answers)
        self.sent: list[Any] = []
        self.joined = 0
        self.looked_up_again = 0

    async def _send_req(self, request: Any) -> Any:
        self.sent.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return SimpleNamespace(error_code=answer)

    def coordinator_dead(self) -> None:
        self.looked_up_again += 1

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        self.joined += 1
        self.member_id = "member-2"
        return True

    def reset_generation(self) -> None:
        self.generation, self.member_id = -1, ""


def _watched(coordinator: _Coordinator) -> list[BaseException]:
    failures: list[BaseException] = []
    watch_instance_id(coordinator, failures.append)
    return failures


def test_a_replaced_member_does_not_join_again_and_names_the_setting() -> None:
    coordinator = _Coordinator(_FENCED_INSTANCE_ID)
    failures = _watched(coordinator)
    coordinator.reset_generation()
    with pytest.raises(KafkaError, match="w-0"):
        asyncio.run(coordinator._do_rejoin_group(None))
    assert coordinator.joined == 0
    [taken] = failures
    assert isinstance(taken, InstanceIdTaken)
    assert taken.exit_code == EXIT_CONFIG
    assert 'CONCIERGE_INSTANCE_ID ("w-0")' in str(taken)
    assert "shop-decide" in str(taken)


def test_the_question_carries_the_member_that_was_lost_and_the_instance_id() -> None:
    coordinator = _Coordinator(_UNKNOWN_MEMBER_ID)
    _watched(coordinator)
    coordinator.reset_generation()
    asyncio.run(coordinator._do_rejoin_group(None))
    [asked] = coordinator.sent
    request = asked.prepare({InstanceHeartbeat.API_KEY: (0, 4)})
    assert request.to_object() == {
        "group": "shop-decide",
        "generation_id": -1,
        "member_id": "member-1",
        "group_instance_id": "w-0",
    }


def test_a_member_whose_session_has_expired_joins_again_and_asks_once() -> None:
    coordinator = _Coordinator(_UNKNOWN_MEMBER_ID)
    failures = _watched(coordinator)
    coordinator.reset_generation()
    assert asyncio.run(coordinator._do_rejoin_group(None))
    # The answer to a joining was lost: what holds the id now may be ourselves.
    coordinator.member_id = ""
    assert asyncio.run(coordinator._do_rejoin_group(None))
    assert (coordinator.joined, len(coordinator.sent), failures) == (2, 1, [])


@pytest.mark.parametrize(
    "open_answer",
    [
        *(NodeNotReadyError("the coordinator restarts"), KafkaError("closed")),
        # 0: a coordinator that loads the group accepts every heartbeat.
        *(0, _LOADING, _NOT_AVAILABLE, _NOT_COORDINATOR),
    ],
)
def test_an_answer_that_leaves_it_open_is_no_permission_to_join_and_is_asked_for_again(
    open_answer: int | KafkaError,
) -> None:
    coordinator = _Coordinator(open_answer, open_answer, _UNKNOWN_MEMBER_ID)
    failures = _watched(coordinator)
    coordinator.reset_generation()
    for _ in range(2):
        assert not asyncio.run(coordinator._do_rejoin_group(None))
        assert coordinator.joined == 0
    assert asyncio.run(coordinator._do_rejoin_group(None))
    assert (coordinator.joined, len(coordinator.sent), failures) == (1, 3, [])
    moved = open_answer in (_NOT_AVAILABLE, _NOT_COORDINATOR)
    assert coordinator.looked_up_again == (2 if moved else 0)


def test_a_member_that_was_replaced_while_nothing_answered_does_not_join() -> None:
    coordinator = _Coordinator(_NOT_COORDINATOR, NodeNotReadyError(), _FENCED_INSTANCE_ID)
    failures = _watched(coordinator)
    coordinator.reset_generation()
    assert not asyncio.run(coordinator._do_rejoin_group(None))
    assert not asyncio.run(coordinator._do_rejoin_group(None))
    with pytest.raises(KafkaError, match="w-0"):
        asyncio.run(coordinator._do_rejoin_group(None))
    assert coordinator.joined == 0
    assert [type(each) for each in failures] == [InstanceIdTaken]


@pytest.mark.parametrize("code", [_ILLEGAL_GENERATION, _REBALANCE_IN_PROGRESS])
def test_a_member_that_still_has_the_id_joins_again(code: int) -> None:
    coordinator = _Coordinator(code)
    _watched(coordinator)
    coordinator.reset_generation()
    assert asyncio.run(coordinator._do_rejoin_group(None))


def test_an_answer_that_asking_again_does_not_change_is_raised() -> None:
    coordinator = _Coordinator(_GROUP_AUTHORIZATION_FAILED)
    _watched(coordinator)
    coordinator.reset_generation()
    with pytest.raises(GroupAuthorizationFailedError, match="shop-decide"):
        asyncio.run(coordinator._do_rejoin_group(None))
    assert coordinator.joined == 0


def test_aiokafka_still_goes_on_when_a_joining_has_returned_false() -> None:
    source = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert "success = await self._do_rejoin_group(subscription)" in source
    assert "return None" in source.partition("if success:")[2]


def test_a_refusal_while_joining_is_the_same_mistake() -> None:
    coordinator = _Coordinator(_FENCED_INSTANCE_ID)
    failures = _watched(coordinator)
    asyncio.run(coordinator._send_req("a join with the old member id"))
    assert [type(each) for each in failures] == [InstanceIdTaken]


def test_the_first_joining_asks_nothing() -> None:
    coordinator = _Coordinator()
    coordinator.member_id = ""
    _watched(coordinator)
    assert asyncio.run(coordinator._do_rejoin_group(None))
    assert not coordinator.sent


def test_a_coordinator_of_another_shape_is_noticed() -> None:
    with pytest.raises(HooksMissing, match="_send_req"):
        watch_instance_id(SimpleNamespace(), lambda error: None)
