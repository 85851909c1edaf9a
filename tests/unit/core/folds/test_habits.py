"""What a customer buys as a habit: which products, how many of each, and the latest order."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.records import OrderLine
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    MAX_PRODUCT_BYTES,
    MAX_PRODUCTS,
    MAX_PRODUCTS_BYTES,
    MAX_TEXT_BYTES,
)
from streams.core.units import (
    DAY_MS,
)
from tests.support.events import NOON_MS, Feed

WEEK_MS = 7 * DAY_MS


def line(product: str, quantity: float = 1.0, family: str | None = None) -> OrderLine:
    return OrderLine(product, family, quantity, 100)


def ordered(*baskets: list[OrderLine], every_ms: int = WEEK_MS) -> CustomerState:
    feed, state = Feed(), CustomerState()
    for number, basket in enumerate(baskets):
        fold(state, feed.order("ada", NOON_MS + number * every_ms, *basket), Timers())
    return state


def quantities(state: CustomerState) -> dict[str, float]:
    return {name: habit.usual_milli / 1_000 for name, habit in state.products.items()}


def last_order(state: CustomerState) -> dict[str, float]:
    return {n: h.last_milli / 1_000 for n, h in state.products.items() if h.last_milli}


@pytest.mark.parametrize("size", [11, 25, MAX_PRODUCTS])
def test_a_basket_of_up_to_40_products_becomes_a_habit_in_its_second_week(size: int) -> None:
    basket = [line(f"p{number}") for number in range(size)]
    state = ordered(basket, basket[::-1], basket)
    assert {habit.days for habit in state.products.values()} == {3}
    assert len(state.products) == size


def test_of_a_larger_basket_40_products_are_a_habit_in_whatever_order_it_comes() -> None:
    basket = [line(f"p{number}") for number in range(60)]
    state = ordered(basket, basket[::-1], basket[30:] + basket[:30])
    assert [habit.days for habit in state.products.values()] == [3] * MAX_PRODUCTS


def test_what_is_bought_once_makes_room_and_the_weekly_basket_stays() -> None:
    weekly = [line(f"weekly{number}") for number in range(12)]
    baskets = [weekly + [line(f"once{week}_{n}") for n in range(20)] for week in range(12)]
    state = ordered(*baskets)
    assert {f"weekly{number}" for number in range(12)} <= state.products.keys()
    assert {state.products[f"weekly{number}"].days for number in range(12)} == {12}
    assert len(state.products) == MAX_PRODUCTS


def test_what_was_a_habit_years_ago_makes_room_for_what_is_bought_today() -> None:
    old = [line(f"old{number}") for number in range(MAX_PRODUCTS)]
    feed, state = Feed(), ordered(*[old] * 10)
    for week in range(2):
        at_ms = NOON_MS + 3 * 365 * DAY_MS + week * WEEK_MS
        fold(state, feed.order("ada", at_ms, *[line(f"new{n}") for n in range(15)]), Timers())
    assert {name: habit.days for name, habit in state.products.items() if name[0] == "n"} == {
        f"new{number}": 2 for number in range(15)
    }


def test_a_strong_habit_does_not_make_room_for_one_large_order() -> None:
    weekly = [line(f"weekly{number}") for number in range(30)]
    party = [line(f"party{number}") for number in range(MAX_PRODUCTS)]
    state = ordered(*[weekly] * 8, party)
    assert {f"weekly{number}" for number in range(30)} <= state.products.keys()
    # As many products of the latest order as there is room for.
    assert len(last_order(state)) == MAX_PRODUCTS - 30


def test_ids_take_up_no_more_bytes_than_they_may() -> None:
    basket = [line(f"{number:02}" + "x" * (MAX_PRODUCT_BYTES - 2)) for number in range(30)]
    state = ordered(basket, basket)
    assert sum(len(name.encode()) for name in state.products) <= MAX_PRODUCTS_BYTES
    assert len(state.products) == MAX_PRODUCTS_BYTES // MAX_PRODUCT_BYTES


def test_a_product_is_known_by_an_id_as_long_as_a_uuid() -> None:
    uuid = "6f2c1f5e-8f53-4b8e-9a9f-3f0d3c8b7a11"
    assert list(ordered([line(uuid)], [line(uuid)]).products) == [uuid]
    assert len(uuid) > MAX_TEXT_BYTES


@pytest.mark.parametrize(
    ("bought", "usual"),
    [
        ([2, 2, 2], 2),
        ([2, 2, 10, 2], 2),
        ([2, 2, 10], 2),
        ([1, 1, 3, 3, 3], 3),
        ([0.75, 0.8, 0.82], 0.82),
    ],
)
def test_the_usual_quantity_is_that_of_most_orders_and_follows_a_change(
    bought: list[float], usual: float
) -> None:
    state = ordered(*[[line("milk", quantity)] for quantity in bought])
    assert quantities(state) == {"milk": usual}


def test_lines_of_one_product_are_one_quantity() -> None:
    state = ordered([line("milk", 2), line("bread"), line("milk", 1)])
    assert quantities(state) == {"milk": 3, "bread": 1}
    assert state.products["milk"].days == 1


def test_the_latest_order_is_known_with_its_quantities() -> None:
    state = ordered([line("milk", 2), line("rice")], [line("milk", 1), line("apples", 0.5)])
    assert last_order(state) == {"milk": 1, "apples": 0.5}
    again = Feed(first_offset=9).order("ada", NOON_MS + WEEK_MS + 5, line("tea"))
    fold(state, again, Timers())
    assert last_order(state) == {"tea": 1}


def test_lines_that_come_as_events_of_their_own_are_one_latest_order() -> None:
    baskets = [[line("milk", 2)], [line("rice")], [line("milk", 1)]]
    state = ordered([line("tea")], every_ms=0)
    feed, at_ms = Feed(first_offset=9), NOON_MS + WEEK_MS
    for basket in baskets:
        fold(state, feed.order("ada", at_ms, *basket, order_id="o1"), Timers())
    assert last_order(state) == {"milk": 3, "rice": 1}


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_which_order_was_the_latest_does_not_depend_on_the_order_of_arrival(
    arrival: tuple[int, ...],
) -> None:
    feed, state = Feed(), CustomerState()
    orders = [
        feed.order("ada", NOON_MS + week * WEEK_MS, line("milk", week + 1), line(f"p{week}"))
        for week in range(3)
    ]
    for place in arrival:
        fold(state, orders[place], Timers())
    assert last_order(state) == {"milk": 3, "p2": 1}
    assert (state.products["milk"].days, state.products["milk"].last_day) == (3, 19_751)


def test_two_orders_of_a_day_are_one_day_and_the_later_one_is_the_latest() -> None:
    state = ordered([line("milk", 2)], [line("milk", 1)], every_ms=60_000)
    assert (state.products["milk"].days, last_order(state)) == (1, {"milk": 1})


def test_two_identities_have_the_days_of_both_and_the_latest_order_of_one() -> None:
    feed = Feed()
    a, b = CustomerState(), CustomerState()
    for week in range(3):
        fold(a, feed.order("a", NOON_MS + week * WEEK_MS, line("milk", 2), line("tea")), Timers())
    fold(b, feed.order("b", NOON_MS + 5 * WEEK_MS, line("milk", 1), line("rum")), Timers())
    one, other = merge(a, b), merge(b, a)
    assert one.products == other.products
    assert (one.products["milk"].days, quantities(one)["milk"]) == (4, 2)
    assert last_order(one) == {"milk": 1, "rum": 1}
    assert one.products["milk"].weight > a.products["milk"].weight


def test_of_the_habits_of_two_identities_the_most_useful_stay() -> None:
    feed = Feed()
    a, b = CustomerState(), CustomerState()
    for week in range(4):
        lines = [line(f"a{number}") for number in range(MAX_PRODUCTS)]
        fold(a, feed.order("a", NOON_MS + week * WEEK_MS, *lines), Timers())
    lines = [line(f"b{number}") for number in range(10)]
    fold(b, feed.order("b", NOON_MS + 9 * WEEK_MS, *lines), Timers())
    one = merge(a, b)
    assert one.products.keys() == merge(b, a).products.keys()
    assert last_order(one).keys() == {f"b{number}" for number in range(10)}
    assert len(one.products) == MAX_PRODUCTS
