"""Order credit: what orders add to a pending decision, and what a return takes back of it.

A pending decision lists the latest orders it was credited with (`CreditedOrder`), the lines it is
about only. Its `converted`, `spent_minor` and, where a purchase is its reward, `rewarded` follow
from that list. A part that comes back reduces the spend; with the last of an order the conversion
goes too. Once the decision is settled its lesson stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas.records import OrderLine, Purchase
from streams.core.folds.updates import kept_product
from streams.core.hashing import family_number, id_hash
from streams.core.state.baskets import Habit
from streams.core.state.customer import (
    LASTING_CONVERSION,
    LASTING_REWARD,
    CreditedOrder,
    Pending,
)
from streams.core.state.layout import MAX_CREDITED_ORDERS

# Sums stay exact and fit into the stored type, whatever amount an order claims.
_MOST_MONEY_MINOR = 2**53
# Weights that come back in parts need not add up to the last digit.
_ALL = 1 - 1e-9


def _lines_about(family: str | None, lines: Sequence[OrderLine]) -> Sequence[OrderLine]:
    return lines if family is None else [line for line in lines if line.family == family]


def _sums(lines: Iterable[OrderLine]) -> tuple[int, float]:
    """Return the money (minor units) and the number of pieces of order lines."""
    money, units = 0, 0.0
    for line in lines:
        price_minor = round(line.quantity * line.unit_price_minor) - line.discount_minor
        money += max(price_minor, 0)
        units += line.quantity
    return min(money, _MOST_MONEY_MINOR), units


def _comes_back(
    family: str | None, line: OrderLine, products: Mapping[str, Habit], whole: bool
) -> bool:
    """Return whether a returned line is about a decision; a return often names products only.

    Then the customer's habits tell the family. Where they do not, the line counts if the whole
    order was credited.
    """
    if family is None or line.family == family:
        return True
    habit = products.get(kept_product(products, line.product))
    if habit is not None and habit.family:
        return habit.family == family_number(family)
    return whole and line.family is None


def credit_order(pending: Pending, event: Purchase) -> None:
    """Credit an order or subscription to a pending decision that is about one of its lines."""
    order = id_hash(event.order_id)
    known = next((each for each in pending.orders if each.order == order), None)
    about = _lines_about(pending.family, event.lines)
    whole = len(about) == len(event.lines)
    if known is not None:
        # A shop may send one event for each line of an order.
        known.whole &= whole
    if not about:
        return
    if not pending.orders:
        # Credited by a release that did not list orders.
        pending.lasting |= LASTING_REWARD * pending.rewarded
        pending.lasting |= LASTING_CONVERSION * pending.converted
    money, units = _sums(about)
    # What is spent in another currency converts, and adds no money.
    counted = money > 0 and pending.currency in ("", event.currency)
    if known is None:
        if len(pending.orders) >= MAX_CREDITED_ORDERS:
            first = pending.orders.pop(0)
            pending.lasting |= LASTING_CONVERSION | LASTING_REWARD * first.rewards
        rewards = pending.family_purchase if event.kind == "order" else pending.subscription
        known = CreditedOrder(order, money, units, event.currency, whole, counted, rewards)
        pending.orders.append(known)
    elif event.currency == known.currency:
        known.spent_minor += money
        known.units += units
        known.counted |= counted
    else:
        counted = False
    if counted:
        pending.currency = event.currency
        pending.spent_minor += money
    _conclude(pending)


def take_back(pending: Pending, event: Purchase, products: Mapping[str, Habit]) -> None:
    """Take back what was returned or refunded; all of it where nothing of the order is left.

    `products` tell of which family a returned product is. Nothing happens for an order that was
    not credited, or is not listed any more.
    """
    if not pending.orders:
        return
    order = id_hash(event.order_id)
    known = next((each for each in pending.orders if each.order == order), None)
    if known is None:
        return
    money, units = _sums(
        line for line in event.lines if _comes_back(pending.family, line, products, known.whole)
    )
    if event.currency != known.currency:
        # Amounts of two currencies are never set against each other; the pieces still count.
        money = 0
    before_minor = unreturned_minor(known)
    if event.kind == "return":
        known.returned_minor += money
    else:
        known.refunded_minor += money
    if event.kind == "return" or not known.spent_minor:
        # Of what cost nothing only the pieces can come back.
        known.returned_units += units
    left_minor = unreturned_minor(known)
    all_back = known.returned_units >= known.units * _ALL
    if all_back or (known.spent_minor and not left_minor):
        pending.orders.remove(known)
        left_minor = 0
    if known.counted:
        pending.spent_minor -= before_minor - left_minor
        pending.currency = pending.currency if pending.spent_minor else ""
    _conclude(pending)


def unreturned_minor(order: CreditedOrder) -> int:
    """Return what is left of an order's spend, in minor units, after returns and refunds."""
    return max(order.spent_minor - max(order.returned_minor, order.refunded_minor), 0)


def _conclude(pending: Pending) -> None:
    lasting = pending.lasting
    pending.converted = bool(pending.orders or lasting & LASTING_CONVERSION)
    by_order = any(order.rewards for order in pending.orders)
    pending.rewarded = by_order or bool(lasting & LASTING_REWARD)
