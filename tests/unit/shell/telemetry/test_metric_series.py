"""Labelled series exist at 0 before anything happens; nothing that happens creates another one."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from streams.agents import role_metrics
from streams.agents.build_info import BuildInfo
from streams.shell.telemetry import metrics as m
from streams.shell.telemetry.metric_series import (
    CATALOGUE_SERIES,
    KNOWN_SERIES,
    NOT_CREATED,
    TOPIC_SERIES,
    create_catalogue_series,
    create_known_series,
)
from streams.shell.telemetry.metrics import METRICS, Metrics
from tests.scenarios.in_memory import InMemory
from tests.scenarios.runner import SMALL_SHOP, Scenario, catalogue, run, scenarios
from tests.support.checkout import ROOT
from tests.support.shops import SHOP, load


def _series(metrics: Metrics) -> set[str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return {line.rpartition(" ")[0] for line in lines if line.startswith("concierge_")}


def test_every_labelled_counter_and_histogram_says_which_series_it_begins_with() -> None:
    labelled = {each for each in METRICS if each.labels and each.kind != "gauge"}
    assert labelled == {*KNOWN_SERIES, *TOPIC_SERIES, *CATALOGUE_SERIES, *NOT_CREATED}


def test_no_alert_looks_at_series_that_cannot_be_there_before_they_are_counted() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    assert [each.name for each in NOT_CREATED if each.name in rules] == []


def test_what_our_own_tables_name_is_0_when_a_worker_starts() -> None:
    value = create_known_series(Metrics(), "shop.").registry.get_sample_value
    assert value("concierge_records_lost_total", {"topic": "shop.clickstream"}) == 0
    assert value("concierge_records_lost_total", {"topic": "shop.lessons"}) == 0
    assert value("concierge_snapshots_refused_total", {"reason": "damaged"}) == 0
    assert value("concierge_dead_letters_total", {"topic": "support", "reason": "truncated"}) == 0
    assert value("concierge_events_total", {"topic": "profile", "fate": "refused"}) == 0
    assert value("concierge_no_action_total", {"moment": "browsing"}) == 0
    assert value("concierge_checkpoint_seconds_count", {"role": "learn"}) == 0


def test_what_a_catalogue_names_is_0_once_it_is_known() -> None:
    metrics, shop = create_known_series(Metrics()), load(SHOP)
    value = metrics.registry.get_sample_value
    action = shop.actions[0]
    assert value("concierge_model_drifts_total", {"action": action.id}) is None
    create_catalogue_series(metrics, shop)
    assert value("concierge_model_drifts_total", {"action": action.id}) == 0
    assert value("concierge_lessons_total", {"action": action.id, "label": "1"}) == 0
    published = {"action": action.id, "channel": action.treatments[0].channel}
    assert value("concierge_actions_total", published) == 0
    assert value("concierge_model_versions_total", {"model": shop.scored_by}) == 0


def test_a_known_catalogue_resets_nothing() -> None:
    metrics, shop = create_known_series(Metrics()), load(SHOP)
    metrics.add(m.DRIFTS, 3, shop.actions[0].id)
    create_catalogue_series(metrics, shop)
    create_known_series(metrics)
    found = metrics.registry.get_sample_value(
        "concierge_model_drifts_total", {"action": shop.actions[0].id}
    )
    assert found == 3


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_deciding_creates_no_series_that_was_not_there(scenario: Scenario) -> None:
    """A tier, a fate or a moment that a release adds must be in the table, too."""
    driver = InMemory(scenario.pack)
    run(scenario, driver)
    metrics = create_known_series(Metrics())
    create_catalogue_series(metrics, catalogue(scenario.pack))
    info = BuildInfo(metrics, "1.0")
    before = _series(metrics)
    role_metrics.count_outputs(metrics, info)(driver.outputs)
    born = {name for name in _series(metrics) - before if "concierge_build_info" not in name}
    assert born == set()
    assert driver.outputs.notes["folded"] > 0


def test_build_info_shows_the_versions_of_the_newest_decision_and_no_others() -> None:
    metrics = Metrics()
    info = BuildInfo(metrics, "1.2.3")
    only = 'concierge_build_info{catalogue="%s",model="%s",version="1.2.3"}'
    assert _series(metrics) >= {only % ("", "")}
    driver = InMemory()
    run(next(each for each in scenarios() if each.pack == SMALL_SHOP), driver)
    decisions = driver.outputs.decisions
    info.see([])
    info.see(decisions)
    shown = {name for name in _series(metrics) if "build_info" in name}
    newest = decisions[-1]
    assert shown == {only % (newest.catalogue_version, newest.model_version)}
