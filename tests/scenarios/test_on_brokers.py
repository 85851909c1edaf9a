"""Every scenario holds for a worker on the embedded broker, and for one on a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.dead_letter_record import read_dead_letter
from schemas.topics import DEAD_LETTERS
from streams.shell.process.serve import EXIT_OK
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

# One broker is enough while a change is made.
_BROKERS = ["embedded_broker", pytest.param("kafka", marks=pytest.mark.long)]

# A worker serves one catalogue and takes seconds to start: one of each pack, on each broker,
# plays all scenarios of its pack.
_PACKS = sorted({scenario.pack for scenario in scenarios()} - {SMALL_SHOP})


@pytest.fixture(scope="module", params=_BROKERS)
def driver(request: pytest.FixtureRequest) -> Iterator[OnBrokers]:
    """One worker for all scenarios of the small shop, on either broker."""
    broker = request.getfixturevalue(request.param)
    with _serving(broker.bootstrap, FOLDER / f"{SMALL_SHOP}.yaml") as made:
        yield made


@contextmanager
def _serving(bootstrap: str, catalogue: Path) -> Iterator[OnBrokers]:
    # A model that was published meanwhile would choose otherwise than one that has learned nothing,
    # and on a slow machine there is time for it.
    settings = {"catalogue_path": catalogue, "snapshot_interval_ms": 3_600_000}
    world = World(bootstrap, f"s{uuid4().hex[:10]}.", **settings)
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


@pytest.mark.parametrize("broker_name", _BROKERS)
@pytest.mark.parametrize("pack", _PACKS)
def test_the_scenarios_of_a_starter_pack_hold(
    request: pytest.FixtureRequest, tmp_path: Path, pack: str, broker_name: str
) -> None:
    broker = request.getfixturevalue(broker_name)
    catalogue = tmp_path / f"{pack}.yaml"
    catalogue.write_text(catalogue_text(pack), "utf-8")
    with _serving(broker.bootstrap, catalogue) as driver:
        for scenario in scenarios():
            if scenario.pack == pack:
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
