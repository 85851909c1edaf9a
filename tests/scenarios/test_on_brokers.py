"""Every scenario holds for a worker on the embedded broker, and for one on a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.dead_letters import read_dead_letter
from schemas.topics import DEAD_LETTERS
from streams.runtime.worker import EXIT_OK
from tests.integration.world import World
from tests.scenarios.on_brokers import OnBrokers
from tests.scenarios.runner import (
    FOLDER,
    SMALL_SHOP,
    Scenario,
    catalogue_text,
    check,
    run,
    scenarios,
)

# A worker serves one catalogue and takes seconds to start: of the starter packs one is enough, in
# which words, products and reasons of a customer's own cross the topics.
_PACKED = "who_orders_the_same_every_week_is_offered_the_usual_basket"


@pytest.fixture(scope="module", params=["embedded_broker", "kafka"])
def driver(request: pytest.FixtureRequest) -> Iterator[OnBrokers]:
    """One worker for all scenarios of the small shop, on either broker."""
    broker = request.getfixturevalue(request.param)
    with _serving(broker.bootstrap, FOLDER / f"{SMALL_SHOP}.yaml") as made:
        yield made


@contextmanager
def _serving(bootstrap: str, catalogue: Path) -> Iterator[OnBrokers]:
    world = World(bootstrap, f"s{uuid4().hex[:10]}.", catalogue_path=catalogue)
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


@pytest.mark.parametrize(
    "scenario", [s for s in scenarios() if s.pack == SMALL_SHOP], ids=lambda scenario: scenario.name
)
def test_the_scenario_holds(driver: OnBrokers, scenario: Scenario) -> None:
    check(scenario, run(scenario, driver))


def test_the_scenario_of_a_starter_pack_holds(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    broker = request.getfixturevalue("embedded_broker")
    (scenario,) = [each for each in scenarios() if each.name == _PACKED]
    catalogue = tmp_path / f"{scenario.pack}.yaml"
    catalogue.write_text(catalogue_text(scenario.pack), "utf-8")
    with _serving(broker.bootstrap, catalogue) as driver:
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
