"""The closed loop: the same days, decided on, answered and learned from, without a broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import msgspec
import pytest

from schemas.records import NextBestAction
from streams.demo.online_retail import Invoice, open_shipped, read_invoices
from streams.demo.simulator import Simulator
from streams.demo.story import Story, StoryDecision
from streams.feed.sent_event import Sent
from tests.support.loopback import LoopbackRoad, shop

# Enough for the first lessons: windows of the shop's rewards are 36 hours and more.
DAYS = 16


@pytest.fixture(scope="module")
def history() -> list[Invoice]:
    with open_shipped() as file:
        return [invoice for invoice in read_invoices(file) if invoice.day <= date(2010, 12, 31)]


class RecordingRoad(LoopbackRoad):
    """Remembers what went over the road, in order."""

    def __init__(self, *, learn: bool = True, partitions: int = 4) -> None:
        super().__init__(shop(), learn=learn, partitions=partitions)
        self.sent: list[Sent] = []
        self.ticks: list[int] = []
        self.actions: list[NextBestAction] = []

    def send(self, events: Sequence[Sent]) -> None:
        self.sent += events
        super().send(events)

    def pass_time(self, at_ms: int) -> StoryDecision:
        self.ticks.append(at_ms)
        decided = super().pass_time(at_ms)
        self.actions += decided.actions
        return decided


def play(history: list[Invoice], road: RecordingRoad, days: int) -> Story:
    story = Story(Simulator(1, history), history, road, shop())
    for _ in story.run(days):
        pass
    return story


def test_aim_gets_better_than_chance_by_learning_and_only_by_learning(
    history: list[Invoice],
) -> None:
    learned = play(history, RecordingRoad(), DAYS).report
    untrained = play(history, RecordingRoad(learn=False), DAYS).report
    last = learned.expected_rate(3)
    assert last is not None
    # What a random candidate would get is the simulator's own hidden truth for the same moments.
    assert last > 1.6 * (learned.random_rate(3) or 1.0)
    # What customers say they like is a good start already; learning adds to it.
    assert (untrained.expected_rate(0) or 0.0) > 1.6 * (untrained.random_rate(0) or 1.0)
    assert _later(learned.expected_rate) > 1.1 * (learned.expected_rate(0) or 1.0)
    assert _later(learned.response_rate) > 1.1 * (learned.response_rate(0) or 1.0)
    assert last > 1.3 * (untrained.expected_rate(3) or 1.0)


def _later(rate: Callable[[int], float | None]) -> float:
    """Return the mean rate of all quarters but the first: one alone has some 600 actions."""
    return sum(rate(quarter) or 0.0 for quarter in (1, 2, 3)) / 3


def test_the_report_counts_what_went_over_the_road(history: list[Invoice]) -> None:
    road = RecordingRoad()
    report = play(history, road, 4).report
    assert report.days == 4
    assert report.events.total() == len(road.sent)
    assert report.decisions == len(road.decisions)
    assert report.actions_published == len(road.actions)
    assert report.outcomes.total() == sum(topic == "outcomes" for topic, _ in road.sent)
    assert road.rejections == []


def test_every_event_is_sent_before_the_tick_that_it_precedes(history: list[Invoice]) -> None:
    class OrderRoad(RecordingRoad):
        def send(self, events: Sequence[Sent]) -> None:
            times = [event["occurred_at"] for _, event in events]
            last_ms = self.ticks[-1] if self.ticks else 0
            fresh = [event["occurred_at"] for t, event in events if event["event_id"][:4] == "uci-"]
            assert times == sorted(times)
            # What the history itself holds is never late; only answers may be.
            assert all(at_ms >= last_ms for at_ms in fresh)
            super().send(events)

    road = OrderRoad()
    play(history, road, 4)
    assert len(road.ticks) == 16
    assert road.ticks == sorted(road.ticks)


def test_no_answer_precedes_its_decision(history: list[Invoice]) -> None:
    road = RecordingRoad()
    play(history, road, 4)
    decided = {action.decision_id: action.decided_at_ms for action in road.actions}
    outcomes = [event for topic, event in road.sent if topic == "outcomes"]
    assert outcomes
    assert all(event["occurred_at"] > decided[event["decision_id"]] for event in outcomes)


def test_the_story_is_the_same_twice(history: list[Invoice]) -> None:
    first, again = RecordingRoad(), RecordingRoad()
    play(history, first, 4)
    play(history, again, 4)
    assert first.sent == again.sent
    assert msgspec.json.encode(first.actions) == msgspec.json.encode(again.actions)


def test_a_run_can_be_stopped_within_a_day(history: list[Invoice]) -> None:
    road = RecordingRoad()
    story = Story(Simulator(1, history), history, road, shop())
    days = list(story.run(stop=lambda: len(road.ticks) >= 6))
    assert [day.day for day in days] == [date(2010, 12, 1), date(2010, 12, 2)]
    assert len(road.ticks) == 6


def test_without_actions_there_is_no_rate() -> None:
    assert (
        Story(Simulator(1, quiet()), quiet(), RecordingRoad(), shop()).report.response_rate(0)
        is None
    )


def quiet() -> list[Invoice]:
    return [Invoice("1", "17", 1_300_000_000_000, "France", ())]
