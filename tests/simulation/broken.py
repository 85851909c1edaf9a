"""The product with one of its rules broken: what the laws are to notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from streams.agents.learn import Learn
from streams.core.engine import segment as turns
from streams.core.engine.engine import Engine
from streams.core.state.codec import PARTITION_KEY
from streams.shell.kafka_records import Partition
from streams.shell.runner.checkpoint import Checkpoint, CheckpointOutcome, Commit, Cut
from streams.shell.state.partition_store import PartitionStore
from tests.simulation import roles
from tests.simulation.cluster import Cluster
from tests.simulation.post import Post


def offsets_before_the_changelog(patch: pytest.MonkeyPatch) -> None:
    async def run(self: Checkpoint) -> CheckpointOutcome:
        parts = self._parts
        async with self._one_at_a_time:
            await parts.shut()
            cut = parts.cut()
            parts.open()
            if cut is None:
                return CheckpointOutcome.NOTHING
            await parts.outputs_acknowledged()
            if await parts.commit(cut) is not Commit.DONE:
                return CheckpointOutcome.BUSY
            for stage in cut.stages:
                await parts.send(list(stage))
                await parts.sent()
            parts.written(cut)
            return CheckpointOutcome.COMMITTED

    patch.setattr(Checkpoint, "run", run)


def the_changelog_before_the_outputs(patch: pytest.MonkeyPatch) -> None:
    async def flush_and_release(self: Post) -> None:
        self._is_held = False
        self._hand_over()

    patch.setattr(Post, "flush_and_release", flush_and_release)


def the_partitions_record_last(patch: pytest.MonkeyPatch) -> None:
    whole_cut = PartitionStore.cut

    def cut(self: PartitionStore, hot_limit: float) -> dict[str, bytes]:
        return dict(sorted(whole_cut(self, hot_limit).items(), reverse=True))

    assert PARTITION_KEY < "customer"
    patch.setattr(PartitionStore, "cut", cut)


def no_stamps(patch: pytest.MonkeyPatch) -> None:
    def keep_last(states: dict[str, bytes], key: bytes, value: bytes | None) -> None:
        states[key.decode()] = value or b""

    patch.setattr(roles, "keep_newest", keep_last)


def compaction_right_after_a_late_write(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cluster, "late_writes", lambda self, place: [])


def lessons_committed_before_their_snapshot(patch: pytest.MonkeyPatch) -> None:
    whole_cut, whole_start = Learn.cut, Learn.assigned

    def cut(self: Learn, positions: Mapping[Partition, int]) -> Cut:
        return Cut(positions, whole_cut(self, positions).stages)

    async def assigned(self: Learn, positions: Mapping[Partition, int], new: Any) -> Any:
        await whole_start(self, positions, new)
        return positions

    patch.setattr(Learn, "cut", cut)
    patch.setattr(Learn, "assigned", assigned)


def lessons_learned_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(roles.CheapBank, "_repeated", lambda self, lesson: None)


def events_folded_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turns, "repeat_of", lambda state, event: None)


def budgets_counted_again(patch: pytest.MonkeyPatch) -> None:
    count = Engine._count

    def count_all(self: Engine, segment: Any, store: Any) -> None:
        store.partition_state().counted_offset = -1
        count(self, segment, store)

    patch.setattr(Engine, "_count", count_all)


def timers_lost_in_a_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "recover", lambda self, partition, due_times: None)


class Noticed(NamedTuple):
    """The laws of which at least one is to notice, and a seed from which on one soon does."""

    by: frozenset[str]
    seed: int = 0


_STATES = frozenset({"states_differ"})
_FOLDED = frozenset({"folded_otherwise"})
_OUTPUTS = frozenset({"outputs_differ"})
_LEARNED = frozenset({"learned_otherwise"})
BROKEN: Mapping[Callable[[pytest.MonkeyPatch], None], Noticed] = {
    offsets_before_the_changelog: Noticed(_FOLDED),
    the_changelog_before_the_outputs: Noticed(_OUTPUTS),
    the_partitions_record_last: Noticed(_STATES),
    no_stamps: Noticed(_STATES, 74),
    compaction_right_after_a_late_write: Noticed(_STATES, 447),
    lessons_committed_before_their_snapshot: Noticed(_LEARNED),
    lessons_learned_again: Noticed(_LEARNED),
    events_folded_again: Noticed(_FOLDED),
    budgets_counted_again: Noticed(_STATES | {"budgets_differ"}, 44),
    timers_lost_in_a_restart: Noticed(_OUTPUTS),
}
