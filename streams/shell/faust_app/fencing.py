"""A second worker with the same CONCIERGE_INSTANCE_ID: the worker that is replaced ends.

With an instance id a member that joins replaces the member that had the id: so a restarted worker
gets its partitions back at once. The replaced member gets the same answer from the group
(UNKNOWN_MEMBER_ID) as one whose session has expired, because aiokafka sends neither heartbeats nor
commits with the instance id. It would join again and so replace the other. Two workers with one id
would replace each other for ever, each deciding again what the other had not committed.

So a member that the group does not know any more asks before it joins: one heartbeat with the old
member id and the instance id. FENCED_INSTANCE_ID means that the id belongs to another member now.
The member joins again if the id is free (its session expired, because it was frozen, for example)
or is still its own. After any other answer, and without an answer, it asks again after a while.

The heartbeat has no valid generation, so the group refuses it in either case. A coordinator that
still loads the group answers every heartbeat with "no error".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.group import HeartbeatRequest, HeartbeatResponse_v1
from aiokafka.protocol.types import Int32, Schema, String

from streams.shell.exits import ConfigExit
from streams.shell.faust_app.hooks import HooksMissing

log = logging.getLogger("concierge.group")

_FENCED_INSTANCE_ID = 82
# ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS: answers about the old member, given
# after the group has compared it with the member that has the instance id.
_NO_OTHER_MEMBER = (22, 25, 27)
# COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: the coordinator has to be looked up again.
_COORDINATOR_MOVED = (15, 16)
_NO_GENERATION = -1
_HEARTBEAT = HeartbeatRequest.API_KEY


class InstanceIdTaken(ConfigExit):
    """Another worker has joined the group with this worker's instance id."""

    def __init__(self, group: str, instance_id: str) -> None:
        super().__init__(
            f"another worker has joined the group {group} with the same CONCIERGE_INSTANCE_ID "
            f'("{instance_id}") and has replaced this one. Give each worker an id of its '
            "own (in a StatefulSet: the name of its pod), or leave the setting empty; a Deployment "
            "with several replicas cannot have one fixed id"
        )


class HeartbeatResponseV3(HeartbeatResponse_v1):  # type: ignore[misc]  # aiokafka is untyped
    """Version 3 of the answer; its fields are those of version 1."""

    API_VERSION = 3


class HeartbeatV3(RequestStruct):  # type: ignore[misc]  # likewise
    """Version 3 of the request, the first that carries an instance id; aiokafka stops at 1."""

    API_KEY = _HEARTBEAT
    API_VERSION = 3
    RESPONSE_TYPE = HeartbeatResponseV3
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class InstanceHeartbeat(Request[HeartbeatV3]):  # type: ignore[misc]  # likewise
    """A heartbeat whose answer separates a replaced member from one whose session expired."""

    API_KEY = _HEARTBEAT

    def __init__(self, group: str, member: str, instance_id: str) -> None:
        self._fields = group, _NO_GENERATION, member, instance_id

    def build(self, request_struct_class: type[HeartbeatV3]) -> HeartbeatV3:
        """Return the request as it is sent."""
        return request_struct_class(*self._fields)


# What is used of aiokafka's coordinator, beside its public `group_id` and `member_id`.
_HOOKS = (
    *("_send_req", "_do_rejoin_group", "reset_generation", "coordinator_dead"),
    *("_group_instance_id", "_retry_backoff_ms"),
)


def watch_instance_id(coordinator: Any, failed: Callable[[BaseException], None]) -> None:
    """Make a coordinator ask before it joins again; call `failed` if its id is taken.

    `coordinator` is aiokafka's, of a consumer that has started and not yet joined. `failed` is
    called in the consumer's thread.
    """
    for name in _HOOKS:
        if not hasattr(coordinator, name):
            raise HooksMissing(f"aiokafka's group coordinator has no {name} any more")
    send, rejoin, reset = (
        coordinator._send_req,
        coordinator._do_rejoin_group,
        coordinator.reset_generation,
    )
    group, instance_id = coordinator.group_id, coordinator._group_instance_id
    lost: list[str] = []

    async def send_req(request: Any) -> Any:
        answer = await send(request)
        # Requests to join and to synchronise have the instance id, too.
        if getattr(answer, "error_code", 0) == _FENCED_INSTANCE_ID:
            failed(InstanceIdTaken(group, instance_id))
        return answer

    def reset_generation() -> None:
        if coordinator.member_id:
            lost[:] = [coordinator.member_id]
        reset()

    async def is_free(member: str) -> bool:
        try:
            code = (await send_req(InstanceHeartbeat(group, member, instance_id))).error_code
        except KafkaError as error:
            # The error must not leave the join: aiokafka would wait for a fetch that never comes.
            log.warning("%s: no answer whether the instance id is free: %s", group, error)
            return False
        if code == _FENCED_INSTANCE_ID:
            raise KafkaError(f"the instance id {instance_id} belongs to another member now")
        if code in _COORDINATOR_MOVED:
            coordinator.coordinator_dead()
        error_type = for_code(code)
        if code not in (0, *_NO_OTHER_MEMBER) and not error_type.retriable:
            raise error_type(group)
        return code in _NO_OTHER_MEMBER

    async def do_rejoin_group(subscription: Any) -> bool:
        if lost and not coordinator.member_id:
            if not await is_free(lost[0]):
                await asyncio.sleep(coordinator._retry_backoff_ms / 1000)
                return False
            # Not asked again: if the answer to the join is lost, this worker is that other member.
            lost.clear()
            log.info("%s: no other worker has the instance id %s", group, instance_id)
        joined: bool = await rejoin(subscription)
        return joined

    coordinator._send_req = send_req
    coordinator._do_rejoin_group = do_rejoin_group
    coordinator.reset_generation = reset_generation
