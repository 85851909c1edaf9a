"""What a worker refuses to start on, in one line each, and that it ends when it is asked to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import CLICKSTREAM, customers_changelog
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.process.serve import EXIT_CONFIG, EXIT_OK
from tests.chaos.faults import health
from tests.integration import world_worker
from tests.integration.world import Given, World, write_catalogue
from tests.support.kafka import RealKafka
from tests.support.patience import PATIENCE_S
from tests.support.shops import SHOP

pytestmark = pytest.mark.long


@pytest.fixture
def world(embedded_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[World]:
    catalogue = write_catalogue(tmp_path, SHOP)
    made = World(embedded_broker.bootstrap, f"s{uuid4().hex[:10]}.", catalogue_path=catalogue)
    yield made
    made.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound, so that nobody gets it, and that refuses connections."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield nobody.getsockname()[1]


def test_a_port_that_is_taken_is_one_clear_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.create_topics()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(world_worker, "_free_port", lambda: other.getsockname()[1])
        worker = world.start()
        assert worker.ended() == EXIT_CONFIG
    (line,) = worker.said().strip().splitlines()
    assert line.startswith("concierge: cannot serve /metrics, /healthz and /readyz")
    assert "CONCIERGE_HTTP_PORT" in line


def test_a_changelog_of_another_width_is_one_clear_line_with_the_command_that_mends_it(
    kafka: RealKafka, tmp_path: Path
) -> None:
    catalogue = write_catalogue(tmp_path, SHOP)
    world = World(kafka.bootstrap, f"s{uuid4().hex[:10]}.", catalogue_path=catalogue)
    try:
        changelog = customers_changelog(world.app_id).name
        client = AdminClient(dict(world.client))
        narrow = NewTopic(changelog, 3, 1, config={"cleanup.policy": "compact"})
        client.create_topics([narrow])[changelog].result(PATIENCE_S)
        world.create_topics()
        worker = world.start()
        assert worker.ended() == EXIT_CONFIG
        (line,) = worker.said().strip().splitlines()
        assert f"{changelog} is wrong: 3 partitions, but the timeline has 4" in line
        assert f"kafka-topics --delete --topic {changelog}" in line
        client.delete_topics([changelog])[changelog].result(PATIENCE_S)
        while changelog in client.list_topics(timeout=PATIENCE_S).topics:
            pass
        world.create_topics()
        world.start().await_ready()
    finally:
        world.close()


def test_a_worker_says_once_when_it_is_ready_and_what_it_has(world: World) -> None:
    world.create_topics()
    worker = world.start()
    worker.await_ready()
    worker.await_true(lambda: "ready after" in worker.said(), "its line")
    assert worker.terminate() == EXIT_OK
    (line,) = [line for line in worker.said().splitlines() if "ready after" in line]
    assert "intake 20 partitions; decide 4 partitions (0 customers" in line
    assert "; learn 4 partitions" in line
    assert all(" concierge." in line for line in worker.said().strip().splitlines())


def test_a_worker_whose_registry_is_away_ends_when_it_is_asked_to(
    world: World, closed_port: int
) -> None:
    world.create_topics()
    url = f"http://127.0.0.1:{closed_port}"
    worker = world.start(roles="intake", schema_registry_url=url)
    worker.await_ready()
    world.send([Given(CLICKSTREAM.name, b"k", b"\0\0\0\0\x07whatever")])
    # Delivered, and waiting for its schema.
    worker.await_true(lambda: _is_waiting(worker), "the record to be waited for")
    assert worker.terminate() == EXIT_OK, worker.said()
    assert "Traceback" not in worker.said()
    assert sum(world.committed(["intake"]).values()) == 0


def _is_waiting(worker: world_worker.Worker) -> bool:
    _, page = health(worker)
    places = page["roles"]["intake"]["partitions"].values()
    return any((place["lag"] or 0) > 0 for place in places)
