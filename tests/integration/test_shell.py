"""Nothing is lost, doubled or changed, whatever happens to a worker: on both brokers."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.process.serve import EXIT_CONFIG, EXIT_FAILED, EXIT_OK
from tests.integration.shell_world import ShellWorld
from tests.support.kafka import RealKafka
from tests.support.patience import PATIENCE_S

RECORDS = 20_000


# One broker is enough while a change is made.
@pytest.fixture(params=["embedded_broker", pytest.param("kafka", marks=pytest.mark.long)])
def world(request: pytest.FixtureRequest, topic_prefix: str) -> Iterator[ShellWorld]:
    broker = request.getfixturevalue(request.param)
    real = not isinstance(broker, EmbeddedBroker)
    made = ShellWorld(broker.bootstrap, topic_prefix, creates_topics=real)
    yield made
    made.close()


@pytest.fixture
def kafka_world(kafka: RealKafka, topic_prefix: str) -> Iterator[ShellWorld]:
    made = ShellWorld(kafka.bootstrap, topic_prefix, creates_topics=True)
    yield made
    made.close()


def test_sigterm_drains_checkpoints_and_exits_0(world: ShellWorld) -> None:
    world.feed(RECORDS)
    worker = world.start()
    world.await_committed(RECORDS)
    world.feed(1_000)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == EXIT_OK
    follower = world.start()
    world.await_committed(world.fed)
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(PATIENCE_S) == EXIT_OK
    world.check()


def test_a_client_that_stops_coordinating_ends_the_worker_at_once(world: ShellWorld) -> None:
    world.feed(1_000)
    worker = world.start(failpoint="coordination")
    assert worker.wait(PATIENCE_S) == EXIT_FAILED
    assert "stopped coordinating with the consumer group" in world.said(worker)
    assert "a bug of the client" in world.said(worker)


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(world: ShellWorld) -> None:
    world.feed(RECORDS)
    worker = world.start()
    world.await_committed(RECORDS // 4)
    worker.kill()
    worker.wait()
    world.feed(1_000)
    world.start()
    world.await_committed(world.fed)
    world.check()


@pytest.mark.parametrize("step", ["cut", "outputs", "probe", "changelog", "commit"])
def test_a_worker_may_die_after_any_step_of_a_checkpoint(
    kafka_world: ShellWorld, step: str
) -> None:
    kafka_world.feed(RECORDS)
    # A static member: its successor gets the partitions at once.
    dying = kafka_world.start(failpoint=f"count:{step}:2", instance="one")
    assert dying.wait(PATIENCE_S) == -signal.SIGKILL
    kafka_world.start(instance="one")
    kafka_world.await_committed(kafka_world.fed)
    kafka_world.check()


def test_a_failing_agent_exits_70_with_its_record_uncommitted(world: ShellWorld) -> None:
    world.feed(1_000)
    worker = world.start()
    world.await_committed(world.fed)
    world.poison()
    assert worker.wait(PATIENCE_S) == EXIT_FAILED
    assert "ValueError: poison" in world.said(worker)
    assert world.committed() == world.fed


def test_a_second_worker_joins_and_leaves_without_a_trace(kafka_world: ShellWorld) -> None:
    kafka_world.feed(RECORDS)
    kafka_world.start()
    kafka_world.await_committed(RECORDS // 10)
    second = kafka_world.start()
    kafka_world.await_assigned(second)
    kafka_world.feed(RECORDS)
    kafka_world.await_committed(RECORDS + RECORDS // 2)
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE_S) == EXIT_OK
    kafka_world.feed(RECORDS)
    kafka_world.await_committed(kafka_world.fed)
    kafka_world.check()


# With an instance id, too, while no other worker has taken it.
@pytest.mark.parametrize("instances", [("", ""), ("one", "two")], ids=["dynamic", "static"])
def test_a_worker_frozen_past_its_session_writes_nothing_when_woken(
    kafka_world: ShellWorld, instances: tuple[str, str]
) -> None:
    kafka_world.feed(RECORDS)
    frozen = kafka_world.start(instance=instances[0])
    kafka_world.await_committed(RECORDS // 10)
    kafka_world.await_assigned(kafka_world.start(instance=instances[1]))
    frozen.send_signal(signal.SIGSTOP)
    kafka_world.feed(RECORDS)
    # Only once the group has given the frozen one's partitions away can all be committed.
    kafka_world.await_committed(kafka_world.fed)
    frozen.send_signal(signal.SIGCONT)
    kafka_world.feed(RECORDS)
    kafka_world.await_committed(kafka_world.fed)
    frozen.send_signal(signal.SIGTERM)
    assert frozen.wait(PATIENCE_S) == EXIT_OK
    kafka_world.check()


def test_of_two_workers_with_one_instance_id_the_replaced_one_ends_and_names_the_setting(
    kafka_world: ShellWorld,
) -> None:
    kafka_world.feed(RECORDS)
    first = kafka_world.start(instance="one")
    kafka_world.await_committed(RECORDS // 10)
    second = kafka_world.start(instance="one")
    assert first.wait(PATIENCE_S) == EXIT_CONFIG
    assert 'CONCIERGE_INSTANCE_ID ("one")' in kafka_world.said(first)
    kafka_world.feed(RECORDS)
    kafka_world.await_committed(kafka_world.fed)
    assert second.poll() is None
    kafka_world.check()
