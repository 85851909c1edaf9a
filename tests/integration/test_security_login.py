"""Logins and certificates reach every client: a worker does its whole road over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.topics import DECISIONS, MODEL_SNAPSHOTS, NEXT_BEST_ACTIONS
from streams.cli.main import EXIT_CONFIG, EXIT_UNAVAILABLE
from streams.shell.process.serve import EXIT_OK
from tests.integration.secure_kafka import (
    PLAIN_PASSWORD,
    PLAIN_USER,
    SCRAM_PASSWORD,
    SCRAM_USER,
    SecureKafka,
)
from tests.integration.world import World, write_catalogue
from tests.integration.world_input import DAY_MS, START_MS, InputMaker
from tests.support.shops import SHOP

Login = Callable[[SecureKafka], dict[str, Any]]

_LONG = pytest.mark.chaos


def _plain(kafka: SecureKafka) -> dict[str, Any]:
    return kafka.login("PLAIN", PLAIN_USER, PLAIN_PASSWORD)


def _scram(kafka: SecureKafka) -> dict[str, Any]:
    return kafka.login("SCRAM-SHA-256", SCRAM_USER, SCRAM_PASSWORD)


def _both(kafka: SecureKafka) -> dict[str, Any]:
    login = kafka.login("SCRAM-SHA-512", SCRAM_USER, SCRAM_PASSWORD)
    return {
        **login,
        "kafka": kafka.sasl_tls,
        "kafka_protocol": "SASL_SSL",
        "kafka_ca_file": kafka.certificates.ca,
    }


@pytest.fixture
def world(secure_kafka: SecureKafka, tmp_path: Path) -> Iterator[World]:
    made = World(
        secure_kafka.broker.bootstrap,
        f"s{uuid4().hex[:10]}.",
        catalogue_path=write_catalogue(tmp_path, SHOP),
        snapshot_every_lessons=1,
    )
    yield made
    made.close()


# The one with everything in it; each alone is for the long run.
@pytest.mark.parametrize(
    "login",
    [
        _both,
        *(pytest.param(x, marks=_LONG) for x in (_plain, _scram, SecureKafka.certificate)),
    ],
    ids=lambda each: each.__name__,
)
def test_a_worker_does_its_whole_road_over_it(
    secure_kafka: SecureKafka, world: World, login: Login
) -> None:
    world.create_topics()
    worker = world.start(**login(secure_kafka))
    worker.await_ready()
    world.send(InputMaker(500, seed=11).act(300, START_MS, START_MS + DAY_MS))
    world.await_read(worker, "intake")
    world.tick(START_MS + 3 * DAY_MS)
    world.await_settled(worker)
    assert worker.terminate() == EXIT_OK, worker.said()
    for topic in (NEXT_BEST_ACTIONS, DECISIONS, MODEL_SNAPSHOTS):
        assert world.read(topic)
    assert world.states()


def _wrong_password(kafka: SecureKafka) -> dict[str, Any]:
    return {**_plain(kafka), "kafka_password": "wrong"}


def _unknown_user(kafka: SecureKafka) -> dict[str, Any]:
    return {**_scram(kafka), "kafka_username": "nobody"}


def _foreign_ca(kafka: SecureKafka) -> dict[str, Any]:
    return {**_both(kafka), "kafka_ca_file": kafka.certificates.foreign_ca}


def _no_certificate(kafka: SecureKafka) -> dict[str, Any]:
    return {"kafka": kafka.tls, "kafka_protocol": "SSL", "kafka_ca_file": kafka.certificates.ca}


def _other_name(kafka: SecureKafka) -> dict[str, Any]:
    return {**_both(kafka), "kafka": kafka.sasl_tls.replace("localhost", "127.0.0.1")}


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (_wrong_password, "CONCIERGE_KAFKA_PASSWORD"),
        pytest.param(_unknown_user, "CONCIERGE_KAFKA_USERNAME", marks=_LONG),
        (_foreign_ca, "CONCIERGE_KAFKA_CA_FILE"),
        pytest.param(_no_certificate, "CONCIERGE_KAFKA_CERT_FILE", marks=_LONG),
        pytest.param(_other_name, "CONCIERGE_KAFKA_CHECK_HOSTNAME", marks=_LONG),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_who_is_refused_is_told_so_in_one_line(
    secure_kafka: SecureKafka, world: World, login: Login, words: str
) -> None:
    worker = world.start(**login(secure_kafka))
    assert worker.ended() == EXIT_CONFIG, worker.said()
    (line,) = worker.said().strip().splitlines()
    assert line.startswith("concierge: CONCIERGE_KAFKA=")
    assert words in line


@pytest.mark.chaos
def test_a_plain_client_on_a_port_with_logins_is_told_to_look_at_the_protocol(
    secure_kafka: SecureKafka, world: World
) -> None:
    worker = world.start(kafka=secure_kafka.sasl)
    assert worker.ended() == EXIT_UNAVAILABLE
    (line,) = worker.said().strip().splitlines()
    assert "CONCIERGE_KAFKA_PROTOCOL" in line
