"""Standing still counts only with something to do, and only when it lasts."""

from __future__ import annotations

from streams.runtime.chunk import Place
from streams.runtime.lag import Stalls
from streams.runtime.progress import PartitionProgress, Progress, RoleProgress

_PLACE = Place("timeline", 2)


def _progress(position: int, committed: int, *, recovered: bool = True) -> Progress:
    at = PartitionProgress(position, committed)
    role = RoleProgress(assigned=True, recovered=recovered, partitions={_PLACE: at})
    return Progress({"decide": role})


def test_waiting_for_input_is_not_standing_still() -> None:
    stalls = Stalls(30, {})
    for now_s in (0, 100, 200):
        assert stalls.look(_progress(5, 5), {_PLACE: 5}, now_s) == []


def test_a_record_that_has_just_arrived_is_not_a_stall() -> None:
    stalls = Stalls(30, {})
    assert stalls.look(_progress(5, 5), {_PLACE: 5}, 0) == []
    assert stalls.look(_progress(5, 5), {_PLACE: 5}, 998) == []
    assert stalls.look(_progress(5, 5), {_PLACE: 6}, 1000) == []


def test_not_reading_on_with_records_waiting_is_told_with_its_place() -> None:
    stalls = Stalls(30, {})
    assert stalls.look(_progress(5, 5), {_PLACE: 9}, 0) == []
    assert stalls.look(_progress(5, 5), {_PLACE: 9}, 30) == []
    [still] = stalls.look(_progress(5, 5), {_PLACE: 12}, 31)
    assert str(still) == (
        "decide: timeline/2 has not been read on at 5 for 31 s with 7 records waiting"
    )


def test_reading_on_without_ever_committing_is_a_stall_too() -> None:
    stalls = Stalls(30, {})
    stalls.look(_progress(6, 5), {_PLACE: 6}, 0)
    [still] = stalls.look(_progress(90, 5), {_PLACE: 90}, 40)
    assert still.what == "not been committed"
    assert still.behind == 85


def test_moving_ends_the_wait() -> None:
    stalls = Stalls(30, {})
    stalls.look(_progress(5, 5), {_PLACE: 9}, 0)
    assert stalls.look(_progress(6, 6), {_PLACE: 9}, 29) == []
    assert stalls.look(_progress(6, 6), {_PLACE: 9}, 58) == []


def test_reading_state_back_may_take_its_time() -> None:
    stalls = Stalls(30, {})
    for now_s in (0, 1000):
        assert stalls.look(_progress(5, 5, recovered=False), {_PLACE: 9}, now_s) == []


def test_a_partition_that_left_and_came_back_starts_anew() -> None:
    stalls = Stalls(30, {})
    stalls.look(_progress(5, 5), {_PLACE: 9}, 0)
    stalls.look(Progress({"decide": RoleProgress(recovered=True)}), {}, 20)
    assert stalls.look(_progress(5, 5), {_PLACE: 9}, 40) == []
