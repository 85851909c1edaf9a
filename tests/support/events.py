"""Builders of events for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.records import (
    Click,
    CustomerEvent,
    OrderLine,
    Origin,
    Outcome,
    Profile,
    Purchase,
    Support,
    Switch,
    TimelineRecord,
)
from streams.core.catalogue.values import Catalogue

# Monday 2024-01-15, 12:00 UTC.
NOON_MS = 1_705_320_000_000

Positioned = tuple[int, TimelineRecord]


class Feed:
    """Writes events as intake would: each with its own id and place in its source topic."""

    def __init__(self, partitions: int = 1, first_offset: int = 0) -> None:
        self._next: Counter[tuple[str, int]] = Counter()
        self._partitions = partitions
        self._made = self._first_offset = first_offset

    def _shared(self, topic: str, customer: str, at_ms: int, kind: str) -> dict[str, Any]:
        self._made += 1
        partition = self._made % self._partitions
        offset = self._first_offset + self._next[topic, partition]
        origin = Origin(topic, partition, offset, at_ms + 5)
        self._next[topic, partition] += 1
        return {
            "event_id": f"{topic}-{self._made}",
            "customer": customer,
            "at_ms": at_ms,
            "origin": origin,
            "kind": kind,
        }

    def click(self, customer: str, at_ms: int, kind: str = "view", **more: Any) -> Click:
        """Return a clickstream event."""
        return Click(**self._shared("clickstream", customer, at_ms, kind), **more)

    def order(
        self,
        customer: str,
        at_ms: int,
        *lines: OrderLine,
        kind: str = "order",
        order_id: str | None = None,
    ) -> Purchase:
        """Return an order (or refund, ...); of one packet of tea unless lines are given."""
        shared = self._shared("purchases", customer, at_ms, kind)
        bought = list(lines) or [OrderLine("earl_grey", "tea", 1.0, 500)]
        named = order_id or shared["event_id"]
        return Purchase(**shared, order_id=named, currency="EUR", lines=bought)

    def support(self, customer: str, at_ms: int, kind: str = "opened", **more: Any) -> Support:
        """Return a step of a ticket."""
        shared = self._shared("support", customer, at_ms, kind)
        return Support(**shared, **{"ticket_id": "ticket", **more})

    def profile(self, customer: str, at_ms: int, kind: str, **more: Any) -> Profile:
        """Return something the customer told us."""
        return Profile(**self._shared("profile", customer, at_ms, kind), **more)

    def consent(self, customer: str, at_ms: int, purpose: str, *, granted: bool) -> Profile:
        """Return a consent that was given or withdrawn."""
        return self.profile(customer, at_ms, "consent", purpose=purpose, granted=granted)

    def outcome(
        self, customer: str, at_ms: int, kind: str, decision_id: str, **more: Any
    ) -> Outcome:
        """Return what became of an action."""
        shared = self._shared("outcomes", customer, at_ms, kind)
        return Outcome(**shared, decision_id=decision_id, **more)

    def again(self, event: CustomerEvent) -> CustomerEvent:
        """Return the same event sent once more: same id, another place in the source topic."""
        shared = self._shared(event.origin.topic, event.customer, event.at_ms, event.kind)
        return msgspec.structs.replace(event, origin=shared["origin"])


def numbered(records: Sequence[TimelineRecord], start: int = 0) -> list[Positioned]:
    """Give records their offsets."""
    return list(enumerate(records, start))


def use(catalogue: Catalogue) -> Switch:
    """Return the record from which on a catalogue is in use."""
    return Switch("catalogue", "catalogue", catalogue.version)
