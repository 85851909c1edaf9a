"""Laws of the test whether an action is predicted: few false alarms, and rules that are seen."""

from __future__ import annotations

import numpy as np
import pytest

from streams.analysis.backtest.binned_columns import Binned
from streams.analysis.backtest.targeting_test import SEEN_AUC, targeting_test


def columns_of(rng: np.random.Generator, rows: int, customer: np.ndarray | None) -> list[Binned]:
    """Six columns of eight bins; those of a customer are the same in all of its rows."""
    found = []
    for number in range(6):
        codes = rng.integers(0, 8, rows)
        found.append(Binned(f"c{number}", codes if customer is None else codes[customer], 8))
    return found


@pytest.mark.parametrize("sticky", [False, True], ids=["rows drawn", "customers drawn"])
def test_actions_that_were_drawn_are_never_foretold(sticky: bool) -> None:
    """Sixty logs of every size; at level .001 none of them is expected to be called predicted."""
    alarms = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows, count = (700, 3_000, 8_000)[seed % 3], (2, 3, 8)[seed // 3 % 3]
        customer = rng.integers(0, rows // 3, rows)
        action = rng.choice(count, rows, p=rng.dirichlet(np.full(count, 2.0)))
        if sticky:
            action = rng.integers(0, count, rows)[customer]
        columns = columns_of(rng, rows, customer if seed % 2 else None)
        alarms += [seed] if targeting_test(columns, action, count, customer).found else []
    assert alarms == []


@pytest.mark.parametrize("rows", [1_500, 12_000])
def test_a_rule_that_is_said_to_be_detectable_is_found(rows: int) -> None:
    """A rule of one column, and one of two columns that neither shows alone."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        first, second = rng.integers(0, 2, rows), rng.integers(0, 2, rows)
        columns = [*columns_of(rng, rows, None), Binned("x", first, 2), Binned("y", second, 2)]
        for rule, names in ((first, {"x"}), (first ^ second, {"x", "y"})):
            action = (rng.random(rows) < 0.35 + 0.3 * rule).astype(np.int64)
            found = targeting_test(columns, action, 2, np.arange(rows))
            assert found.detectable < SEEN_AUC
            assert found.found
            assert set(found.by.split(" with ")) == names
            assert found.auc == pytest.approx(0.65, abs=0.06)


def test_a_log_of_one_action_or_without_columns_is_not_foretold_and_not_enough() -> None:
    rng = np.random.default_rng(0)
    nothing = targeting_test([], rng.integers(0, 2, 900), 2, np.arange(900))
    one = targeting_test(columns_of(rng, 900, None), np.zeros(900, np.int64), 1, np.arange(900))
    assert not nothing.found
    assert not nothing.enough
    assert not one.found
    assert not one.enough
