"""A record that the brokers do not take ends the worker with nothing committed, and is told.

Afterwards, with the cause removed, the next worker goes on as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.topics import NEXT_BEST_ACTIONS, TIMELINE, Topic, customers_changelog
from streams.shell.process.serve import EXIT_FAILED
from tests.chaos.faults import alter, create_copied, last_line, least_in_sync
from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

pytestmark = pytest.mark.long


def _fail_and_go_on(
    world: ChaosWorld, topic: str, spoil: Callable[[], object], mend: Callable[[], object]
) -> str:
    """Let a topic refuse records until the worker ends; return its last line."""
    worker = world.start_ready()
    world.tell(300)
    world.await_drained()
    committed = world.committed()
    spoil()
    world.tell(300, keeping_up=False)
    world.alive.remove(worker)
    assert worker.ended() == EXIT_FAILED
    assert "Traceback" not in worker.said()
    reader = "intake" if topic == world.name(TIMELINE) else "decide"
    assert all(committed[place] == at for place, at in world.committed([reader]).items())
    mend()
    follower = world.start_ready()
    world.tell(200)
    world.end()
    world.judge()
    world.terminate(follower)
    return last_line(worker)


def _declared(world: ChaosWorld, which: str) -> Topic:
    if which == "changelog":
        return customers_changelog(world.app_id)
    found = {"timeline": TIMELINE, "actions": NEXT_BEST_ACTIONS}[which]
    return found.with_prefix(world.prefix)


@pytest.mark.parametrize(
    "which", ["timeline", *(pytest.param(x, marks=pytest.mark.chaos) for x in ("changelog",))]
)
def test_a_record_that_is_too_large_for_its_topic(
    kafka: RealKafka, tmp_path: Path, seed: int, which: str
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        topic = _declared(world, which)

        def limit(most_bytes: int) -> Callable[[], None]:
            return lambda: alter(world, topic.name, max_message_bytes=str(most_bytes))

        said = _fail_and_go_on(world, topic.name, limit(200), limit(topic.max_message_bytes))
    assert f"did not accept a record for {topic.name}/" in said
    assert "max.message.bytes" in said


@pytest.mark.chaos
@pytest.mark.parametrize("which", ["actions", "changelog"])
def test_too_few_copies_in_sync(tmp_path: Path, seed: int, which: str) -> None:
    # Longer than it takes until the brokers know that the second one is gone.
    hasty = {"delivery_timeout_ms": 10_000}
    with (
        RealKafka() as first,
        ChaosWorld(first.bootstrap, tmp_path, events=1_000, seed=seed, **hasty) as world,
    ):
        # The groups' own topic is made here: nothing else is to lie on the second broker.
        world.committed()
        with first.follower() as second:
            topic = _declared(world, which)
            create_copied(world, topic)

            def mend() -> None:
                second.start()
                world.await_true(lambda: least_in_sync(world, topic.name) == 2, "both copies")

            said = _fail_and_go_on(world, topic.name, second.kill, mend)
    assert f"did not accept a record for {topic.name}/" in said
    assert "min.insync.replicas" in said
