"""Each role does all of its work with the permissions that are declared for it, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # unexported
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from schemas.topics import (
    CATALOGUES,
    LESSONS,
    MODEL_SNAPSHOTS,
    NEXT_BEST_ACTIONS,
    TIMELINE,
    customers_changelog,
)
from streams.cli.main import EXIT_CONFIG
from streams.shell.kafka.acls import WORKERS, Acl, acls
from streams.shell.process.serve import EXIT_FAILED, EXIT_OK
from tests.integration.secure_kafka import SecureKafka
from tests.integration.world import World, write_catalogue
from tests.integration.world_input import DAY_MS, START_MS, InputMaker
from tests.integration.world_worker import Worker
from tests.support.shops import SHOP

pytestmark = pytest.mark.long

_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
_RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
_PASSWORD = "hush-role-2b64"
_LONG = pytest.mark.chaos


class _Guarded:
    """An installation whose roles are users of their own, with the permissions a test gives."""

    def __init__(self, kafka: SecureKafka, folder: Path) -> None:
        self._kafka = kafka
        self._admin = AdminClient({"bootstrap.servers": kafka.broker.bootstrap, "log_level": 0})
        self.world = World(
            kafka.broker.bootstrap,
            f"a{uuid4().hex[:10]}.",
            catalogue_path=write_catalogue(folder, SHOP),
            snapshot_every_lessons=1,
            delivery_timeout_ms=10_000,
        )
        self.declared = acls(self.world.app_id, self.world.prefix, WORKERS)
        for role in WORKERS:
            kafka.add_user(f"{self.world.app_id}-{role}", _PASSWORD)

    def allow(self, wanted: list[Acl]) -> None:
        bindings = [self._binding(acl) for acl in wanted]
        for future in self._admin.create_acls(bindings).values():
            future.result(30)

    def forbid(self, acl: Acl) -> None:
        whole = self._binding(acl)
        one = AclBindingFilter(
            *(whole.restype, whole.name, whole.resource_pattern_type, whole.principal),
            *(whole.host, whole.operation, whole.permission_type),
        )
        for future in self._admin.delete_acls([one]).values():
            assert len(future.result(30)) == 1

    def allowed(self, role: str, operation: str, name: str) -> Acl:
        [found] = [
            acl
            for acl in self.declared
            if (acl.principal, acl.operation, acl.name)
            == (f"User:{self.world.app_id}-{role}", operation, name)
        ]
        return found

    def start(self, role: str, **settings: Any) -> Worker:
        user = f"{self.world.app_id}-{role}"
        login = self._kafka.login("SCRAM-SHA-256", user, _PASSWORD)
        return self.world.start(**login, roles=role, **settings)

    def _binding(self, acl: Acl) -> AclBinding:
        return AclBinding(
            *(_RESOURCES[acl.resource], acl.name, ResourcePatternType.LITERAL, acl.principal),
            *("*", _OPERATIONS[acl.operation], AclPermissionType.ALLOW),
        )


@pytest.fixture
def guarded(secure_kafka: SecureKafka, tmp_path: Path) -> Iterator[_Guarded]:
    made = _Guarded(secure_kafka, tmp_path)
    made.world.create_topics()
    yield made
    made.world.close()


def test_every_role_does_its_whole_work_with_exactly_what_is_declared(guarded: _Guarded) -> None:
    world = guarded.world
    guarded.allow(guarded.declared)
    maker = InputMaker(2_000, seed=12)
    for day in range(2):
        # The second day begins with what the first has left: state, models, catalogue, offsets.
        workers = {role: guarded.start(role) for role in WORKERS}
        for worker in workers.values():
            worker.await_ready()
        from_ms = START_MS + 4 * day * DAY_MS
        world.send(maker.act(300, from_ms, from_ms + DAY_MS))
        world.await_read(workers["intake"], "intake")
        world.tick(from_ms + 3 * DAY_MS)
        world.await_settled(workers["decide"])
        for worker in workers.values():
            assert worker.terminate() == EXIT_OK, worker.said()
            assert "uthorization" not in worker.said()
    for topic in (CATALOGUES, NEXT_BEST_ACTIONS, LESSONS, MODEL_SNAPSHOTS):
        assert world.read(topic)
    assert world.states()


@pytest.mark.parametrize(
    ("role", "operation", "topic"),
    [
        pytest.param("intake", "Write", TIMELINE.name, marks=_LONG),
        pytest.param("decide", "Read", TIMELINE.name, marks=_LONG),
        ("decide", "Write", "changelog"),
        pytest.param("decide", "Read", "changelog", marks=_LONG),
        pytest.param("learn", "Read", MODEL_SNAPSHOTS.name, marks=_LONG),
    ],
)
def test_a_missing_permission_ends_the_worker_that_needs_it_and_is_named(
    guarded: _Guarded, role: str, operation: str, topic: str
) -> None:
    world = guarded.world
    guarded.allow(guarded.declared)
    name = customers_changelog(world.app_id).name if topic == "changelog" else world.name(topic)
    guarded.forbid(guarded.allowed(role, operation, name))
    if (role, operation) == ("decide", "Write"):
        guarded.start("intake")
    worker = guarded.start(role)
    world.send(InputMaker(500, seed=13).act(300, START_MS, START_MS + DAY_MS))
    assert worker.ended() == EXIT_FAILED, worker.said()
    last = worker.said().strip().splitlines()[-1]
    assert name in last
    assert "ACL" in last


@pytest.mark.chaos
def test_a_topic_that_may_not_even_be_looked_at_is_told_before_anything_is_read(
    guarded: _Guarded,
) -> None:
    guarded.allow(guarded.declared)
    name = guarded.world.name(LESSONS)
    guarded.forbid(guarded.allowed("intake", "Describe", name))
    guarded.forbid(guarded.allowed("intake", "DescribeConfigs", name))
    worker = guarded.start("intake")
    assert worker.ended() == EXIT_CONFIG
    (line,) = worker.said().strip().splitlines()
    assert f"{name} is missing" in line
    assert "ACL" in line


def test_who_may_not_join_its_group_is_told_which(guarded: _Guarded) -> None:
    guarded.allow(guarded.declared)
    group = f"{guarded.world.app_id}-decide"
    guarded.forbid(guarded.allowed("decide", "Read", group))
    worker = guarded.start("decide")
    assert worker.ended() == EXIT_FAILED, worker.said()
    assert group in worker.said().strip().splitlines()[-1]
