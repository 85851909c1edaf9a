"""Every scenario holds for a worker on the embedded broker, and for one on a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from schemas.dead_letters import read_dead_letter
from schemas.topics import DEAD_LETTERS
from streams.runtime.worker import EXIT_OK
from tests.integration.world import World
from tests.scenarios.on_brokers import OnBrokers
from tests.scenarios.runner import FOLDER, Scenario, check, run, scenarios


@pytest.fixture(scope="module", params=["embedded_broker", "kafka"])
def driver(request: pytest.FixtureRequest) -> Iterator[OnBrokers]:
    """One worker for all scenarios, on either broker."""
    broker = request.getfixturevalue(request.param)
    catalogue = FOLDER / "small_shop.yaml"
    world = World(broker.bootstrap, f"s{uuid4().hex[:10]}.", catalogue_path=catalogue)
    try:
        world.create_topics()
        worker = world.start()
        worker.await_ready()
        made = OnBrokers(world, worker)
        yield made
        made.close()
        assert worker.terminate() == EXIT_OK, worker.said()
    finally:
        world.close()


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_scenario_holds(driver: OnBrokers, scenario: Scenario) -> None:
    check(scenario, run(scenario, driver))


def test_every_bad_record_of_a_scenario_is_among_the_dead_letters(driver: OnBrokers) -> None:
    (scenario,) = [each for each in scenarios() if each.name.startswith("a_bad_event")]
    before = len(driver.world.read(DEAD_LETTERS))
    run(scenario, driver)
    letters = [
        read_dead_letter(message.key(), message.value(), message.headers())
        for message in driver.world.read(DEAD_LETTERS)[before:]
    ]
    reasons = [letter.rejection.reason for letter in letters]
    assert reasons == ["event_time_too_old", "missing_field", "wrong_magic"]
