"""Folding outcomes: how the customer responds to what we propose."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.records import Outcome
from streams.core.catalogue.values import Timers
from streams.core.channels import REACHING_OUT
from streams.core.folds.closed_channels import close
from streams.core.folds.updates import TOTAL_SLOT, bump, mark_seen, raise_latest
from streams.core.state.customer import CustomerState
from streams.core.state.decay import Weights
from streams.core.state.layout import HEAD

_RESPONSES = {
    "impression": "impressions",
    "click": "clicks",
    "accept": "accepts",
    "reject": "rejects",
    "objection": "rejects",
}


def fold_outcome(state: CustomerState, event: Outcome, weights: Weights, timers: Timers) -> None:
    """Apply an outcome; which decision it credits is for `streams.core.folds.attribution`."""
    if (total := _RESPONSES.get(event.kind)) is not None:
        bump(state.head, total, 1.0, weights)
    if event.kind in ("click", "accept", "reject", "objection", "unsubscribe"):
        raise_latest(state.head, "responded", event.at_ms)
        mark_seen(state, event.at_ms, timers)
        state.head[HEAD["automated_in_a_row"]] = 0.0
    if event.kind in ("click", "accept", "reject"):
        state.head[TOTAL_SLOT[f"{event.kind}s"]] += 1
    if event.kind == "unsubscribe":
        unsubscribe(state, event)


def unsubscribe(state: CustomerState, event: Outcome) -> None:
    """Close the channel; where it is not named that of the decision, else all that reach out.

    Not if a later opt-in is known, which opened the channel again.
    """
    channels: Iterable[str] = (event.channel,)
    if event.channel == "other":
        of_decision = [p.channel for p in state.pending if p.decision_id == event.decision_id]
        channels = of_decision or REACHING_OUT
    close(state, channels, event.at_ms)
