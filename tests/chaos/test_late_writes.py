"""A worker that slept between being allowed to write and writing: its state is out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.topics import customers_changelog
from tests.chaos.faults import alter
from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

pytestmark = pytest.mark.long

# Compaction as soon as it can be: it keeps what was written last, not what has the highest stamp.
_COMPACT_AT_ONCE = {
    "segment_ms": "200",
    "min_cleanable_dirty_ratio": "0.001",
    "min_compaction_lag_ms": "0",
    "max_compaction_lag_ms": "1",
}


def test_state_written_late_does_not_replace_newer_state_even_when_compacted(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    with ChaosWorld(kafka.bootstrap, tmp_path, events=3_000, seed=seed) as world:
        alter(world, customers_changelog(world.app_id).name, **_COMPACT_AT_ONCE)
        frozen = world.start_doomed("decide:probe:3:freeze")
        world.tell_until(lambda: not frozen.is_awake, "the worker to fall asleep")
        other = world.start_ready()
        world.tell(800)
        world.await_drained()
        frozen.wake()
        world.await_true(lambda: frozen.owns("decide"), "the woken worker to be a member again")
        world.tell(100)
        world.end()
        world.judge()
        world.terminate(other)
        world.alive.append(frozen)
        world.terminate(frozen)
