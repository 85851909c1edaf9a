"""State on its changelog: compacted, lost, cut, widened, of another release."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]  # unexported

from schemas.topics import TIMELINE, customers_changelog
from streams.core.state.codec import PARTITION_KEY
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.process.serve import EXIT_CONFIG
from streams.shell.state import stamp
from tests.chaos.faults import admin, alter, delete, expire, last_line, write
from tests.chaos.world import PARTITIONS, ChaosWorld
from tests.support.kafka import RealKafka

# Each starts two or three workers; what is refused at once has its short stories in
# `test_start_and_stop`.
pytestmark = pytest.mark.chaos


def _changelog(world: ChaosWorld) -> str:
    return customers_changelog(world.app_id).name


def _refused(world: ChaosWorld) -> str:
    """Start a worker that must refuse; return what it says."""
    worker = world.start()
    world.alive.remove(worker)
    assert worker.ended() == EXIT_CONFIG, worker.said()
    assert "Traceback" not in worker.said()
    return last_line(worker)


def _customers(world: ChaosWorld) -> dict[str, bytes]:
    """Return every customer's stored state."""
    states = world.states().values()
    return {key: data for found in states for key, data in found.items() if key != PARTITION_KEY}


def _half_told(world: ChaosWorld) -> None:
    worker = world.start_ready()
    world.tell(400)
    world.await_drained()
    world.terminate(worker)


def test_a_changelog_that_was_compacted_holds_every_state(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_500, seed=seed) as world:
        eager = {"segment_ms": "200", "min_cleanable_dirty_ratio": "0.0"}
        alter(world, _changelog(world), **eager, max_compaction_lag_ms="200")
        worker = world.start_ready()
        world.tell(600)

        def compacted() -> bool:
            read = read_to_end(
                world.client, _changelog(world), range(PARTITIONS), threading.Event()
            )
            found: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
            for message in (message for messages in read for message in messages):
                found[message.partition() or 0].append(message.offset() or 0)
            return any(len(offsets) < max(offsets, default=0) for offsets in found.values())

        world.await_true(compacted, "compaction")
        world.kill(worker)
        follower = world.start_ready()
        world.tell(400)
        world.end()
        world.judge()
        world.terminate(follower)


def test_a_changelog_that_was_lost_is_refused_and_can_be_built_again_from_the_timeline(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        before = _customers(world)
        delete(world, _changelog(world))
        assert "concierge topics --create" in _refused(world)
        world.create_topics()
        said = _refused(world)
        assert f"{_changelog(world)}/" in said
        assert "is empty, but the timeline has been read up to" in said
        group = f"{world.app_id}-decide"
        assert said.endswith(f"kafka-consumer-groups --delete --group {group}")
        client = admin(world)
        client.delete_consumer_groups([group])[group].result(30)
        worker = world.start_ready()
        world.await_drained()
        # Lessons that were sent again made a new model version, which the partitions remember.
        assert _customers(world) == before
        world.tell(200)
        world.end()
        world.judge()
        world.terminate(worker)


def test_an_idle_group_whose_timeline_has_expired_notices_a_lost_changelog_too(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        for partition in range(PARTITIONS):
            expire(world, world.name(TIMELINE), partition, -1)
        delete(world, _changelog(world))
        world.create_topics()
        assert "is empty, but the timeline has been read up to" in _refused(world)


def test_a_changelog_from_which_records_were_deleted_is_refused(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        alter(world, _changelog(world), cleanup_policy="compact,delete")
        expire(world, _changelog(world), 3, 5)
        assert "cleanup.policy is" in _refused(world)
        alter(world, _changelog(world), cleanup_policy="compact")
        assert f"{_changelog(world)}/3 begins at offset 5" in _refused(world)


def test_a_state_of_a_newer_release_is_refused_before_anything_is_decided(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        number, states = max(world.states().items(), key=lambda item: len(item[1]))
        customer = next(key for key in states if key != PARTITION_KEY)
        place = world.committed(["decide"])[f"{world.name(TIMELINE)}/{number}"]
        state = states[customer]
        # Behind 8 bytes of due time and one that says how it is stored is the schema version.
        newer = state[:9] + bytes([99]) + state[10:]
        write(world, _changelog(world), customer.encode(), stamp.pack(place, newer), number)
        said = _refused(world)
        assert "schema version 99 was stored by a newer release" in said
        write(world, _changelog(world), customer.encode(), stamp.pack(place, state), number)
        worker = world.start_ready()
        world.tell(200)
        world.end()
        world.judge()
        world.terminate(worker)


def test_a_timeline_that_was_widened_is_refused(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _half_told(world)
        client = admin(world)

        def widen(topic: str) -> None:
            wider = [NewPartitions(topic, PARTITIONS + 2)]
            client.create_partitions(wider)[topic].result(30)

        widen(world.name(TIMELINE))
        said = _refused(world)
        assert f"{_changelog(world)} is wrong: 4 partitions, but the timeline has 6" in said
        widen(_changelog(world))
        assert "the timeline has 6 partitions now" in _refused(world)
