"""Positions move past records, past markers behind them, and past markers alone."""

from __future__ import annotations

import pytest

from streams.shell.kafka_records import Chunk, FetchedRecord, Partition
from streams.shell.runner.positions import Positions
from streams.shell.telemetry.progress import RoleProgress

_PLACE = Partition("clickstream", 0)


def _ledger(start: int = 0, end: int = 3) -> tuple[Positions, RoleProgress]:
    progress = RoleProgress(recovered=True)
    ledger = Positions(progress)
    ledger.begin({_PLACE: start}, {_PLACE: end})
    return ledger, progress


def test_markers_of_transactions_move_the_position_and_are_no_records() -> None:
    ledger, progress = _ledger()
    behind = Chunk(_PLACE, [FetchedRecord(0, 0, b"k", b"v")], 0, 0, read_to=2)
    alone = Chunk(_PLACE, [], 2, 0, read_to=3)
    for chunk in (behind, alone):
        ledger.check([chunk])
        ledger.advance([chunk])
    assert progress.records == 1
    assert progress.caught_up
    assert ledger.cut() == {_PLACE: 3}


def test_markers_alone_are_no_news_of_records() -> None:
    ledger, progress = _ledger()
    ledger.advance([Chunk(_PLACE, [], 0, 0, read_to=2)])
    assert progress.last_chunk_at_ms == 0
    assert ledger.records_since_cut == 0


def test_a_chunk_that_does_not_follow_is_refused() -> None:
    ledger, _ = _ledger(start=2)
    with pytest.raises(RuntimeError, match="got records from 3 on, but expected 2"):
        ledger.check([Chunk(_PLACE, [], 3, 0, read_to=4)])
