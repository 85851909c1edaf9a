"""Read the shipped invoices of UCI Online Retail and turn them into purchase events.

Rules of the turning: an invoice whose number begins with C is a refund; quantities become
positive; lines of one product at one price become one line (their quantities added), so money
and pieces stay exact while an exact repeat in the source is not a second line; free lines and
postage stay (postage without a family). `online_retail.avro` says how the file was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import groupby
from typing import IO, Any, NamedTuple, cast

import fastavro

from schemas.records import OrderLine
from streams.demo.event_builders import purchase
from streams.demo.families import family_of
from streams.feed.sent_event import Event

MINUTE_MS = 60_000
CURRENCY = "GBP"


class Product(NamedTuple):
    """A stock code with one of its descriptions, and the family found in its words."""

    stock_code: str
    description: str
    family: str | None


class InvoiceLine(NamedTuple):
    """One line as in the source: `quantity` is negative on refunds, the price is in pence."""

    product: Product
    quantity: int
    price_pence: int


class Invoice(NamedTuple):
    """One invoice of the shop. `at_ms` is UTC epoch milliseconds, to the minute."""

    number: str
    customer: str
    at_ms: int
    country: str
    lines: tuple[InvoiceLine, ...]

    @property
    def is_refund(self) -> bool:
        """Whether money was paid back to the customer."""
        return self.number.startswith("C")

    @property
    def day(self) -> date:
        """The calendar day, UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC).date()


def open_shipped() -> IO[bytes]:
    """Open the file that comes with the project."""
    return (files("streams.demo") / "data" / "online_retail.avro").open("rb")


def read_invoices(source: IO[bytes]) -> Iterator[Invoice]:
    """Yield the invoices of an open file, oldest first; reads as it goes."""
    products: list[Product] = []
    for row in cast("Iterator[dict[str, Any]]", fastavro.reader(source)):
        if "stock_code" in row:
            code, description = row["stock_code"], row["description"]
            products.append(Product(code, description, family_of(code, description)))
            continue
        lines = zip(row["products"], row["quantities"], row["prices_pence"], strict=True)
        yield Invoice(
            number=row["invoice"],
            customer=str(row["customer"]),
            at_ms=row["minute"] * MINUTE_MS,
            country=row["country"],
            lines=tuple(InvoiceLine(products[p], quantity, price) for p, quantity, price in lines),
        )


def days(invoices: Iterator[Invoice]) -> Iterator[tuple[date, list[Invoice]]]:
    """Group invoices that are in order of time by calendar day (UTC); skips empty days."""
    for day, group in groupby(invoices, key=lambda invoice: invoice.day):
        yield day, list(group)


def purchase_event(invoice: Invoice) -> Event:
    """Return the invoice as an event for the purchases topic; the same invoice, the same id."""
    lines: dict[tuple[str, int], OrderLine] = {}
    for product, quantity, price_pence in invoice.lines:
        key = (product.stock_code, price_pence)
        known = lines.get(key)
        pieces = abs(quantity) + (known.quantity if known else 0)
        family = known.family if known else product.family
        lines[key] = OrderLine(product.stock_code, family, pieces, price_pence)
    return purchase(
        f"uci-{invoice.number}",
        invoice.customer,
        invoice.at_ms,
        "refund" if invoice.is_refund else "order",
        order_id=invoice.number,
        currency=CURRENCY,
        lines=list(lines.values()),
    )
