"""Every scenario holds in the engine itself, without a broker."""

from __future__ import annotations

import re

import pytest

from tests.scenarios.in_memory import InMemory
from tests.scenarios.runner import Scenario, check, run, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_scenario_holds(scenario: Scenario) -> None:
    check(scenario, run(scenario, InMemory(scenario.pack)))


def test_every_bad_record_of_a_scenario_is_rejected_with_its_reason() -> None:
    (scenario,) = [s for s in scenarios() if s.name.startswith("a_bad_event")]
    driver = InMemory()
    run(scenario, driver)
    reasons = [rejection.reason for rejection in driver.rejections]
    assert reasons == ["event_time_too_old", "missing_field", "wrong_magic"]


def test_scenarios_are_sentences_about_customers_of_their_own() -> None:
    known: set[str] = set()
    for scenario in scenarios():
        assert re.fullmatch(r"[a-z]+(_[a-z]+){3,}", scenario.name)
        assert scenario.customers
        assert not known & scenario.customers
        known |= scenario.customers


@pytest.mark.parametrize("wrong", ["moment", "action", "missing", "too_many"])
def test_a_scenario_that_does_not_hold_is_noticed(wrong: str) -> None:
    scenario = scenarios()[0]
    results = run(scenario, InMemory())
    lines = [dict(line) for line in scenario.lines]
    places = [number for number, line in enumerate(lines) if "expect" in line]
    if wrong == "missing":
        del lines[places[-1]]
    elif wrong == "too_many":
        lines.append(lines[places[-1]])
    else:
        lines[places[-1]] = {"expect": {**lines[places[-1]]["expect"], wrong: "another"}}
    with pytest.raises(AssertionError):
        check(Scenario("wrong", tuple(lines)), results)
