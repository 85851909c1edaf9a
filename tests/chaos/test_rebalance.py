"""Workers come and go under load, politely or not, or sleep for too long, and leave no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

pytestmark = pytest.mark.long


def test_from_one_worker_to_three_and_back_leaves_no_trace(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=3_000, seed=seed) as world:
        first = world.start_ready()
        world.tell(300)
        second, third = world.start(), world.start()
        world.tell(600)
        for worker in (second, third):
            world.await_true(lambda w=worker: w.owns("decide"), "a joining worker to own some")  # type: ignore[misc]
        world.terminate(first)
        world.tell(400)
        world.kill(third)
        world.tell(400)
        world.end()
        world.judge()
        world.terminate(second)


@pytest.mark.chaos
def test_a_worker_frozen_past_its_session_writes_nothing_that_counts_when_woken(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=3_000, seed=seed) as world:
        frozen = world.start_ready()
        world.tell(400)
        other = world.start()
        world.await_true(lambda: other.owns("decide"), "the other worker to own some")
        world.tell(100, keeping_up=False)
        frozen.freeze()
        # Only once the group has given the frozen one's partitions away can intake keep up.
        world.tell(600)
        frozen.wake()
        world.tell(600)
        world.end()
        world.judge()
        world.terminate(frozen)
        world.terminate(other)


@pytest.mark.chaos
def test_random_comings_and_goings_leave_no_trace(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=8_000, seed=seed) as world:
        chance = world.chance
        world.start_ready()
        for step in range(24):
            what = chance.choice(("start", "terminate", "kill", "freeze"))
            one = chance.choice(world.alive)
            if len(world.alive) == 1 or (what == "start" and len(world.alive) < 3):
                what = "start"
                world.start()
            elif what == "terminate" and one.is_awake:
                world.terminate(one)
            elif what == "kill":
                world.kill(one)
            elif what == "freeze" and one.is_awake:
                one.freeze()
            print(f"{step}. {what}: {len(world.alive)} workers, {world.sent:,} records sent")
            world.tell(200, keeping_up=False)
            if chance.random() < 0.5:
                for worker in world.alive:
                    worker.wake()
            if any(worker.is_awake for worker in world.alive):
                world.tell(100)
        for worker in world.alive:
            worker.wake()
        world.end()
        world.judge()
