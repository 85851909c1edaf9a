"""Words for one customer: the slots that a message leaves open, and the products it is about.

A slot is `{name|there}`: what is known, or else the words behind the bar, so that a message never
has a hole in it. What was too long to be kept whole counts as not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from streams.core.catalogue import Treatment
from streams.core.folds.verbs import is_whole
from streams.core.state import CustomerState

# A basket longer than this is not read.
MOST_ITEMS = 5
# Bought on so many days, a product is a habit.
_HABIT_DAYS = 2
_SLOT = re.compile(r"\{([a-z_]+)\|([^{}|]*)\}")


def worded(treatment: Treatment, family: str | None, state: CustomerState, may: bool) -> str:
    """Return the treatment's message to this customer.

    Where they did not consent to personalization (`may` is false) every slot keeps its default.
    """
    if "{" not in treatment.message:
        return treatment.message

    def fill(slot: re.Match[str]) -> str:
        known = _KNOWN[slot[1]](state, family) if may else None
        return known or slot[2]

    return _SLOT.sub(fill, treatment.message)


def items_of(treatment: Treatment, family: str | None, state: CustomerState) -> list[str]:
    """Return the products that the treatment is about, at most `MOST_ITEMS`, the surest first."""
    return [] if treatment.items is None else _ITEMS[treatment.items](state, family)


def _usual(state: CustomerState, family: str | None) -> list[str]:
    habits = [
        (-habit.days, -habit.last_day, product)
        for product, habit in state.products.items()
        if habit.days >= _HABIT_DAYS
        and family in (None, habit.family)
        and _may_be_named(state, product)
    ]
    return [product for *_, product in sorted(habits)[:MOST_ITEMS]]


def _cart(state: CustomerState, family: str | None) -> list[str]:
    waiting = [
        (-item.at_ms, product)
        for product, item in state.cart.items()
        if item.quantity > 0 and family in (None, item.family) and _may_be_named(state, product)
    ]
    return [product for _, product in sorted(waiting)[:MOST_ITEMS]]


def _may_be_named(state: CustomerState, product: str) -> bool:
    """Tell whether a product may be proposed: kept whole, and not disliked by the customer's word.

    A preference's subject is a family or a product, by its id.
    """
    told = state.preferences.get(product)
    return is_whole(product) and (told is None or told.weight >= 0)


def _told(subject: str) -> Callable[[CustomerState, str | None], str | None]:
    def value(state: CustomerState, family: str | None) -> str | None:
        told = state.answers.get(subject)
        value = None if told is None else told.value
        return value if value is not None and is_whole(value) else None

    return value


def _product(state: CustomerState, family: str | None) -> str | None:
    """Return the product that waits in the cart, or else the one bought most often."""
    known = _cart(state, family) or _usual(state, family)
    return known[0].replace("_", " ") if known else None


_ITEMS = {"usual": _usual, "cart": _cart}
# What a customer told under these subjects of the profile topic, and what they did.
_KNOWN: dict[str, Callable[[CustomerState, str | None], str | None]] = {
    "name": _told("first_name"),
    "next_step": _told("next_step"),
    "product": _product,
}
SLOTS = tuple(_KNOWN)
ITEMS = tuple(_ITEMS)
