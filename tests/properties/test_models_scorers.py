"""For any taught model: numpy agrees with River, and the size of a wave changes no bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.learning.bank import Bank
from models.learning.capture import take
from models.protocol import ActionKey, Floats
from models.scoring import LinearScorer
from tests.unit.models.learning.test_world import fresh_bank, lesson, make_world, teach

TAUGHT = [
    ActionKey("a", "f", "i"),
    ActionKey("b", "f", "i"),
    ActionKey("c", None, "i"),
    ActionKey("d", "f", "j"),
]
UNTAUGHT = [
    ActionKey("new", "f", "i"),
    ActionKey("newer", "new", "i"),
    ActionKey("newest", None, "new"),
    ActionKey("a", "new", "j"),
]


def drawn_features(rng: np.random.Generator, rows: int, spreads: list[float]) -> Floats:
    """Columns of very different scale and offset; a spread of 0 is a constant column."""
    offsets = np.linspace(-1.0, 1.0, len(spreads)) * (np.abs(spreads).max() + 1.0)
    drawn: Floats = rng.normal(size=(rows, len(spreads))) * spreads + offsets
    return drawn


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    spreads=st.lists(st.sampled_from([0.0, 1e-6, 1e-3, 1.0, 50.0, 1e6]), min_size=2, max_size=8),
    taught=st.integers(0, 60),
    rate=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    data=st.data(),
)
def test_numpy_agrees_with_river_within_1e_9(
    seed: int, spreads: list[float], taught: int, rate: float, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    bank = Bank("offers", "v1", [f"x{i}" for i in range(len(spreads))])
    for offset, row in enumerate(drawn_features(rng, taught, spreads).tolist()):
        action = TAUGHT[int(rng.integers(len(TAUGHT)))]
        bank.learn_one(lesson(action, row, float(rng.random() < rate)), offset)

    actions = TAUGHT + UNTAUGHT
    split = data.draw(st.integers(0, len(spreads)), label="where the action's columns begin")
    customer = drawn_features(rng, 5, spreads)[:, :split]
    own = np.stack([drawn_features(rng, 5, spreads)[:, split:] for _ in actions], axis=1)
    said = LinearScorer(take(bank), actions).exact_propensities(customer, own)

    expected = [
        [
            bank.propensity(key, [*customer[n].tolist(), *own[n, a].tolist()])
            for a, key in enumerate(actions)
        ]
        for n in range(5)
    ]
    np.testing.assert_allclose(said, expected, rtol=0, atol=1e-9)


WORLD = make_world(seed=3, lessons=1_500, actions=20, width=45)
CUSTOMER_COLUMNS = 35


def taught_scorer() -> LinearScorer:
    bank = fresh_bank(WORLD)
    teach(bank, WORLD.lessons())
    return LinearScorer(take(bank), WORLD.actions)


SCORER = taught_scorer()
CUSTOMER = WORLD.features[:1_000, :CUSTOMER_COLUMNS]
ACTION = np.stack(
    [np.roll(WORLD.features[:1_000, CUSTOMER_COLUMNS:], a, axis=0) for a in range(20)], axis=1
)
WHOLE = SCORER.exact_propensities(CUSTOMER, ACTION)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 16, 17, 64, 100, 333, 999])
def test_the_size_of_a_wave_changes_no_bit(rows: int) -> None:
    for start in range(0, 1_000, rows):
        part = slice(start, start + rows)
        alone = SCORER.exact_propensities(CUSTOMER[part], ACTION[part])
        assert (alone == WHOLE[part]).all()


@settings(max_examples=60)
@given(rows=st.lists(st.integers(0, 999), min_size=1, max_size=40))
def test_the_company_and_order_of_customers_changes_no_bit(rows: list[int]) -> None:
    picked: NDArray[np.intp] = np.array(rows)
    alone = SCORER.exact_propensities(CUSTOMER[picked], ACTION[picked])
    assert (alone == WHOLE[picked]).all()


def test_how_a_wave_lies_in_memory_changes_no_bit() -> None:
    by_column = np.asfortranarray(CUSTOMER), np.asfortranarray(ACTION)
    assert (SCORER.exact_propensities(*by_column) == WHOLE).all()
    every_other = SCORER.exact_propensities(CUSTOMER[::2], ACTION[::2])
    assert (every_other == WHOLE[::2]).all()
