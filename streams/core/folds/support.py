"""Folding support: which tickets are open, how bad, and how satisfied the customer was."""

from __future__ import annotations

from schemas.records import SEVERITIES, Support
from streams.core.catalogue import Timers
from streams.core.decay import Weights
from streams.core.folds.verbs import TOTAL_SLOT, bump, latest, seen
from streams.core.layout import HEAD, MAX_TICKETS
from streams.core.state import CustomerState, Ticket


def fold_support(state: CustomerState, event: Support, weights: Weights, timers: Timers) -> None:
    """Apply a step in the life of a ticket."""
    latest(state.head, "ticket", event.at_ms)
    if event.kind == "opened":
        bump(state.head, "tickets", 1.0, weights)
        state.head[TOTAL_SLOT["tickets"]] += 1
    elif event.kind == "message":
        bump(state.head, "messages", 1.0, weights)
    if event.kind in ("opened", "message", "reopened", "rated"):
        seen(state, event.at_ms, timers)
    if event.satisfaction is not None and event.at_ms >= state.head[HEAD["satisfaction_ms"]]:
        state.head[HEAD["satisfaction"]] = event.satisfaction
        state.head[HEAD["satisfaction_ms"]] = event.at_ms
    _ticket(state, event)


def _ticket(state: CustomerState, event: Support) -> None:
    severity = SEVERITIES.index(event.severity)
    known = state.tickets.get(event.ticket_id)
    if known is None:
        if event.kind == "rated":
            return
        if len(state.tickets) >= MAX_TICKETS:
            # A closed ticket goes before an open one, an old one before a young one.
            oldest = min(
                state.tickets,
                key=lambda t: (state.tickets[t].is_open, state.tickets[t].changed_at_ms, t),
            )
            del state.tickets[oldest]
        is_open = event.kind != "resolved"
        state.tickets[event.ticket_id] = Ticket(
            event.at_ms, event.at_ms, is_open, severity, event.family
        )
        return
    known.opened_at_ms = min(known.opened_at_ms, event.at_ms)
    known.family = known.family or event.family
    if event.kind in ("opened", "escalated"):
        known.severity = max(known.severity, severity)
    # A message neither opens nor closes; only the latest opening or closing word counts.
    if event.kind in ("opened", "reopened", "escalated", "resolved"):
        if event.at_ms >= known.changed_at_ms:
            known.is_open = event.kind != "resolved"
        known.changed_at_ms = max(known.changed_at_ms, event.at_ms)
