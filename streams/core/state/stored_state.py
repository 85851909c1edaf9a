"""A customer's state as it is stored, and how what older releases stored becomes that."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import msgspec
import numpy as np

from streams.core.hashing import family_number
from streams.core.state.baskets import CartItem, Habit, Subscription, first_weight, milli_of
from streams.core.state.customer import Pending, StatedValue, SuppressionCount, Ticket
from streams.core.state.event_ids import as_short, source_named
from streams.core.state.packing import split_halves


class CartItemBefore(msgspec.Struct, array_like=True, gc=False):
    """A product in the cart as versions up to 3 stored it; quantity 0 remembers a removal."""

    family: str | None
    quantity: float
    at_ms: int


class HabitBefore(msgspec.Struct, array_like=True, gc=False):
    """How a product is bought as versions up to 3 stored it."""

    days: int
    last_day: int
    family: str | None


class Stored(msgspec.Struct, array_like=True, gc=False):
    """A customer's state as it is stored; fields may only be appended, with a default."""

    schema_version: int
    applied_offset: int
    # As `streams.core.state.packing` parts them; up to version 2 each as it is.
    head: bytes
    family_names: list[str]
    families: bytes
    contacts: bytes
    # Up to version 2 numbers of 64 bits.
    recent_ids: bytes | list[int]
    # Up to version 2 by name.
    watermarks: dict[int | str, int]
    # Up to version 3: since then `habits` and `basket` take their place.
    products: dict[str, HabitBefore]
    cart: dict[str, CartItemBefore]
    tickets: dict[str, Ticket]
    preferences: dict[str, StatedValue]
    answers: dict[str, StatedValue]
    unsubscribed: dict[str, int]
    time_zone: str | None
    pending: list[Pending]
    # Slots per row when it was stored: rows of a later layout are longer.
    head_width: int
    family_width: int
    contact_width: int
    suppression_counts: dict[int, SuppressionCount] = {}
    # None where an older release stored it.
    enrolled: bytes | None = None
    habits: dict[str, Habit] = {}
    basket: dict[str, CartItem] = {}
    subscriptions: dict[int, Subscription] = {}
    known_ids: dict[int, bytes] = {}


def _whole_head(stored: Stored) -> None:
    """Version 1 stored the head as a bitmap of the slots that are not 0, then their values."""
    bitmap, width = (stored.head_width + 7) // 8, stored.head_width
    used = np.unpackbits(np.frombuffer(stored.head, np.uint8, bitmap), count=width).view(np.bool_)
    head = np.zeros(width)
    head[used] = np.frombuffer(stored.head, np.float64, offset=bitmap)
    stored.head = head.tobytes()


def _in_halves(stored: Stored) -> None:
    """Version 2 stored rows as they are, with more bits of the sums, long ids and long names."""
    stored.head, stored.families = split_halves(
        array("d", stored.head), [array("d", stored.families)]
    )
    stored.recent_ids = as_short(stored.recent_ids)
    stored.watermarks = {source_named(str(s)): o for s, o in stored.watermarks.items()}


def _with_quantities(stored: Stored) -> None:
    """Version 3 had no quantities, named families by text, and no time of a ticket's latest event.

    Ids of purchases and outcomes are still among the recent ones. The latest order is not known, so
    "as last time" is not offered before the next one.
    """
    stored.habits = {
        name: Habit(old.days, old.last_day, family_number(old.family), first_weight(old.days))
        for name, old in stored.products.items()
    }
    stored.basket = {
        name: CartItem(
            family_number(old.family),
            milli_of(old.quantity) if old.quantity else 0,
            old.at_ms,
            milli_of(1.0) if old.quantity else -milli_of(1.0),
        )
        for name, old in stored.cart.items()
    }
    stored.products, stored.cart = {}, {}
    for ticket in stored.tickets.values():
        ticket.heard_ms = max(ticket.opened_at_ms, ticket.changed_at_ms)


# What turns a stored state of a version into one of the next; read one after the other. Appended
# fields and slots need none: they have defaults.
UPGRADES: dict[int, Callable[[Stored], None]] = {
    1: _whole_head,
    2: _in_halves,
    3: _with_quantities,
}
