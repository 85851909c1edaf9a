"""What an employee should know of a customer before they speak: a few lines, newest worries first.

Shown to the employee who gets a task, never to the customer; nothing in it that the customer did
not do with us or tell us.
"""

from __future__ import annotations

from schemas.symbols import SEVERITIES
from streams.core.folds.verbs import is_whole
from streams.core.layout import DAY_MS
from streams.core.state import CustomerState

# An employee reads this while the phone rings.
MOST_LINES = 8
_MOST_OF_A_KIND = 2
# Fewer than this is no opinion.
_STRONG = 0.3


def history_of(state: CustomerState, at_ms: int, may_personalize: bool) -> list[str]:
    """Return at most `MOST_LINES` lines about the customer at `at_ms`.

    Without consent to personalization only what concerns the contract: tickets and orders.
    """
    lines = [*_tickets(state, at_ms), *_orders(state, at_ms)]
    if may_personalize:
        lines += [*_tastes(state), *_waiting(state), *_contacts(state)]
    return lines[:MOST_LINES]


def _tickets(state: CustomerState, at_ms: int) -> list[str]:
    known = sorted(state.tickets.values(), key=lambda t: (not t.is_open, -t.changed_at_ms))
    lines = []
    for ticket in known[:_MOST_OF_A_KIND]:
        named = ticket.family is not None and is_whole(ticket.family)
        about = f" about {_words(ticket.family)}" if named else ""
        if ticket.is_open:
            since = _days(at_ms - ticket.opened_at_ms)
            lines.append(f"open ticket{about}, {SEVERITIES[ticket.severity]}, for {since}")
        else:
            lines.append(f"ticket{about} resolved {_days(at_ms - ticket.changed_at_ms)} ago")
    if satisfaction := int(state.number("satisfaction")):
        lines.append(f"last rated our support {satisfaction} of 5")
    return lines


def _orders(state: CustomerState, at_ms: int) -> list[str]:
    orders = int(state.number("total_orders"))
    if orders == 0:
        return ["has not ordered yet"]
    ago = _days(at_ms - int(state.number("latest_ordered")))
    lines = [f"{orders} {'order' if orders == 1 else 'orders'}, the latest {ago} ago"]
    if refunds := int(state.number("total_refunds")):
        lines.append(f"{refunds} {'refund' if refunds == 1 else 'refunds'}")
    return lines


def _tastes(state: CustomerState) -> list[str]:
    told = sorted(state.preferences.items(), key=lambda item: (-abs(item[1].weight), item[0]))
    return [
        f"told us: {'likes' if preference.weight > 0 else 'dislikes'} {_words(family)}"
        for family, preference in told[:_MOST_OF_A_KIND]
        if abs(preference.weight) >= _STRONG and is_whole(family)
    ]


def _waiting(state: CustomerState) -> list[str]:
    items = sum(item.quantity > 0 for item in state.cart.values())
    return [f"{items} {'product' if items == 1 else 'products'} in the cart"] if items else []


def _contacts(state: CustomerState) -> list[str]:
    ignored = int(state.number("ignored_in_a_row"))
    return [f"did not answer our last {ignored} messages"] if ignored > 1 else []


def _days(elapsed_ms: int) -> str:
    days = max(elapsed_ms, 0) // DAY_MS
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"


def _words(family: str | None) -> str:
    return (family or "").replace("_", " ")
