"""The shipped shop history: what is in it, and what its invoices become."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.demo.families import families, family_of
from streams.demo.online_retail import (
    Invoice,
    InvoiceLine,
    Product,
    days,
    open_shipped,
    purchase_event,
    read_invoices,
)
from streams.feed.topic_fields import problem_of
from tests.bench.make_online_retail import make, source_lines
from tests.support.loopback import shop

CANDLE = Product("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", "candles_lights")
POSTAGE = Product("POST", "POSTAGE", None)


class Totals(NamedTuple):
    """What two forms of the same history must agree on."""

    lines: int
    invoices: int
    refunds: int
    customers: int
    pieces: int
    pence: int


@pytest.fixture(scope="module")
def shipped() -> list[Invoice]:
    with open_shipped() as file:
        return list(read_invoices(file))


def totals(invoices: list[Invoice]) -> Totals:
    lines = [line for invoice in invoices for line in invoice.lines]
    return Totals(
        len(lines),
        len(invoices),
        sum(invoice.is_refund for invoice in invoices),
        len({invoice.customer for invoice in invoices}),
        sum(line.quantity for line in lines),
        sum(line.quantity * line.price_pence for line in lines),
    )


def test_the_shipped_history_is_complete(shipped: list[Invoice]) -> None:
    assert totals(shipped) == Totals(406_829, 22_190, 3_654, 4_372, 4_906_888, 830_006_581)


def test_the_shipped_history_is_in_order_of_time(shipped: list[Invoice]) -> None:
    times = [invoice.at_ms for invoice in shipped]
    assert times == sorted(times)
    assert (shipped[0].day, shipped[-1].day) == (date(2010, 12, 1), date(2011, 12, 9))


def test_the_shipped_file_holds_what_is_made_from_the_public_data(
    shared_data: Path, tmp_path: Path, shipped: list[Invoice]
) -> None:
    source = shared_data / "online_retail" / "online_retail.parquet"
    make(source, tmp_path / "made.avro")
    with (tmp_path / "made.avro").open("rb") as made, open_shipped() as file:
        # Compressed bytes may differ between builds of zlib, what they hold may not.
        assert list(read_invoices(made)) == list(read_invoices(file))
    lines = list(source_lines(source))
    found = totals(shipped)
    assert found.lines == len(lines)
    assert found.customers == len({line["CustomerID"] for line in lines})
    assert found.pieces == sum(int(line["Quantity"]) for line in lines)
    assert found.pence == sum(
        int(line["Quantity"]) * round(line["UnitPrice"] * 100) for line in lines
    )
    pounds = sum(line["Quantity"] * line["UnitPrice"] for line in lines)
    assert found.pence / 100 == pytest.approx(pounds, abs=1)


def test_every_invoice_becomes_an_event_that_the_input_side_admits(shipped: list[Invoice]) -> None:
    problems = Counter(
        problem
        for invoice in shipped[::5]
        if (problem := problem_of("purchases", purchase_event(invoice), 1_700_000_000_000))
    )
    assert problems == Counter()


def test_events_keep_every_piece_and_every_penny(shipped: list[Invoice]) -> None:
    for invoice in shipped[::50]:
        lines = purchase_event(invoice)["lines"]
        pieces = sum(line["quantity"] for line in lines)
        pence = sum(line["quantity"] * line["unit_price_minor"] for line in lines)
        sign = -1 if invoice.is_refund else 1
        assert pieces == sign * sum(line.quantity for line in invoice.lines)
        assert pence == sign * sum(line.quantity * line.price_pence for line in invoice.lines)


def test_a_refund_has_positive_quantities_and_an_id_of_its_own() -> None:
    refund = Invoice("C1", "17", 1_300_000_000_000, "France", (InvoiceLine(CANDLE, -3, 255),))
    event = purchase_event(refund)
    assert (event["kind"], event["event_id"]) == ("refund", "uci-C1")
    assert [line["quantity"] for line in event["lines"]] == [3.0]


def test_repeated_lines_of_one_product_at_one_price_become_one() -> None:
    lines = (
        InvoiceLine(CANDLE, 2, 255),
        InvoiceLine(POSTAGE, 1, 1_800),
        InvoiceLine(CANDLE, 2, 255),
        InvoiceLine(CANDLE, 1, 200),
    )
    event = purchase_event(Invoice("1", "17", 1_300_000_000_000, "France", lines))
    found = [
        (x["product_id"], x["family"], x["quantity"], x["unit_price_minor"]) for x in event["lines"]
    ]
    assert found == [
        ("85123A", "candles_lights", 4.0, 255),
        ("POST", None, 1.0, 1_800),
        ("85123A", "candles_lights", 1.0, 200),
    ]


def test_days_without_an_invoice_are_left_out() -> None:
    first = Invoice("1", "17", 1_300_000_000_000, "France", ())
    later = Invoice("2", "17", 1_300_000_000_000 + 3 * 86_400_000, "France", ())
    found = [(day, len(group)) for day, group in days(iter([first, later]))]
    assert found == [(date(2011, 3, 13), 1), (date(2011, 3, 16), 1)]


def test_nearly_every_line_has_a_family(shipped: list[Invoice]) -> None:
    lines = [line for invoice in shipped for line in invoice.lines]
    assert sum(line.product.family is not None for line in lines) / len(lines) > 0.98


def test_no_family_holds_more_than_a_seventh_of_the_lines(shipped: list[Invoice]) -> None:
    counts = Counter(line.product.family for invoice in shipped for line in invoice.lines)
    assert max(counts.values()) < 406_829 / 7


def test_the_shop_has_actions_for_exactly_these_families() -> None:
    assert set(shop().families) == set(families())


@pytest.mark.parametrize(
    ("stock_code", "description", "family"),
    [
        ("22086", "PAPER CHAIN KIT 50'S CHRISTMAS ", "christmas"),
        ("85099B", "JUMBO BAG RED RETROSPOT", "bags"),
        ("22423", "REGENCY CAKESTAND 3 TIER", "tea_dining"),
        ("22112", "CHOCOLATE HOT WATER BOTTLE", "textiles"),
        ("POST", "POSTAGE", None),
        ("M", "Manual", None),
        ("0", "nothing of the kind", None),
    ],
)
def test_families_are_found_by_words(stock_code: str, description: str, family: str | None) -> None:
    assert family_of(stock_code, description) == family
