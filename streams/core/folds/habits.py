"""Folding baskets: which products a customer buys as a habit, how many, and the latest order.

A state holds `MAX_PRODUCTS` products. When an order brings more, the least useful are dropped:
those bought on the fewest days, where a day counts half for every 60 days since. Products of the
order itself and of the latest order are never dropped, so that "as last time" stays complete. On a
year of a gift shop's orders, counting days with a half-life of 60 days predicted the next basket
best (recall of ten .261, plain days .260).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop
from math import log2

from schemas.records import OrderLine, Purchase
from streams.core.folds.updates import kept_product
from streams.core.hashing import family_number
from streams.core.state.baskets import HALF_LIFE_DAYS, MAX_MILLI, WHOLE, Habit, milli_of, strength
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    MAX_PRODUCT_BYTES,
    MAX_PRODUCTS,
    MAX_PRODUCTS_BYTES,
)
from streams.core.units import (
    DAY_MS,
)

# So often in a row settles a quantity against one order that differs, for a party or a friend.
SUREST = 3
# With no more products than this their ids fit, however long they are.
_ALWAYS_FIT = MAX_PRODUCTS_BYTES // MAX_PRODUCT_BYTES


def remember_basket(state: CustomerState, event: Purchase, *, latest_ms: float) -> None:
    """Remember the products of an order; `latest_ms` is when the latest one known was placed.

    A shop may send one event for each line of an order, all with the order's time. So an order of
    the same time as the latest one adds to it.
    """
    day, is_latest = event.at_ms // DAY_MS, event.at_ms >= latest_ms
    bought = _bought(state, event.lines)
    habits = state.products
    if event.at_ms > latest_ms:
        for habit in habits.values():
            habit.last_milli = 0
    new: dict[str, Habit] = {}
    for product, (family, milli) in bought.items():
        known = habits.get(product)
        if known is None:
            known = new[product] = Habit(1, day, family, WHOLE, milli)
        else:
            _again(known, day, family, milli)
        if is_latest:
            known.last_milli = min(known.last_milli + milli, MAX_MILLI)
    for product in _with_room(habits, new, bought.keys()):
        habits[product] = new[product]


def trimmed(habits: dict[str, Habit]) -> dict[str, Habit]:
    """Return of too many habits those of the latest order and the most useful, by name."""
    ranked = sorted(
        habits, key=lambda name: (habits[name].last_milli > 0, strength(habits[name]), name)
    )
    ranked = ranked[-MAX_PRODUCTS:]
    while _bytes(ranked) > MAX_PRODUCTS_BYTES:
        del ranked[0]
    return {name: habits[name] for name in sorted(ranked)}


def _bought(state: CustomerState, lines: Sequence[OrderLine]) -> dict[str, tuple[int, int]]:
    """Add up an order's lines by product: product -> (family, thousandths)."""
    bought: dict[str, tuple[int, int]] = {}
    for line in lines:
        product = kept_product(state.products, line.product)
        before = bought[product][1] if product in bought else 0
        milli = min(before + milli_of(line.quantity), MAX_MILLI)
        bought[product] = family_number(line.family), milli
    return bought


def _again(habit: Habit, day: int, family: int, milli: int) -> None:
    if day > habit.last_day:
        habit.weight = WHOLE + max(faded(habit.weight, day - habit.last_day), 1)
        habit.days += 1
        habit.last_day = day
        habit.family = family
    elif day < habit.last_day:
        # A late order: exact unless two of them share such a day.
        habit.weight += faded(WHOLE, habit.last_day - day)
        habit.days += 1
    if milli == habit.usual_milli:
        habit.sure = min(habit.sure + 1, SUREST)
    elif habit.sure > 1:
        habit.sure -= 1
    else:
        habit.usual_milli = milli


def faded(weight: int, days: int) -> int:
    """Return what is left of a weight after so many days."""
    left: float = weight * 2.0 ** (-days / HALF_LIFE_DAYS)
    return round(left)


def _with_room(
    habits: dict[str, Habit], new: Mapping[str, Habit], order: Collection[str]
) -> list[str]:
    """Make room for new products where they are more useful; return those that have it."""
    if not new or len(habits) + len(new) <= _ALWAYS_FIT:
        return list(new)
    # As `strength` says, without a call for each of many.
    spare = [
        (log2(habit.weight) + habit.last_day / HALF_LIFE_DAYS, name)
        for name, habit in habits.items()
        if not habit.last_milli and name not in order
    ]
    heapify(spare)
    count, size, kept = len(habits), _bytes(habits), list[str]()
    for product, habit in new.items():
        added = _bytes((product,))
        while count >= MAX_PRODUCTS or size + added > MAX_PRODUCTS_BYTES:
            if not spare or spare[0][0] > strength(habit):
                break
            weakest = heappop(spare)[1]
            count -= 1
            size -= _bytes((weakest,))
            del habits[weakest]
        else:
            kept.append(product)
            count += 1
            size += added
    return kept


def _bytes(names: Iterable[str]) -> int:
    return len("".join(names).encode())
