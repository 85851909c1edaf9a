"""What a customer has in the cart, buys as a habit and subscribes to, as the state keeps it."""

from __future__ import annotations

from math import log2

import msgspec

from streams.core.size_limits import MAX_QUANTITY

# The days of a habit count half for every so many days since, in sixteenths.
HALF_LIFE_DAYS = 60
WHOLE = 16
_MILLI = 1_000
MAX_MILLI = int(MAX_QUANTITY) * _MILLI
# More than a cart holds: a sum beyond that need not be remembered.
MAX_CART_MILLI = 1_000_000_000


class CartItem(msgspec.Struct, array_like=True, gc=False):
    """A product in the cart, in thousandths; `family` is its `family_number`.

    `latest_milli` is the latest change alone, negative for a removal. `owed_milli` was removed
    before its add arrived: a late add is set off against it. So a removed product stays as an item
    with a quantity of 0.
    """

    family: int
    quantity_milli: int
    at_ms: int
    latest_milli: int = 0
    owed_milli: int = 0


class Habit(msgspec.Struct, array_like=True, gc=False):
    """How a product is bought: on how many days, when last, how many at a time.

    `family` is its `family_number`. `weight` counts the days as well, each half for every 60 days
    between it and `last_day`, in sixteenths. Quantities are thousandths: `usual_milli` is what most
    orders had, `sure` how surely so (1 to 3), and `last_milli` what the latest order had, 0 where
    that had none of it. See `streams.core.folds.habits`.
    """

    days: int
    last_day: int
    family: int
    weight: int
    usual_milli: int = 1_000
    sure: int = 1
    last_milli: int = 0


class Subscription(msgspec.Struct, array_like=True, gc=False):
    """A subscription: its plan, and the times of what was said of it (0 = never).

    It began at `since_ms`, was started, renewed or changed last at `latest_ms`, and ended last at
    `ended_ms`: it is active where the latest word came after the last end.
    """

    plan: str
    since_ms: int = 0
    latest_ms: int = 0
    ended_ms: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it was started or renewed after it last ended."""
        return self.latest_ms > self.ended_ms


def strength(habit: Habit) -> float:
    """Return how useful a habit is, as a logarithm: of two, the larger one stays the larger."""
    return log2(habit.weight) + habit.last_day / HALF_LIFE_DAYS


def first_weight(days: int) -> int:
    """Return the weight of a habit of which an earlier release kept no more than its days.

    As if it had been bought every week: then so many days weigh at most 13.

    >>> first_weight(1), first_weight(3), first_weight(100)
    (16, 44, 206)
    """
    fade: float = 2.0 ** (-7 / HALF_LIFE_DAYS)
    return round(WHOLE * (1 - fade**days) / (1 - fade))


def milli_of(quantity: float) -> int:
    """Return a quantity in thousandths, at least one.

    >>> milli_of(2.0), milli_of(0.75), milli_of(1e-9)
    (2000, 750, 1)
    """
    return min(max(round(quantity * _MILLI), 1), MAX_MILLI)
