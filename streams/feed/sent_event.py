"""An event as it is sent, and the order of events."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


# An event and the input topic it belongs to.
Sent = tuple[str, Event]


def in_order(sent: Sent) -> tuple[int, str]:
    """Return the sort key of event time; ids break ties, so the order is always the same."""
    return sent[1]["occurred_at"], sent[1]["event_id"]
