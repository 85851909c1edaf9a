"""Records that expired before they were read: said loudly; gone on from, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.topics import CLICKSTREAM, PROFILE, TIMELINE
from streams.shell.process.serve import EXIT_CONFIG
from tests.chaos.faults import admin, expire, last_line
from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

# `tests/unit/shell/runner/test_retention.py` tells the same without a broker.
pytestmark = pytest.mark.chaos


def _expire_unread(world: ChaosWorld, topic: str, partition: int, before: int) -> None:
    """Expire what nobody has read; who must refuse a bad record among it need not any more."""
    expire(world, topic, partition, before)
    gone = [place for place in world.bad if place[:2] == (topic, partition) and place[2] < before]
    for place in gone:
        del world.bad[place]


def _begun(world: ChaosWorld) -> None:
    """Let a worker commit where it begins, and end; then tell the first part to nobody."""
    world.terminate(world.start_ready())
    world.tell(400, keeping_up=False)


def test_lost_clicks_are_told_counted_and_gone_on_from(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _begun(world)
        topic = world.name(CLICKSTREAM)
        _expire_unread(world, topic, 2, 20)
        worker = world.start_ready()
        assert f"{topic}/2: offset 0 was to be read next" in worker.said()
        assert "20 records were removed before they were read" in worker.said()
        counted = f'concierge_records_lost_total{{topic="{topic}"}} 20.0'
        assert counted in worker.page("/metrics")
        world.tell(200)
        world.end()
        world.judge()
        world.terminate(worker)


def test_lost_consent_is_refused_until_somebody_has_decided(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _begun(world)
        topic, group = world.name(PROFILE), f"{world.app_id}-intake"
        _expire_unread(world, topic, 3, 5)
        refused = world.start()
        world.alive.remove(refused)
        assert refused.ended() == EXIT_CONFIG
        said = last_line(refused)
        assert f"{topic}/3: offset 0 was to be read next" in said
        assert f"--group {group} --topic {topic}:3 --reset-offsets --to-offset 5" in said
        assert "Traceback" not in refused.said()
        decided = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 3, 5)])
        client = admin(world)
        for future in client.alter_consumer_group_offsets([decided]).values():
            future.result(30)
        worker = world.start_ready()
        world.tell(200)
        world.end()
        world.judge()
        world.terminate(worker)


def test_a_lost_piece_of_the_timeline_is_refused(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        _begun(world)
        intake = world.start_ready(roles="intake")
        world.await_admitted()
        world.terminate(intake)
        expire(world, world.name(TIMELINE), 1, 10)
        refused = world.start(roles="decide")
        world.alive.remove(refused)
        assert refused.ended() == EXIT_CONFIG
        assert "withdrawn consent" in last_line(refused)
