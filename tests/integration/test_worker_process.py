"""How a worker begins and ends: what it refuses to start on, what it serves, how it stops."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from models.snapshot.snapshot_codec import decode as decode_snapshot
from schemas.records import LESSON_DECODER
from schemas.topics import DECISIONS, INPUTS, LESSONS, MODEL_SNAPSHOTS, NEXT_BEST_ACTIONS
from streams.cli.main import EXIT_CONFIG, EXIT_UNAVAILABLE
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.process.serve import EXIT_OK
from streams.shell.telemetry.metrics import ACTIONS, Metrics
from tests.integration.world import World, write_catalogue
from tests.integration.world_input import DAY_MS, HOUR_MS, START_MS, InputMaker
from tests.oracle.replay import newest, replay
from tests.support.shops import SHOP

FAUSTS_OWN_PORT = 6066
# Not to be had from the hexadecimal digits of a prefix, nor from a word of ours.
SOMEBODY = "Xsomebody"


@pytest.fixture
def world(embedded_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[World]:
    made = World(
        embedded_broker.bootstrap,
        f"w{uuid4().hex[:10]}.",
        catalogue_path=write_catalogue(tmp_path, SHOP),
        keep_snapshots=1_000,
    )
    yield made
    made.close()


def _is_bound(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _labels_with(name: str, page: str) -> list[str]:
    return [
        label
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        for label in sample.labels.values()
        if name in label
    ]


def test_without_its_topics_a_worker_does_not_start_and_says_which(world: World) -> None:
    worker = world.start()
    assert worker.ended() == EXIT_CONFIG
    (line,) = worker.said().strip().splitlines()
    assert line.startswith("concierge: ")
    assert f"{world.prefix}clickstream is missing" in line
    assert "concierge topics --create" in line


def test_without_a_broker_a_worker_ends_with_one_clear_line(world: World) -> None:
    with socket.socket() as nobody:
        # Bound, so that no other test gets it, and never listening.
        nobody.bind(("127.0.0.1", 0))
        worker = world.start(kafka=f"127.0.0.1:{nobody.getsockname()[1]}")
        assert worker.ended() == EXIT_UNAVAILABLE
    (line,) = worker.said().strip().splitlines()
    assert line.startswith("concierge: Kafka: ")
    assert "CONCIERGE_KAFKA" in line


def test_a_wrong_setting_is_named(world: World) -> None:
    worker = world.start(clock="sometimes")
    assert worker.ended() == EXIT_CONFIG
    assert "CONCIERGE_CLOCK" in worker.said()


def test_a_wrong_catalogue_is_refused_with_its_place(world: World, tmp_path: Path) -> None:
    world.create_topics()
    text = SHOP.replace("family_preference >= 0", "family_preferense >= 0")
    worker = world.start(catalogue_path=write_catalogue(tmp_path, text))
    assert worker.ended() == EXIT_CONFIG
    (line,) = worker.said().strip().splitlines()
    assert "catalogue.yaml:" in line
    assert "family_preferense" in line


def test_a_catalogue_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    world.create_topics()
    worker = world.start(catalogue_path=tmp_path / "nowhere.yaml")
    assert worker.ended() == EXIT_CONFIG
    (line,) = worker.said().strip().splitlines()
    assert "CONCIERGE_CATALOGUE_PATH" in line
    assert "nowhere.yaml" in line


def test_a_worker_serves_its_pages_and_nothing_else_and_ends_in_order(world: World) -> None:
    assert not _is_bound(FAUSTS_OWN_PORT)
    world.create_topics()
    worker = world.start()
    worker.await_ready()
    assert not _is_bound(FAUSTS_OWN_PORT)
    world.send(InputMaker(100, seed=5, named=SOMEBODY).act(50, START_MS, START_MS + HOUR_MS))
    world.await_settled(worker)
    assert json.loads(worker.page("/readyz"))["status"] == "ok"
    health = json.loads(worker.page("/healthz"))
    assert health["status"] == "ok"
    assert set(health["roles"]) == {"intake", "decide", "learn"}
    metrics = worker.page("/metrics")
    assert "concierge_decisions_total{" in metrics
    # What an alert watches is there at 0 before it happens for the first time.
    lost = f'concierge_records_lost_total{{topic="{world.prefix}clickstream"}} 0.0'
    assert lost in metrics
    assert 'concierge_snapshots_refused_total{reason="damaged"} 0.0' in metrics
    assert "concierge_model_drifts_total{action=" in metrics
    build = [line for line in metrics.splitlines() if line.startswith("concierge_build_info{")]
    assert len(build) == 1
    assert 'catalogue=""' not in build[0]
    assert not _labels_with(SOMEBODY, metrics)
    assert worker.terminate() == EXIT_OK, worker.said()
    assert not _is_bound(worker.port)
    customers = {key for states in world.states().values() for key in states}
    assert any(key.startswith(SOMEBODY) for key in customers)


def test_a_customer_in_a_metric_label_would_be_found() -> None:
    metrics = Metrics()
    metrics.add(ACTIONS, 1, "offer_tea", "web")
    assert not _labels_with(SOMEBODY, generate_latest(metrics.registry).decode())
    metrics.add(ACTIONS, 1, f"offer_tea to {SOMEBODY}3", "web")
    assert _labels_with(SOMEBODY, generate_latest(metrics.registry).decode())


@pytest.mark.long
def test_sigterm_in_the_middle_of_the_work_loses_and_changes_nothing(world: World) -> None:
    world.create_topics()
    worker = world.start(salt="stop")
    worker.await_ready()
    world.send(InputMaker(4_000, seed=6).act(4_000, START_MS, START_MS + DAY_MS))
    worker.await_true(
        lambda: sum(worker.positions("decide").values()) > 200, "decide to be in the middle of it"
    )
    assert worker.terminate() == EXIT_OK, worker.said()
    committed = world.committed()
    assert sum(committed.values()) < sum(world.ends([*INPUTS]).values()) * 2
    follower = world.start(salt="stop")
    follower.await_ready()
    world.await_read(follower, "intake")
    world.tick(START_MS + 2 * DAY_MS)
    world.await_settled(follower)
    assert follower.terminate() == EXIT_OK, follower.said()
    replayed = replay(world, "stop")
    assert world.states() == replayed.states
    # Every offset was committed behind what it led to, so nothing is there twice either.
    for topic, outputs in ((DECISIONS, replayed.decisions), (NEXT_BEST_ACTIONS, replayed.actions)):
        values = [message.value() for message in world.read(topic)]
        assert sorted(values, key=repr) == sorted(outputs.values(), key=repr)


@pytest.mark.long
def test_lessons_that_no_snapshot_holds_at_the_end_are_learned_by_the_next_worker(
    world: World,
) -> None:
    world.create_topics()
    rarely = {"snapshot_every_lessons": 100_000, "snapshot_interval_ms": DAY_MS}
    worker = world.start(**rarely)
    worker.await_ready()
    world.send(InputMaker(2_000, seed=7).act(1_000, START_MS, START_MS + DAY_MS))
    world.await_read(worker, "intake")
    world.tick(START_MS + 3 * DAY_MS)
    world.await_read(worker, "decide")
    world.await_read(worker, "learn")
    assert worker.terminate() == EXIT_OK, worker.said()
    assert not world.read(MODEL_SNAPSHOTS)
    follower = world.start(snapshot_every_lessons=1)
    follower.await_ready()
    world.await_settled(follower)
    assert follower.terminate() == EXIT_OK, follower.said()
    snapshots = newest(world.read(MODEL_SNAPSHOTS))
    lessons = [LESSON_DECODER.decode(m.value() or b"") for m in world.read(LESSONS)]
    assert len(lessons) > 50
    # Of the held-out, who got nothing, no model learns.
    learned = sum(lesson.published for lesson in lessons)
    assert decode_snapshot(snapshots[max(snapshots)]).overall.lessons == learned
