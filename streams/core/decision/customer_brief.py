"""What an employee should know of a customer before they speak: a few lines, newest worries first.

Shown to the employee who gets a task, never to the customer. It contains only what the customer did
with us or stated.
"""

from __future__ import annotations

from schemas.symbols import SEVERITIES
from streams.core.state.customer import CustomerState, Ticket
from streams.core.state.open_tickets import still_open
from streams.core.state.text import is_whole
from streams.core.units import DAY_MS

# An employee reads this while the phone rings.
MOST_LINES = 8
_MOST_OF_A_KIND = 2
# Fewer than this is no opinion.
_STRONG = 0.3


def customer_brief(
    state: CustomerState, at_ms: int, may_personalize: bool, ticket_closes_ms: int
) -> list[str]:
    """Return at most `MOST_LINES` lines about the customer at `at_ms`.

    Without consent to personalization only what concerns the contract: tickets, subscriptions and
    orders. A ticket without an event for `ticket_closes_ms` counts as closed.
    """
    lines = [
        *_tickets(state, at_ms, ticket_closes_ms),
        *_subscriptions(state, at_ms),
        *_orders(state, at_ms),
    ]
    if may_personalize:
        lines += [*_tastes(state), *_waiting(state), *_contacts(state)]
    return lines[:MOST_LINES]


def _tickets(state: CustomerState, at_ms: int, closes_ms: int) -> list[str]:
    is_open = {id(t): still_open(t, at_ms, closes_ms) for t in state.tickets.values()}
    known = sorted(state.tickets.values(), key=lambda t: (not is_open[id(t)], -t.heard_ms))
    lines = []
    for ticket in known[:_MOST_OF_A_KIND]:
        about = _about(ticket)
        if is_open[id(ticket)]:
            since = _days(at_ms - ticket.opened_at_ms)
            lines.append(f"open ticket{about}, {SEVERITIES[ticket.severity]}, for {since}")
        elif ticket.is_open:
            lines.append(f"ticket{about}, last heard of {_days(at_ms - ticket.heard_ms)} ago")
        else:
            lines.append(f"ticket{about} resolved {_days(at_ms - ticket.changed_at_ms)} ago")
    if satisfaction := int(state.number("satisfaction")):
        lines.append(f"last rated our support {satisfaction} of 5")
    return lines


def _about(ticket: Ticket) -> str:
    """Return what a ticket is about: the desk's topic, the product, or else its family."""
    topic, product, family = (
        _words(text) if text is not None and is_whole(text) else ""
        for text in (ticket.topic, ticket.product, ticket.family)
    )
    about = ", ".join(filter(None, (topic, product or family)))
    return f" about {about}" if about else ""


def _subscriptions(state: CustomerState, at_ms: int) -> list[str]:
    known = sorted(
        state.subscriptions.values(),
        key=lambda each: (not each.is_active, -max(each.latest_ms, each.ended_ms)),
    )
    lines = []
    for each in known[:_MOST_OF_A_KIND]:
        plan = f" to {_words(each.plan)}" if is_whole(each.plan) else ""
        if each.is_active:
            lines.append(f"subscription{plan}, for {_days(at_ms - each.since_ms)}")
        else:
            lines.append(f"subscription{plan} ended {_days(at_ms - each.ended_ms)} ago")
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
    items = sum(item.quantity_milli > 0 for item in state.cart.values())
    return [f"{items} {'product' if items == 1 else 'products'} in the cart"] if items else []


def _contacts(state: CustomerState) -> list[str]:
    ignored = int(state.number("ignored_in_a_row"))
    return [f"did not answer our last {ignored} messages"] if ignored > 1 else []


def _days(elapsed_ms: int) -> str:
    days = max(elapsed_ms, 0) // DAY_MS
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"


def _words(family: str | None) -> str:
    return (family or "").replace("_", " ")
