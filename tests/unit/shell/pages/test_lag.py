"""Standing still counts only with something to do, and only when it lasts."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import generate_latest

from streams.shell.kafka.partition_ends import End
from streams.shell.kafka_records import Partition
from streams.shell.pages import lag
from streams.shell.pages.lag import LagWatch, StallDetector
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import Metrics
from streams.shell.telemetry.progress import PartitionProgress, Progress, RoleProgress

_PLACE = Partition("timeline", 2)


def _progress(position: int, committed: int, *, recovered: bool = True) -> Progress:
    at = PartitionProgress(position, committed)
    role = RoleProgress(assigned=True, recovered=recovered, partitions={_PLACE: at})
    return Progress({"decide": role})


def test_waiting_for_input_is_not_standing_still() -> None:
    stalls = StallDetector(30, {})
    for now_s in (0, 100, 200):
        assert stalls.find(_progress(5, 5), {_PLACE: 5}, now_s) == []


def test_a_record_that_has_just_arrived_is_not_a_stall() -> None:
    stalls = StallDetector(30, {})
    assert stalls.find(_progress(5, 5), {_PLACE: 5}, 0) == []
    assert stalls.find(_progress(5, 5), {_PLACE: 5}, 998) == []
    assert stalls.find(_progress(5, 5), {_PLACE: 6}, 1000) == []


def test_not_reading_on_with_records_waiting_is_reported_with_its_place() -> None:
    stalls = StallDetector(30, {})
    assert stalls.find(_progress(5, 5), {_PLACE: 9}, 0) == []
    assert stalls.find(_progress(5, 5), {_PLACE: 9}, 30) == []
    [still] = stalls.find(_progress(5, 5), {_PLACE: 12}, 31)
    assert str(still) == (
        "decide: timeline/2 has not been read on at 5 for 31 s with 7 records waiting"
    )


def test_reading_on_without_ever_committing_is_a_stall_too() -> None:
    stalls = StallDetector(30, {})
    stalls.find(_progress(6, 5), {_PLACE: 6}, 0)
    [still] = stalls.find(_progress(90, 5), {_PLACE: 90}, 40)
    assert still.what == "not been committed"
    assert still.behind == 85


def test_moving_ends_the_wait() -> None:
    stalls = StallDetector(30, {})
    stalls.find(_progress(5, 5), {_PLACE: 9}, 0)
    assert stalls.find(_progress(6, 6), {_PLACE: 9}, 29) == []
    assert stalls.find(_progress(6, 6), {_PLACE: 9}, 58) == []


def test_reading_state_back_may_take_its_time() -> None:
    stalls = StallDetector(30, {})
    for now_s in (0, 1000):
        assert stalls.find(_progress(5, 5, recovered=False), {_PLACE: 9}, now_s) == []


def test_a_partition_that_left_and_came_back_starts_again() -> None:
    stalls = StallDetector(30, {})
    stalls.find(_progress(5, 5), {_PLACE: 9}, 0)
    stalls.find(Progress({"decide": RoleProgress(recovered=True)}), {}, 20)
    assert stalls.find(_progress(5, 5), {_PLACE: 9}, 40) == []


class _Watched:
    """A watch over one partition whose ends, and whose clock, are in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.end = End(5, 5)
        self.away, self.wrong = False, ""
        self.now_s = 0.0
        self.metrics = Metrics()
        progress = _progress(5, 5)
        self.at = progress.roles["decide"].partitions[_PLACE]
        self.watch = LagWatch(Settings(), progress, self.metrics, lambda: self.now_s)
        monkeypatch.setattr(lag, "ask_ends", self._answer)

    def _answer(self, *_: Any) -> tuple[dict[Partition, End], str]:
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return ({} if self.wrong else {_PLACE: self.end}), self.wrong

    def look(self, now_s: float) -> str:
        self.now_s = now_s
        asyncio.run(self.watch.refresh())
        return generate_latest(self.metrics.registry).decode()


def test_what_a_transaction_holds_back_is_shown_apart_with_how_long_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = _Watched(monkeypatch)
    held = 'concierge_held_back_seconds{partition="2",topic="timeline"} '
    assert held + "0.0" in watched.look(0)
    watched.end = End(5, 9)
    watched.look(10)
    # Since it was last seen not to hold anything: two seconds off at the most.
    assert held + "60.0" in watched.look(60)
    assert (watched.watch.lag, watched.watch.held_back) == ({_PLACE: 0}, {_PLACE: 4})
    assert watched.at.readable_end == 5
    watched.end = End(7, 9)  # that one has ended, another one is open
    assert held + "0.0" in watched.look(70)
    assert (watched.watch.lag, watched.watch.held_back) == ({_PLACE: 2}, {_PLACE: 2})


def test_brokers_that_are_away_leave_it_open_how_far_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = _Watched(monkeypatch)
    watched.look(0)
    watched.away = True
    watched.look(60)
    assert watched.at.readable_end == -1
    assert watched.watch.broker_silence.endswith("for 60 s")


def test_a_partition_that_is_not_known_yet_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = _Watched(monkeypatch)
    watched.wrong = "timeline/2: unknown partition"
    for now_s in (0, 60, 600):
        watched.look(now_s)
        assert (watched.watch.broker_silence, watched.watch.unknown) == ("", watched.wrong)


def test_an_error_that_ends_the_looking_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = ValueError("an answer of another shape")
    failures: list[BaseException] = []
    watch = LagWatch(Settings(), _progress(5, 5), Metrics(), failed=failures.append)
    _break(monkeypatch, trouble)
    asyncio.run(_until_ended(watch))
    assert failures == [trouble]


def test_without_a_worker_an_error_that_ends_the_looking_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _break(monkeypatch, ValueError("an answer of another shape"))
    asyncio.run(_until_ended(LagWatch(Settings(), _progress(5, 5), Metrics())))
    assert "no longer updated" in caplog.text
    assert "an answer of another shape" in caplog.text


def _break(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def ask(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(lag, "ask_ends", ask)


async def _until_ended(watch: LagWatch) -> None:
    await watch.start()
    assert watch._task is not None
    await asyncio.wait_for(watch._task, 30)
    await watch.stop()


def test_without_partitions_the_watch_asks_for_the_topic_by_its_whole_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    watch = LagWatch(Settings(topic_prefix="staging.", app_id="staging"), Progress(), Metrics())
    ask = SimpleNamespace(list_topics=lambda topic, timeout: asked.append(topic))
    monkeypatch.setattr(watch, "_admin", ask)
    asyncio.run(watch.refresh())
    assert asked == ["staging.timeline"]
