"""Law of the gate: however a record is broken, it has a fate (`make bench`: a million times)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.mutations import ACCEPTED, Mutations


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_any_broken_record_is_refused_for_a_reason_or_fit_to_travel(seed: int) -> None:
    mutations = Mutations(seed)
    mutations.judge(100)
    assert mutations.fates.total() == 100


def test_mutations_are_of_many_kinds_and_leave_some_records_valid() -> None:
    mutations = Mutations(1)
    mutations.judge(3_000)
    assert len(mutations.fates) >= 9
    assert mutations.fates[ACCEPTED] > 0
