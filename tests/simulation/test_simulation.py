"""Whatever goes wrong on the way, the end is that of a run in which nothing did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.broken import BROKEN
from tests.simulation.laws import wrongs
from tests.simulation.world import history

HISTORIES = 2_000
# While a change is made; with fewer, no count of faults is asked for.
FEW_HISTORIES = 200
# Of each kind, what a run of all histories holds at the least: a fault that does not happen proves
# nothing.
LEAST = {
    "kill": 2_000,
    "killed in a checkpoint of decide: outputs": 50,
    "killed in a checkpoint of decide: probe": 50,
    "killed in a checkpoint of decide: half": 20,
    "killed in a checkpoint of decide: changelog": 20,
    "killed in a checkpoint of intake: outputs": 50,
    "killed in recovery: decide": 200,
    "rebalance": 10_000,
    "fenced": 100,
    "busy": 500,
    "late wake": 200,
    "late changelog write": 10,
    "compaction": 200,
    "marker": 2_000,
    "delivery failed": 50,
    "event twice on the timeline": 2_000,
    "decisions sent again": 500,
    "lessons sent again": 20,
}


@pytest.mark.parametrize(
    "histories", [FEW_HISTORIES, pytest.param(HISTORIES, marks=pytest.mark.long)]
)
def test_no_history_ends_otherwise_than_without_faults(histories: int) -> None:
    noted: Counter[str] = Counter()

    @settings(max_examples=histories)
    @given(seed=st.integers(0, 2**64 - 1), steps=st.integers(100, 200))
    def end_as_if_nothing_had_happened(seed: int, steps: int) -> None:
        world = history(seed, steps)
        assert wrongs(world) == []
        noted.update(world.noted)

    end_as_if_nothing_had_happened()
    if histories == HISTORIES:
        assert {what: noted[what] for what, least in LEAST.items() if noted[what] < least} == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_rule_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    first = BROKEN[broken].seed
    for seed in range(first, first + HISTORIES):
        found = {wrong.partition(":")[0] for wrong in wrongs(history(seed, 300))}
        if found & BROKEN[broken].by:
            return
    pytest.fail("no law has noticed")


def test_a_seed_decides_everything() -> None:
    first, again = (history(7, 250) for _ in range(2))
    assert first.cluster.logs == again.cluster.logs
    assert first.noted == again.noted
