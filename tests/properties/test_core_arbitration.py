"""Exploring never loses a candidate, never exceeds one, and keeps its promises exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from streams.core.arbitration.discovery import with_discovery
from streams.core.arbitration.inverse_gap import (
    MOST_GROWN_LESSONS,
    grown_gamma,
    probabilities_of,
    with_floor,
    with_no_action,
)
from streams.core.features.wave import Floats

PRIORITIES = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(0, 1e3)
)


def odds(priorities: Floats, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    candidates = np.random.default_rng(seed).random(priorities.shape) < 0.7
    ranked = with_no_action(priorities, np.full(len(priorities), 0.3))
    return probabilities_of(ranked, candidates, np.array(50.0)), candidates


@given(PRIORITIES, st.integers(0, 99), st.floats(0, 0.05))
def test_a_floor_is_the_least_that_any_candidate_gets(
    priorities: Floats, seed: int, floor: float
) -> None:
    before, candidates = odds(priorities, seed)
    after = with_floor(before, floor)
    assert after.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    competing = before > 0
    assert (after[competing] >= floor - 1e-15).all()
    assert (after[:, :-1][~candidates] == 0).all()
    # The order of the odds stays.
    assert (np.diff(np.sort(after, axis=1)) >= 0).all()
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()


@given(PRIORITIES, st.integers(0, 99), st.floats(0, 0.5))
def test_discovery_gets_its_share_of_what_is_shown_and_silence_keeps_its_own(
    priorities: Floats, seed: int, share: float
) -> None:
    before, candidates = odds(priorities, seed)
    outside = np.random.default_rng(seed + 1).random(candidates.shape) < 0.5
    after = with_discovery(before, outside, share)
    assert after.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert after[:, -1].tolist() == before[:, -1].tolist()
    assert ((after > 0) == (before > 0)).all()
    shown = after[:, :-1].sum(axis=1)
    beyond = np.where(outside, after[:, :-1], 0.0).sum(axis=1)
    both = (outside & candidates).any(axis=1) & (~outside & candidates).any(axis=1)
    assert (beyond[both] >= share * shown[both] - 1e-12).all()
    assert after[~both].tolist() == before[~both].tolist()


def test_where_enough_lies_outside_discovery_changes_nothing() -> None:
    before = np.array([[0.5, 0.3, 0.2]])
    outside = np.array([[True, False]])
    assert with_discovery(before, outside, 0.2).tolist() == before.tolist()


def test_what_lies_outside_is_raised_to_its_share_of_what_is_shown() -> None:
    raised = with_discovery(np.array([[0.72, 0.08, 0.2]]), np.array([[False, True]]), 0.25)
    assert raised[0].tolist() == pytest.approx([0.6, 0.2, 0.2])


@given(st.floats(0, 1e4), st.floats(0, 100), st.lists(st.integers(0, 10**9), min_size=2))
def test_what_is_tried_becomes_less_with_what_is_known_and_never_stops(
    gamma: float, growth: float, lessons: list[int]
) -> None:
    found = grown_gamma(gamma, growth, np.sort(np.array(lessons, np.float64)))
    assert (np.diff(found) >= 0).all()
    assert (found >= gamma).all()
    assert (found <= max(gamma, growth * MOST_GROWN_LESSONS**0.5)).all()
    assert grown_gamma(gamma, 0.0, 10**9) == gamma
