"""Words for one customer: the slots that a message leaves open, and the products it is about.

A slot is `{name|there}`: what is known, or else the words behind the bar, so that a message never
has a hole in it. What was too long to be kept whole counts as not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import log2

from streams.core.catalogue.values import Treatment
from streams.core.hashing import family_number
from streams.core.state.baskets import Habit, strength
from streams.core.state.customer import CustomerState
from streams.core.state.text import is_whole

# Bought on so many days, a product is a habit; and usual if it is bought at least so often as what
# the customer buys most, or else twice in a year of weekly shops would belong to the usual basket.
_HABIT_DAYS = 2
_USUAL_RATIO = 0.2
_SLOT = re.compile(r"\{([a-z_]+)\|([^{}|]*)\}")


def personalised(treatment: Treatment, family: str | None, state: CustomerState, may: bool) -> str:
    """Return the treatment's message to this customer.

    Where they did not consent to personalization (`may` is false) every slot keeps its default.
    """
    if "{" not in treatment.message:
        return treatment.message

    def fill(slot: re.Match[str]) -> str:
        known = SLOT_SOURCES[slot[1]](state, family) if may else None
        return known or slot[2]

    return _SLOT.sub(fill, treatment.message)


def items_for(
    treatment: Treatment, family: str | None, state: CustomerState
) -> list[tuple[str, float]]:
    """Return the products that the treatment is about with their quantities, the surest first."""
    if treatment.items is None:
        return []
    return ITEM_SOURCES[treatment.items](state, family)[: treatment.rows]


def _usual(state: CustomerState, family: str | None) -> list[tuple[str, float]]:
    most = max(map(strength, state.products.values()), default=0.0) + log2(_USUAL_RATIO)
    return _habits(
        state,
        family,
        lambda habit: habit.days >= _HABIT_DAYS and strength(habit) >= most,
        lambda habit: habit.usual_milli,
    )


def _last_order(state: CustomerState, family: str | None) -> list[tuple[str, float]]:
    return _habits(
        state, family, lambda habit: habit.last_milli > 0, lambda habit: habit.last_milli
    )


def _habits(
    state: CustomerState,
    family: str | None,
    among: Callable[[Habit], bool],
    milli: Callable[[Habit], int],
) -> list[tuple[str, float]]:
    wanted = family_number(family)
    found = [
        (-strength(habit), product, milli(habit) / 1_000)
        for product, habit in state.products.items()
        if among(habit) and wanted in (0, habit.family) and _may_be_named(state, product)
    ]
    return [(product, quantity) for _, product, quantity in sorted(found)]


def _cart(state: CustomerState, family: str | None) -> list[tuple[str, float]]:
    wanted = family_number(family)
    waiting = [
        (-item.at_ms, product, item.quantity_milli / 1_000)
        for product, item in state.cart.items()
        if item.quantity_milli > 0 and wanted in (0, item.family) and _may_be_named(state, product)
    ]
    return [(product, quantity) for _, product, quantity in sorted(waiting)]


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
    return known[0][0].replace("_", " ") if known else None


def _plan(state: CustomerState, family: str | None) -> str | None:
    """Return the plan of the subscription that was started or renewed last, if it is active."""
    active = [each for each in state.subscriptions.values() if each.is_active]
    latest = max(active, key=lambda each: (each.latest_ms, each.plan), default=None)
    if latest is None or not is_whole(latest.plan):
        return None
    return latest.plan.replace("_", " ")


ITEM_SOURCES = {"usual": _usual, "last_order": _last_order, "cart": _cart}
# What a customer stated under these subjects of the profile topic, and what they did.
SLOT_SOURCES: dict[str, Callable[[CustomerState, str | None], str | None]] = {
    "name": _told("first_name"),
    "next_step": _told("next_step"),
    "product": _product,
    "plan": _plan,
}
