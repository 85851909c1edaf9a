"""Folding outcomes: how the customer responds to what we propose."""

from __future__ import annotations

from schemas.records import CHANNELS, Outcome
from streams.core.catalogue import Timers
from streams.core.decay import Weights
from streams.core.folds.verbs import TOTAL_SLOT, bump, latest, seen
from streams.core.state import CustomerState

_RESPONSES = {
    "impression": "impressions",
    "click": "clicks",
    "accept": "accepts",
    "reject": "rejects",
    "objection": "rejects",
}


def fold_outcome(state: CustomerState, event: Outcome, weights: Weights, timers: Timers) -> None:
    """Apply an outcome; which decision it credits is for `streams.core.attribute`."""
    if (total := _RESPONSES.get(event.kind)) is not None:
        bump(state.head, total, 1.0, weights)
    if event.kind in ("click", "accept", "reject", "objection", "unsubscribe"):
        latest(state.head, "responded", event.at_ms)
        seen(state, event.at_ms, timers)
    if event.kind in ("click", "accept", "reject"):
        state.head[TOTAL_SLOT[f"{event.kind}s"]] += 1
    if event.kind == "unsubscribe" and event.channel in CHANNELS:
        known_ms = state.unsubscribed.get(event.channel, 0)
        state.unsubscribed[event.channel] = max(known_ms, event.at_ms)
