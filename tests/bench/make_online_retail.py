"""Make `data/online_retail.avro` from the Parquet form of UCI Online Retail.

Run once by whoever renews the file (`python -m tests.bench.make_online_retail SOURCE TARGET`);
needs the extra `files`. What it keeps, and by which rule:

- every line that names a customer, as it is in the source: exact repeats and zero prices too;
- prices rounded to whole pence (four lines of 0.001 become 0);
- one row per invoice, in order of time. A few invoices straddle two minutes: the first counts.
  The source has shop-local times without a zone; they are taken as UTC.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import fastavro

SCHEMA: list[dict[str, Any]] = [
    {
        "type": "record",
        "name": "Product",
        "namespace": "concierge.demo",
        "doc": "One stock code with one of its descriptions; numbered from 0 in file order.",
        "fields": [
            {"name": "stock_code", "type": "string"},
            {"name": "description", "type": "string"},
        ],
    },
    {
        "type": "record",
        "name": "Invoice",
        "namespace": "concierge.demo",
        "doc": "One invoice; its lines are three parallel arrays. All products come before it.",
        "fields": [
            {"name": "invoice", "type": "string", "doc": "Begins with C when it is a refund."},
            {"name": "customer", "type": "int"},
            {"name": "minute", "type": "int", "doc": "Minutes since 1970-01-01 UTC."},
            {"name": "country", "type": "string"},
            {"name": "products", "type": {"type": "array", "items": "int"}},
            {"name": "quantities", "type": {"type": "array", "items": "int"}},
            {"name": "prices_pence", "type": {"type": "array", "items": "int"}},
        ],
    },
]
SOURCE_COLUMNS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
_BATCH_ROWS = 10_000
ATTRIBUTION = (
    "Online Retail, Daqing Chen, UCI Machine Learning Repository (2015), "
    "https://doi.org/10.24432/C5BW33, CC BY 4.0. Changed: lines without a customer left out, "
    "lines grouped per invoice, prices in pence."
)


def source_lines(source: Path) -> Iterator[dict[str, Any]]:
    """Yield the source's lines that name a customer, as dicts of its columns."""
    import duckdb  # the extra `files`: the demo itself does without

    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {', '.join(SOURCE_COLUMNS)} FROM read_parquet(?) WHERE CustomerID IS NOT NULL",
            [str(source)],
        )
        while lines := found.fetchmany(_BATCH_ROWS):
            for line in lines:
                yield dict(zip(SOURCE_COLUMNS, line, strict=True))


def rows(lines: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the file's rows: all products, then the invoices in order of time."""
    products: dict[tuple[str, str], int] = {}
    invoices: dict[str, dict[str, Any]] = {}
    for line in lines:
        product = (line["StockCode"], line["Description"].strip())
        minute = int(line["InvoiceDate"].replace(tzinfo=UTC).timestamp()) // 60
        row = invoices.setdefault(
            line["InvoiceNo"],
            {
                "invoice": line["InvoiceNo"],
                "customer": int(line["CustomerID"]),
                "minute": minute,
                "country": line["Country"],
                "products": [],
                "quantities": [],
                "prices_pence": [],
            },
        )
        row["minute"] = min(row["minute"], minute)
        row["products"].append(products.setdefault(product, len(products)))
        row["quantities"].append(int(line["Quantity"]))
        row["prices_pence"].append(round(line["UnitPrice"] * 100))
    for code, description in products:
        yield "concierge.demo.Product", {"stock_code": code, "description": description}
    for row in sorted(invoices.values(), key=lambda row: (row["minute"], row["invoice"])):
        yield "concierge.demo.Invoice", row


def make(source: Path, target: Path) -> None:
    """Write `target` from `source`; the same source gives the same bytes."""
    with target.open("wb") as out:
        fastavro.writer(
            out,
            SCHEMA,
            list(rows(source_lines(source))),
            codec="deflate",  # xz and bzip2 save a sixth, but not every Python is built with them
            codec_compression_level=9,
            sync_interval=4 << 20,
            sync_marker=b"online-retail-01",
            metadata={"attribution": ATTRIBUTION},
        )


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
