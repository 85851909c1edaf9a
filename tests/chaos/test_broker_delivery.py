"""A record that the brokers do not take ends the worker with nothing committed, and is told.

Afterwards, with the cause removed, the next worker goes on as if nothing had been.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.topics import NEXT_BEST_ACTIONS, TIMELINE, customers_changelog
from streams.runtime.worker import EXIT_FAILED
from tests.chaos.faults import alter, last_line
from tests.chaos.world import ChaosWorld
from tests.kafka import RealKafka


def _fail_and_go_on(
    world: ChaosWorld, topic: str, before: dict[str, str], after: dict[str, str]
) -> str:
    """Let a topic refuse records until the worker ends; return its last line."""
    worker = world.start_ready()
    world.tell(300)
    world.await_drained()
    committed = world.committed()
    alter(world, topic, **before)
    world.tell(300, keeping_up=False)
    world.alive.remove(worker)
    assert worker.ended() == EXIT_FAILED
    assert "Traceback" not in worker.said()
    reader = "intake" if topic.endswith(TIMELINE.name) else "decide"
    assert all(committed[place] == at for place, at in world.committed([reader]).items())
    alter(world, topic, **after)
    follower = world.start_ready()
    world.tell(200)
    world.end()
    world.judge()
    world.terminate(follower)
    return last_line(worker)


def test_a_record_that_is_too_large_for_its_topic(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        topic = world.name(TIMELINE)
        right = str(TIMELINE.max_message_bytes)
        limits = {"max_message_bytes": "200"}, {"max_message_bytes": right}
        said = _fail_and_go_on(world, topic, *limits)
    assert f"did not take a record for {topic}/" in said
    assert "max.message.bytes" in said


@pytest.mark.parametrize("which", ["actions", "changelog"])
def test_too_few_copies_in_sync(kafka: RealKafka, tmp_path: Path, seed: int, which: str) -> None:
    hasty = {"delivery_timeout_ms": 3_000}
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed, **hasty) as world:
        actions = world.name(NEXT_BEST_ACTIONS)
        changelog = customers_changelog(world.app_id).name
        topic = actions if which == "actions" else changelog
        copies = {"min_insync_replicas": "2"}, {"min_insync_replicas": "1"}
        said = _fail_and_go_on(world, topic, *copies)
    assert f"did not take a record for {topic}/" in said
    assert "min.insync.replicas" in said
