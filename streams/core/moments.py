"""Moments: when a decision is due. Not every event is one."""

from __future__ import annotations

MOMENTS = (
    "browsing",
    "searching",
    "cart_left",
    "order_placed",
    "refunded",
    "ticket_opened",
    "ticket_resolved",
    "signed_up",
    "gone_quiet",
    "replenishment_due",
)

# Event type and kind -> moment. Event types are named by the tag of their record.
MOMENT_OF_EVENT = {
    ("Click", "view"): "browsing",
    ("Click", "search"): "searching",
    ("Purchase", "order"): "order_placed",
    ("Purchase", "refund"): "refunded",
    ("Purchase", "return"): "refunded",
    ("Support", "opened"): "ticket_opened",
    ("Support", "reopened"): "ticket_opened",
    ("Support", "resolved"): "ticket_resolved",
    ("Profile", "signed_up"): "signed_up",
}

# Timer of the state -> moment. The name is that of the slot "due_<name>_ms".
MOMENT_OF_TIMER = {
    "cart_left": "cart_left",
    "gone_quiet": "gone_quiet",
    "replenishment": "replenishment_due",
}

# The timer that brings a moment again which quiet hours held back.
QUIET_OVER = "quiet_over"
# A moment as a number of the state; moments may only be appended.
MOMENT_NUMBER = {moment: number for number, moment in enumerate(MOMENTS)}

# Moments that exist only because we watched: without consent to personalization they are none.
WATCHED_MOMENTS = frozenset({"gone_quiet", "replenishment_due"})

# Moments that come many times in one visit; the cool-down between two decisions holds for them.
SESSION_MOMENTS = frozenset({"browsing", "searching"})

# An event that is this much older than the customer's newest one is folded, but an offer that
# answers it would be out of time. Service is owed for as long as it is valid.
FRESH_MS = 5 * 60 * 1_000
