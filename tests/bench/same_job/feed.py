"""Seeded clicks for the small job, and what must come of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench.same_job.job import apply, encode_click, new_totals

_START_MS = 1_705_320_000_000
_KINDS = ("view", "view", "view", "search", "add_to_cart", "page_leave")
_FAMILIES = ("tea", "coffee", "cake", "mugs", None)

Totals = dict[str, list[int]]


def clicks(count: int, customers: int, seed: int = 1) -> Iterator[tuple[str, bytes, list[int]]]:
    """Yield (customer, framed click, the customer's totals with it); totals are not copied."""
    chance = random.Random(seed)
    known: Totals = {}
    for number in range(count):
        customer = f"customer-{chance.randrange(customers)}"
        click = {
            "event_id": f"click-{number}",
            "customer_id": customer,
            "occurred_at": _START_MS + number,
            "kind": chance.choice(_KINDS),
            "product_id": f"product-{chance.randrange(1_000)}",
            "family": chance.choice(_FAMILIES),
            "channel": "web",
            "device": "phone",
            "place": "home",
            "session_id": f"session-{number // 20}",
            "dwell_ms": chance.randrange(60_000),
            "price_minor": chance.randrange(10_000),
        }
        totals = known.setdefault(customer, new_totals())
        apply(totals, click)
        yield customer, encode_click(click), totals
