"""Folding support: which tickets are open, how bad, and how satisfied the customer was."""

from __future__ import annotations

from schemas.records import Support
from schemas.symbols import SEVERITIES
from streams.core.catalogue.values import Timers
from streams.core.folds.updates import (
    TOTAL_SLOT,
    bump,
    mark_seen,
    raise_latest,
)
from streams.core.state.customer import CustomerState, Ticket
from streams.core.state.decay import Weights
from streams.core.state.layout import HEAD, MAX_TEXT_BYTES, MAX_TICKETS, MAX_TOPIC_BYTES
from streams.core.state.open_tickets import still_open
from streams.core.state.text import (
    family_name,
    shortened,
)

# What opens or closes a ticket.
_WORDS = frozenset({"opened", "reopened", "escalated", "resolved"})


def fold_support(state: CustomerState, event: Support, weights: Weights, timers: Timers) -> None:
    """Apply a step in the life of a ticket."""
    raise_latest(state.head, "ticket", event.at_ms)
    if event.kind == "opened":
        bump(state.head, "tickets", 1.0, weights)
        state.head[TOTAL_SLOT["tickets"]] += 1
    elif event.kind == "message":
        bump(state.head, "messages", 1.0, weights)
    if event.kind in ("opened", "message", "reopened", "rated"):
        mark_seen(state, event.at_ms, timers)
        state.head[HEAD["automated_in_a_row"]] = 0.0
    if event.satisfaction is not None and event.at_ms >= state.head[HEAD["satisfaction_ms"]]:
        state.head[HEAD["satisfaction"]] = event.satisfaction
        state.head[HEAD["satisfaction_ms"]] = event.at_ms
    _ticket(state, event, timers)


def is_superseded(state: CustomerState, event: Support) -> bool:
    """Return whether a later event closed the ticket that this event opened, or the reverse."""
    ticket = state.tickets.get(shortened(event.ticket_id, MAX_TEXT_BYTES))
    return ticket is None or ticket.is_open != (event.kind != "resolved")


def _ticket(state: CustomerState, event: Support, timers: Timers) -> None:
    severity = SEVERITIES.index(event.severity)
    ticket_id = shortened(event.ticket_id, MAX_TEXT_BYTES)
    known = state.tickets.get(ticket_id)
    if known is None:
        if event.kind == "rated":
            return
        if len(state.tickets) >= MAX_TICKETS:
            # A closed ticket is dropped before an open one, then the one without an event for the
            # longest.
            closes_ms, at_ms = timers.ticket_closes_ms, event.at_ms
            del state.tickets[
                min(
                    state.tickets,
                    key=lambda t: (
                        still_open(state.tickets[t], at_ms, closes_ms),
                        state.tickets[t].heard_ms,
                        t,
                    ),
                )
            ]
        is_open = event.kind != "resolved"
        # A message is no word on whether it is open: an earlier one that arrives later still is.
        changed_at_ms = event.at_ms if event.kind in _WORDS else 0
        known = state.tickets[ticket_id] = Ticket(
            event.at_ms, changed_at_ms, is_open, severity, family_name(event.family)
        )
        _about(known, event)
        return
    _about(known, event)
    known.opened_at_ms = min(known.opened_at_ms, event.at_ms)
    known.family = known.family or family_name(event.family)
    if event.kind in ("opened", "reopened", "escalated"):
        known.severity = max(known.severity, severity)
    # Only the latest opening or closing word counts.
    if event.kind in _WORDS:
        if event.at_ms >= known.changed_at_ms:
            known.is_open = event.kind != "resolved"
        known.changed_at_ms = max(known.changed_at_ms, event.at_ms)


def _about(ticket: Ticket, event: Support) -> None:
    """Keep the latest topic and product that the desk named.

    A rating looks back at a ticket: it names what no other event named, and does not count as
    hearing of the ticket, which would open a silent one again.
    """
    is_rating = event.kind == "rated"
    is_latest = event.at_ms >= ticket.heard_ms and not is_rating
    if event.topic and (is_latest or ticket.topic is None):
        ticket.topic = shortened(event.topic, MAX_TOPIC_BYTES)
    if event.product and (is_latest or ticket.product is None):
        ticket.product = shortened(event.product, MAX_TOPIC_BYTES)
    if not is_rating:
        ticket.heard_ms = max(ticket.heard_ms, event.at_ms)
