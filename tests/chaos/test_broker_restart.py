"""A broker goes away and comes back: short absences are sat out, long ones end the worker in order.

Every story ends with the oracle's verdict: nothing lost, nothing twice, nothing changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.shell.process.serve import EXIT_FAILED, EXIT_OK
from streams.shell.settings.settings import Settings
from tests.chaos.faults import health, last_line
from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def own_kafka(kafka: RealKafka) -> Iterator[RealKafka]:
    """A broker that may be killed; `kafka` says whether there can be one."""
    with RealKafka() as broker:
        yield broker


def test_a_worker_sits_out_the_restart_of_its_broker_in_the_middle_of_the_work(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    # The restart may take long on a busy machine; the worker is to be the patient one here.
    patient = {"delivery_timeout_ms": 120_000}
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=1_500, seed=seed, **patient) as world:
        worker = world.start_ready()
        world.tell(500)
        world.tell(300, keeping_up=False)
        own_kafka.kill()
        own_kafka.start()
        world.tell(400)
        world.end()
        world.judge()
        world.terminate(worker)


@pytest.mark.chaos
def test_a_worker_whose_broker_stays_away_says_so_and_ends_and_the_next_one_goes_on(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    hasty = {"delivery_timeout_ms": 6_000, "broker_silence_ms": 2_000}
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=1_500, seed=seed, **hasty) as world:
        worker = world.start_ready()
        world.tell(500)
        world.tell(300, keeping_up=False)
        own_kafka.kill()
        try:
            worker.await_true(lambda: health(worker)[0] == 503, "health to turn")
            _, page = health(worker)
            [problem] = page["problems"]
            assert problem.startswith(f"no answer from the brokers ({own_kafka.bootstrap}) for ")
            world.alive.remove(worker)
            assert worker.ended() == EXIT_FAILED
        finally:
            own_kafka.start()
        assert "CONCIERGE_DELIVERY_TIMEOUT_MS" in last_line(worker)
        assert "Traceback" not in worker.said()
        follower = world.start_ready()
        world.tell(400)
        world.end()
        world.judge()
        world.terminate(follower)


@pytest.mark.chaos
def test_a_worker_without_work_outlives_any_absence(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    hasty = {"delivery_timeout_ms": 1_000, "broker_silence_ms": 2_000}
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=1_000, seed=seed, **hasty) as world:
        worker = world.start_ready()
        world.tell(300)
        world.await_drained()
        own_kafka.kill()
        try:
            worker.await_true(lambda: health(worker)[0] == 503, "health to turn")
        finally:
            own_kafka.start()
        worker.await_true(lambda: health(worker)[0] == 200, "health to come back")
        world.tell(300)
        world.end()
        world.judge()
        world.terminate(worker)


@pytest.mark.chaos
def test_a_worker_that_is_asked_to_end_while_its_broker_is_away_ends_within_its_time(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=1_000, seed=seed) as world:
        worker = world.start_ready()
        world.tell(300)
        world.tell(200, keeping_up=False)
        own_kafka.kill()
        world.alive.remove(worker)
        try:
            assert worker.terminate() in (EXIT_OK, EXIT_FAILED)
        finally:
            own_kafka.start()
        assert "Traceback" not in worker.said()
        follower = world.start_ready()
        world.end()
        world.judge()
        world.terminate(follower)


@pytest.mark.chaos
def test_half_a_minute_without_a_broker_ends_a_busy_worker_at_its_defaults_and_loses_nothing(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    usual = {"delivery_timeout_ms": Settings().delivery_timeout_ms}
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=4_000, seed=seed, **usual) as world:
        worker = world.start_ready()
        world.tell(1_000)
        world.tell(1_000, keeping_up=False)
        own_kafka.kill()
        stopped_s = time.monotonic()
        world.alive.remove(worker)
        assert worker.ended() == EXIT_FAILED
        took_s = time.monotonic() - stopped_s
        time.sleep(max(0.0, 30.0 - took_s))
        own_kafka.start()
        print(f"\nthe worker ended {took_s:.1f} s after its broker")
        follower = world.start_ready()
        world.tell(800)
        world.end()
        world.judge()
        world.terminate(follower)


@pytest.mark.chaos
def test_ten_restarts_in_a_row_leave_no_trace(
    own_kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    patient = {"delivery_timeout_ms": 120_000}
    with ChaosWorld(own_kafka.bootstrap, tmp_path, events=8_000, seed=seed, **patient) as world:
        workers = [world.start_ready(), world.start_ready()]
        for _ in range(10):
            world.tell(500, keeping_up=False)
            own_kafka.kill()
            own_kafka.start()
        world.end()
        world.judge()
        for worker in workers:
            world.terminate(worker)
