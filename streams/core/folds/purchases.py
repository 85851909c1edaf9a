"""Folding purchases: money, rhythm per family, subscriptions; an order empties the cart."""

from __future__ import annotations

from array import array

from msgspec.structs import replace

from schemas.records import Purchase
from streams.core.catalogue.values import Timers
from streams.core.folds.clicks import cart_after_order
from streams.core.folds.habits import remember_basket
from streams.core.folds.subscriptions import fold_subscription
from streams.core.folds.updates import (
    LATEST_SLOT,
    TOTAL_SLOT,
    add_interest,
    bump,
    cart_waits,
    mark_seen,
    raise_latest,
)
from streams.core.money import currency_number
from streams.core.state.customer import CustomerState
from streams.core.state.decay import Weights, rounded
from streams.core.state.layout import (
    FAMILY,
    HALF_LIFE_NAMES,
    HEAD,
    MAX_NAME_BYTES,
)
from streams.core.state.text import (
    shortened,
)
from streams.core.state.timers import next_replenishment_ms
from streams.core.units import (
    DAY_MS,
)

# An order says as much about a taste as five views.
_ORDER_INTEREST = 5.0
_WITHOUT_THEM = frozenset({"subscription_change", "subscription_end"})
_CURRENCY = HEAD["spend_currency"]
_GONE_QUIET, _SUBSCRIPTION_END = HEAD["due_gone_quiet_ms"], HEAD["subscription_end_ms"]
# What a head keeps in minor units of `spend_currency`.
MONEY_SLOTS = (
    *(HEAD[f"{name}_{life}"] for name in ("spend", "refund_spend") for life in HALF_LIFE_NAMES),
    HEAD["total_spend"],
)


def without_money(event: Purchase) -> Purchase:
    """Return an order or refund with every amount at 0: it counts, and adds no money.

    For one in another currency than the catalogue's: amounts of two currencies are never added, and
    no rate of exchange is known here.
    """
    free = [replace(line, unit_price_minor=0, discount_minor=0) for line in event.lines]
    return replace(event, lines=free)


def fold_purchase(state: CustomerState, event: Purchase, weights: Weights, timers: Timers) -> None:
    """Apply an order, refund, return or subscription change."""
    money = sum(
        max(round(line.quantity * line.unit_price_minor) - line.discount_minor, 0)
        for line in event.lines
    )
    if money > 0:
        _count_in(state, currency_number(event.currency))
    if event.kind in ("refund", "return"):
        bump(state.head, "refunds", 1.0, weights)
        bump(state.head, "refund_spend", money, weights)
        state.head[TOTAL_SLOT["refunds"]] += 1
        raise_latest(state.head, "refunded", event.at_ms)
    elif event.kind == "order":
        _order(state, event, money, weights)
    else:
        fold_subscription(state, event)
        if event.kind == "subscription_end":
            _ended(state, event.at_ms, timers)
    # A subscription may be renewed or run out without the customer doing anything.
    if event.kind not in _WITHOUT_THEM:
        mark_seen(state, event.at_ms, timers)


def _ended(state: CustomerState, at_ms: int, timers: Timers) -> None:
    """Let a customer who was inactive before their last subscription ended be inactive once more.

    The message to a customer who left is another one than to a customer who is only inactive.
    """
    head = state.head
    was_quiet = 0 < head[LATEST_SLOT["seen"]] < at_ms and not head[_GONE_QUIET]
    if was_quiet and head[_SUBSCRIPTION_END] == at_ms:
        head[_GONE_QUIET] = at_ms + timers.gone_quiet_ms


def _count_in(state: CustomerState, currency: float) -> None:
    """Have the sums of money in a currency; those in another one, if there are, begin again at 0.

    That happens once, when a business changes the currency of its catalogue.
    """
    head = state.head
    if head[_CURRENCY] not in (0.0, currency):
        for slot in MONEY_SLOTS:
            head[slot] = 0.0
        for family in state.families.values():
            family[FAMILY["spend_30d"]] = 0.0
    head[_CURRENCY] = currency


def _order(state: CustomerState, event: Purchase, money: int, weights: Weights) -> None:
    head = state.head
    bump(head, "orders", 1.0, weights)
    bump(head, "spend", money, weights)
    head[TOTAL_SLOT["orders"]] += 1
    head[TOTAL_SLOT["lines"]] += len(event.lines)
    head[TOTAL_SLOT["spend"]] += money
    remember_basket(state, event, latest_ms=head[LATEST_SLOT["ordered"]])
    raise_latest(head, "ordered", event.at_ms)
    head[HEAD["automated_in_a_row"]] = 0.0
    spent: dict[str, int] = {}
    for line in event.lines:
        if line.family is not None:
            amount = round(line.quantity * line.unit_price_minor) - line.discount_minor
            name = shortened(line.family, MAX_NAME_BYTES)
            spent[name] = spent.get(name, 0) + max(amount, 0)
    for name, amount in spent.items():
        add_interest(state, name, _ORDER_INTEREST, event.at_ms, weights)
        _family_order(state.families[name], amount, event.at_ms, weights)
    state.cart = cart_after_order(state.cart, event.at_ms)
    if not cart_waits(state):
        head[HEAD["due_cart_left_ms"]] = 0.0
    head[HEAD["due_replenishment_ms"]] = next_replenishment_ms(state, head[LATEST_SLOT["ordered"]])


def _family_order(family: array[float], amount: int, at_ms: int, weights: Weights) -> None:
    day = at_ms // DAY_MS
    orders, spend = FAMILY["orders_30d"], FAMILY["spend_30d"]
    family[orders] = rounded(family[orders] + weights[2])
    family[spend] = rounded(family[spend] + amount * weights[2])
    first, last = FAMILY["first_order_day"], FAMILY["last_order_day"]
    days = FAMILY["order_days"]
    if family[days] == 0:
        family[first] = family[last] = day
        family[days] = 1
    elif day != family[last] and day != family[first]:
        # A day between the two counts as new: exact unless two late orders share such a day.
        family[days] += 1
    family[first] = min(family[first], day)
    family[last] = max(family[last], day)
    slot = FAMILY["last_order_ms"]
    family[slot] = max(family[slot], at_ms)
