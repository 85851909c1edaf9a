"""Simulated clickstream: what a customer looks at before an order, and in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import NamedTuple

from streams.demo.event_builders import click
from streams.demo.online_retail import Invoice
from streams.demo.tastes import Tastes
from streams.feed.sent_event import Event, Sent

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
# Only what sells is looked at: it keeps the shelf small and its products familiar.
_SHELF_PRODUCTS = 40
_CART_LEFT_SHARE = 0.2


class Shelved(NamedTuple):
    """A product that can be looked at, with the last price it was sold at."""

    stock_code: str
    price_pence: int


Shelf = Mapping[str, Sequence[Shelved]]


def shelf_of(invoices: Iterable[Invoice]) -> dict[str, list[Shelved]]:
    """Return each family's best-selling products, best first."""
    sold: dict[str, Counter[str]] = {}
    prices: dict[str, int] = {}
    for invoice in invoices:
        for product, quantity, price_pence in invoice.lines:
            if product.family and quantity > 0 and price_pence > 0:
                sold.setdefault(product.family, Counter())[product.stock_code] += 1
                prices[product.stock_code] = price_pence
    return {
        family: [Shelved(code, prices[code]) for code, _ in counts.most_common(_SHELF_PRODUCTS)]
        for family, counts in sold.items()
    }


class Visit:
    """One visit of one customer: collects its clicks, a little later each."""

    def __init__(self, customer: str, tastes: Tastes, start_ms: int, rng: Random) -> None:
        self._customer = customer
        self._session = f"sim-visit-{customer}-{start_ms}"
        self._channel = "app" if tastes.channel == "app" else "web"
        self._device = "phone" if tastes.channel in ("app", "sms") else "desktop"
        self._at_ms = start_ms
        self._rng = rng
        self.events: list[Sent] = []

    def add(self, kind: str, family: str, product: Shelved | None = None) -> None:
        """Add the next click of the visit."""
        dwell_ms = self._rng.randrange(4_000, 90_000) if kind == "view" else 0
        event: Event = click(
            f"{self._session}-{len(self.events)}",
            self._customer,
            self._at_ms,
            kind,
            session=self._session,
            family=family,
            product=product.stock_code if product else None,
            price_minor=product.price_pence if product else 0,
            dwell_ms=dwell_ms,
            channel=self._channel,
            device=self._device,
        )
        self.events.append(("clickstream", event))
        self._at_ms += 1_000 + dwell_ms

    @property
    def at_ms(self) -> int:
        """When the next click would be, UTC epoch milliseconds."""
        return self._at_ms


def before_order(invoice: Invoice, tastes: Tastes, rng: Random) -> list[Sent]:
    """Return the visit that led to an order: some of its own lines viewed, one or two carted."""
    lines = [line for line in invoice.lines if line.product.family and line.price_pence > 0]
    if not lines:
        return []
    start_ms = invoice.at_ms - rng.randrange(9 * MINUTE_MS, 15 * MINUTE_MS)
    visit = Visit(invoice.customer, tastes, start_ms, rng)
    chosen = rng.sample(lines, min(len(lines), rng.randint(1, 3)))
    for number, (product, _, price_pence) in enumerate(chosen):
        family, shelved = product.family or "", Shelved(product.stock_code, price_pence)
        if number == 0 and rng.random() < 0.3:
            visit.add("search", family)
        visit.add("view", family, shelved)
        if rng.random() < 0.6:
            visit.add("add_to_cart", family, shelved)
    return visit.events


def between_orders(
    customer: str, tastes: Tastes, day: date, shelf: Shelf, rng: Random
) -> list[Sent]:
    """Return a visit without an order: one or two liked families, now and then a cart left."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    hour = rng.triangular(7.0, 22.5, 19.0)
    start_ms = int(midnight.timestamp() * 1000 + hour * HOUR_MS)
    visit = Visit(customer, tastes, start_ms, rng)
    for number in range(rng.randint(1, 2)):
        family = tastes.draw_family(rng)
        products = shelf.get(family)
        if not products:
            continue
        if number == 0 and rng.random() < 0.35:
            visit.add("search", family)
        for _ in range(rng.randint(1, 2)):
            product = products[min(int(rng.expovariate(0.12)), len(products) - 1)]
            visit.add("view", family, product)
        if rng.random() < _CART_LEFT_SHARE:
            visit.add("add_to_cart", family, product)
    return visit.events
