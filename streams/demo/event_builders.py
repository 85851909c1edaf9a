"""Build public events as the dicts that `schemas.wire` encodes: one builder a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.records import OrderLine
from streams.feed.sent_event import Event


def _event(event_id: str, customer: str, at_ms: int, kind: str) -> Event:
    return {"event_id": event_id, "customer_id": customer, "occurred_at": at_ms, "kind": kind}


def purchase(
    event_id: str,
    customer: str,
    at_ms: int,
    kind: str,
    *,
    order_id: str,
    currency: str,
    lines: Sequence[OrderLine],
    channel: str = "web",
) -> Event:
    """Return an event for the purchases topic; prices in minor units of `currency`."""
    return _event(event_id, customer, at_ms, kind) | {
        "order_id": order_id,
        "currency": currency,
        "channel": channel,
        "lines": [
            {
                "product_id": line.product,
                "family": line.family,
                "quantity": float(line.quantity),
                "unit_price_minor": line.unit_price_minor,
                "discount_minor": line.discount_minor,
            }
            for line in lines
        ],
    }


def click(
    event_id: str,
    customer: str,
    at_ms: int,
    kind: str,
    *,
    session: str,
    family: str | None = None,
    product: str | None = None,
    price_minor: int = 0,
    dwell_ms: int = 0,
    channel: str = "web",
    device: str = "desktop",
) -> Event:
    """Return an event for the clickstream topic."""
    return _event(event_id, customer, at_ms, kind) | {
        "session_id": session,
        "family": family,
        "product_id": product,
        "price_minor": price_minor,
        "dwell_ms": dwell_ms,
        "channel": channel,
        "device": device,
    }


def support(
    event_id: str,
    customer: str,
    at_ms: int,
    kind: str,
    *,
    ticket_id: str,
    topic: str,
    severity: str = "normal",
    product: str | None = None,
    family: str | None = None,
    satisfaction: int | None = None,
) -> Event:
    """Return an event for the support topic; `satisfaction` is 1 (worst) to 5."""
    return _event(event_id, customer, at_ms, kind) | {
        "ticket_id": ticket_id,
        "topic": topic,
        "severity": severity,
        "product_id": product,
        "family": family,
        "satisfaction": satisfaction,
        "channel": "web",
    }


def profile(event_id: str, customer: str, at_ms: int, kind: str, **told: Any) -> Event:
    """Return an event for the profile topic; `told` holds what its kind needs."""
    return _event(event_id, customer, at_ms, kind) | told


def outcome(
    event_id: str,
    customer: str,
    at_ms: int,
    kind: str,
    *,
    decision_id: str,
    channel: str,
    value_minor: int = 0,
    reason: str | None = None,
) -> Event:
    """Return an event for the outcomes topic."""
    return _event(event_id, customer, at_ms, kind) | {
        "decision_id": decision_id,
        "channel": channel,
        "value_minor": value_minor,
        "reason": reason,
    }
