"""Positions move past records, past markers behind them, and past markers alone."""

from __future__ import annotations

import pytest

from streams.shell.kafka_records import Chunk, FetchedRecord, Partition
from streams.shell.runner.positions import Positions
from streams.shell.telemetry.progress import RoleProgress

_PLACE = Partition("clickstream", 0)


def _positions(start: int = 0, end: int = 3) -> tuple[Positions, RoleProgress]:
    progress = RoleProgress(recovered=True)
    positions = Positions(progress)
    positions.begin({_PLACE: start}, {_PLACE: end})
    return positions, progress


def test_markers_of_transactions_move_the_position_and_are_no_records() -> None:
    positions, progress = _positions()
    behind = Chunk(_PLACE, [FetchedRecord(0, 0, b"k", b"v")], 0, 0, read_to=2)
    alone = Chunk(_PLACE, [], 2, 0, read_to=3)
    for chunk in (behind, alone):
        positions.check([chunk])
        positions.advance([chunk])
    assert progress.records == 1
    assert progress.caught_up
    assert positions.cut() == {_PLACE: 3}


def test_markers_alone_are_no_news_of_records() -> None:
    positions, progress = _positions()
    positions.advance([Chunk(_PLACE, [], 0, 0, read_to=2)])
    assert progress.last_chunk_at_ms == 0
    assert positions.records_since_cut == 0


def test_a_chunk_that_does_not_follow_is_refused() -> None:
    positions, _ = _positions(start=2)
    with pytest.raises(RuntimeError, match="got records from 3 on, but expected 2"):
        positions.check([Chunk(_PLACE, [], 3, 0, read_to=4)])
