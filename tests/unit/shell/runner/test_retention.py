"""What expired unread is gone on from where it may be missed, and refused where it may not."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import generate_latest

from schemas.topics import INPUTS, LESSONS, TIMELINE, TOPICS
from streams.shell.kafka_records import Chunk, FetchedRecord, Partition
from streams.shell.runner.retention import RecordsLost, Retention
from streams.shell.runner.role_options import RoleOptions
from streams.shell.telemetry.metrics import Metrics

_CLICKS, _CONSENT = Partition("clickstream", 1), Partition("profile", 1)
_OPTIONS = RoleOptions("kafka:9092", may_miss=frozenset({"clickstream"}))


def _retention(metrics: Metrics | None = None) -> Retention:
    return Retention(_OPTIONS, "intake", metrics)


def test_reading_begins_at_the_committed_offset_or_at_the_first() -> None:
    committed = {_CLICKS: 50, _CONSENT: None}
    bounds = {_CLICKS: (40, 100), _CONSENT: (7, 9)}
    assert _retention().starting_points(committed, bounds) == {_CLICKS: 50, _CONSENT: 7}


def test_lost_clicks_are_told_counted_and_gone_on_from(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    with caplog.at_level(logging.ERROR):
        starts = _retention(metrics).starting_points({_CLICKS: 10}, {_CLICKS: (40, 100)})
    assert starts == {_CLICKS: 40}
    assert "clickstream/1: offset 10 was to be read next" in caplog.text
    assert "30 records were removed before they were read" in caplog.text
    exposed = generate_latest(metrics.registry).decode()
    assert 'concierge_records_lost_total{topic="clickstream"} 30.0' in exposed


def test_lost_consent_is_refused_with_the_command_that_goes_on_without_it() -> None:
    command = (
        "kafka-consumer-groups --bootstrap-server kafka:9092 --group concierge-intake "
        "--topic profile:1 --reset-offsets --to-offset 40 --execute"
    )
    with pytest.raises(RecordsLost, match="withdrawn consent") as refused:
        _retention().starting_points({_CONSENT: 10}, {_CONSENT: (40, 100)})
    assert command in str(refused.value)


@pytest.mark.parametrize("place", [_CLICKS, _CONSENT])
def test_an_offset_behind_the_end_is_another_topics(place: Partition) -> None:
    with pytest.raises(RecordsLost, match="ends at 100: the topic was created again"):
        _retention().starting_points({place: 200}, {place: (0, 100)})


@pytest.mark.parametrize("place", [_CLICKS, _CONSENT])
def test_what_expires_while_it_is_being_read_is_treated_alike(place: Partition) -> None:
    behind = Chunk(place, [FetchedRecord(30, 0, b"k", b"v")], 20, 0)
    _retention().check_gap(behind, first=0)  # compaction
    if place is _CLICKS:
        _retention().check_gap(behind, first=25)
    else:
        with pytest.raises(RecordsLost):
            _retention().check_gap(behind, first=25)


def test_a_position_that_moves_without_records_is_no_loss_unless_the_first_offset_moved() -> None:
    markers = Chunk(_CONSENT, [], 20, 0, read_to=22)
    _retention().check_gap(markers, first=0)
    with pytest.raises(RecordsLost, match="2 records were removed"):
        _retention().check_gap(markers, first=22)
    backwards = Chunk(_CONSENT, [], 20, 0, read_to=0)
    with pytest.raises(RecordsLost, match="the broker sent 0"):
        _retention().check_gap(backwards, first=0)


def test_nothing_that_may_hold_a_customers_no_may_be_missed() -> None:
    missable = {topic.name for topic in TOPICS if topic.may_be_missed}
    assert missable == {"clickstream", "purchases", "support", LESSONS.name}
    assert {topic.name for topic in INPUTS} - missable == {"profile", "outcomes"}
    assert not TIMELINE.may_be_missed
