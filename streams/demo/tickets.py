"""Simulated support: a few tickets after orders, many more after refunds."""

from __future__ import annotations

from random import Random

from streams.demo.event_builders import support
from streams.demo.online_retail import Invoice
from streams.feed.sent_event import Sent

HOUR_MS = 3_600_000
_SHARE_AFTER_ORDER = 0.04
_SHARE_AFTER_REFUND = 0.25
_ORDER_TOPICS = ("delivery", "damaged", "question", "invoice")


def ticket_of(invoice: Invoice, rng: Random) -> list[Sent]:
    """Return the life of the ticket an invoice leads to: opened, resolved, perhaps rated."""
    share = _SHARE_AFTER_REFUND if invoice.is_refund else _SHARE_AFTER_ORDER
    if rng.random() >= share:
        return []
    ticket_id = f"sim-ticket-{invoice.number}"
    opened_ms = invoice.at_ms + int(rng.uniform(0.5, 60.0) * HOUR_MS)
    resolved_ms = opened_ms + int(rng.uniform(1.0, 48.0) * HOUR_MS)
    line = rng.choice(invoice.lines)
    topic = "refund" if invoice.is_refund else rng.choice(_ORDER_TOPICS)
    severity = rng.choices(("low", "normal", "high"), (3, 6, 1))[0]
    steps: list[tuple[str, int, int | None]] = [
        ("opened", opened_ms, None),
        ("resolved", resolved_ms, None),
    ]
    if rng.random() < 0.6:
        slow = (resolved_ms - opened_ms) / (48.0 * HOUR_MS)
        stars = max(1, min(5, round(rng.gauss(4.6 - 1.8 * slow, 0.8))))
        steps.append(("rated", resolved_ms + int(rng.uniform(0.2, 12.0) * HOUR_MS), stars))
    return [
        (
            "support",
            support(
                f"{ticket_id}-{kind}",
                invoice.customer,
                at_ms,
                kind,
                ticket_id=ticket_id,
                topic=topic,
                severity=severity,
                product=line.product.stock_code,
                family=line.product.family,
                satisfaction=rating,
            ),
        )
        for kind, at_ms, rating in steps
    ]
