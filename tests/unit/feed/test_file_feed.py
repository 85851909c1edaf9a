"""Feeding files: every row becomes an event or is rejected with its line, and the sums add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.feed.file_feed import FileFeed, StrictError
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.feeds import FEEDS, NOW_MS, fed
from tests.support.files import written

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SHOP = HEADER + (
    "536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    "536365,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    "536366,22633,WARMER,6,12/1/2010 8:28,1.85,,United Kingdom\n"
    "C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,United Kingdom\n"
)
TICKETS = """
SELECT row, 't-' || row AS event_id, who AS customer_id, instant("at", 'UTC') AS occurred_at,
    kind, ticket AS ticket_id
FROM data
"""
VIEWS = """
SELECT row, id AS event_id, customer AS customer_id, instant("at", 'UTC') AS occurred_at,
    'view' AS kind
FROM data
"""


def sql_of(name: str) -> str:
    return (FEEDS / f"{name}.sql").read_text("utf-8")


def test_the_lines_of_an_invoice_become_one_order(tmp_path: Path) -> None:
    again = "536365,22752,BOX,2,12/1/2010 8:26,7.65,17850,United Kingdom\n"
    found = fed(written(tmp_path / "s.csv", SHOP + again), purchases=sql_of("online_retail"))
    assert [(event["event_id"], event["kind"]) for event in found.events] == [
        ("uci-536365", "order"),
        ("uci-C536379", "refund"),
    ]
    assert found.events[0]["lines"] == [
        {"product_id": "85123A", "quantity": 6.0, "unit_price_minor": 255},
        {"product_id": "71053", "quantity": 6.0, "unit_price_minor": 339},
        # Lines of one order need not be neighbours.
        {"product_id": "22752", "quantity": 2.0, "unit_price_minor": 765},
    ]
    assert found.events[1]["lines"] == [
        {"product_id": "D", "quantity": 1.0, "unit_price_minor": 2750}
    ]
    (sums,) = found.sums.topics
    assert (found.sums.rows, sums.rows_used, sums.rows_left_out) == (5, 4, 1)


def test_the_first_line_of_an_order_decides_for_all_of_it(tmp_path: Path) -> None:
    path = written(
        tmp_path / "orders.csv",
        "order,customer,status,at,sku,qty,price\n"
        "1001,ada,paid,2024-03-01T10:00:00Z,cup,1,9.00\n"
        "1001,ada,,2024-03-01T10:00:00Z,pot,2,20.00\n"
        "1002,bob,refunded,2024-03-01T11:00:00Z,cup,1,9.00\n"
        "1002,bob,,2024-03-01T11:00:00Z,bag,1,30.00\n",
    )
    sql = """
        SELECT list(row) AS row, 'o-' || "order" AS event_id, "order" AS order_id,
            any_value(customer) AS customer_id, min(instant("at", 'UTC')) AS occurred_at,
            'order' AS kind, 'EUR' AS currency,
            list({'product_id': sku, 'quantity': qty::DOUBLE,
                  'unit_price_minor': minor_units(price)} ORDER BY row) AS lines
        FROM data GROUP BY "order" HAVING any_value(status) = 'paid'
    """
    found = fed(path, purchases=sql)
    paid = [
        sum(line["quantity"] * line["unit_price_minor"] for line in event["lines"])
        for event in found.events
    ]
    assert paid == [4900]
    assert found.sums.topics[0].rows_left_out == 2


def test_an_order_with_one_unreadable_line_is_rejected_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "s.csv", SHOP.replace("3.39", "n/a"))
    found = fed(path, purchases=sql_of("online_retail"))
    assert [event["event_id"] for event in found.events] == ["uci-C536379"]
    (bad,) = found.rejected
    assert (bad.place, bad.topic) == ("s.csv:3", "purchases")
    assert "n/a" in bad.reason
    # The whole row, so that it can be mended without looking for it.
    assert (bad.values["StockCode"], bad.values["UnitPrice"]) == ("71053", "n/a")
    (sums,) = found.sums.topics
    assert (sums.spoiled_events, sums.rows_spoiled, sums.rows_left_out) == (1, 2, 1)


BAD_ROWS = (
    ('{"who": "ann", "at": "2020-01-01", "kind": "opened", "ticket": "1"}', None),
    ("{broken", "no valid JSON"),
    ("[1, 2]", "no object"),
    ('{"who": "", "at": "2020-01-01", "kind": "opened", "ticket": "1"}', "missing_customer"),
    ('{"who": "ann", "at": "soon", "kind": "opened", "ticket": "1"}', "soon"),
    ('{"who": "ann", "at": "1970-01-02", "kind": "opened", "ticket": "1"}', "event_time_too_old"),
    ('{"who": "ann", "at": "2999-01-01", "kind": "opened", "ticket": "1"}', "event_time_in_future"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "sung", "ticket": "1"}', "does not fit"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "opened"}', "ticket_id"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "rated", "ticket": "1"}', "missing_field"),
    ('{"who": "ann\\ud83d", "at": "2020-01-01", "kind": "opened", "ticket": "1"}', "no valid JSON"),
    ('{"who": "ann", "kind": "opened", "ticket": "1"}', "occurred_at"),
)


def test_what_is_no_event_is_rejected_with_its_line_and_reason(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    found = fed(path, support=TICKETS)
    assert [event["event_id"] for event in found.events] == ["t-1"]
    reasons = {bad.place: bad.reason for bad in found.rejected}
    assert len(reasons) == len(BAD_ROWS) - 1
    for line, (_, reason) in enumerate(BAD_ROWS[1:], start=2):
        assert reason is not None
        assert reason in reasons[f"t.jsonl:{line}"]


def test_events_go_out_in_the_order_of_time_over_all_topics(tmp_path: Path) -> None:
    path = written(
        tmp_path / "v.csv",
        "id,customer,at\ne3,ada,2024-03-01T10:03:00Z\ne1,ada,2024-03-01T10:01:00Z\n"
        "e2,ada,2024-03-01T10:02:00Z\n",
    )
    tickets = VIEWS.replace("'view' AS kind", "'opened' AS kind, id AS ticket_id") + "WHERE row > 2"
    found = fed(path, clickstream=VIEWS, support=tickets)
    assert [(topic, event["event_id"]) for topic, event in found.sent] == [
        ("clickstream", "e1"),
        ("support", "e1"),
        ("clickstream", "e2"),
        ("support", "e2"),
        ("clickstream", "e3"),
    ]


def test_ids_that_no_query_gives_stay_the_same_when_the_file_grows(tmp_path: Path) -> None:
    sql = VIEWS.replace("id AS event_id,", "")
    line = "e1,ada,2024-03-01T10:00:00Z\n"
    first = fed(written(tmp_path / "v.csv", "id,customer,at\n" + line * 2), clickstream=sql)
    grown = "id,customer,at\ne0,bob,2024-02-01T10:00:00Z\n" + line * 2 + "e9,ada,2024-04-01\n"
    again = fed(written(tmp_path / "v.csv", grown), clickstream=sql)
    ids = [event["event_id"] for event in first.events]
    assert len(set(ids)) == 2
    assert [event["event_id"] for event in again.events][1:3] == ids


def test_a_feed_goes_on_at_the_place_where_it_ended(tmp_path: Path) -> None:
    rows = "".join(
        f"e{n},{'' if n in (1, 4) else 'ada'},2024-03-01T10:{n:02}:00Z\n" for n in range(9)
    )
    path = written(tmp_path / "v.csv", "id,customer,at\n" + rows)
    every = [event["event_id"] for event in fed(path, clickstream=VIEWS).events]
    assert every == ["e0", "e2", "e3", "e5", "e6", "e7", "e8"]
    with open_tables([path]) as tables:
        results = [("clickstream", run_query(tables, VIEWS, "q.sql"))]
        for sent in range(len(every)):
            run = FileFeed(tables, results, NOW_MS, lambda _: None)
            events = run.events()
            for _ in range(sent + 1):
                next(events)
            # The event after the first `sent` may be on its way: going on repeats it.
            rest = fed(path, clickstream=VIEWS, skip=run.place_of(sent))
            assert [event["event_id"] for event in rest.events] == every[sent:]


def test_limit_stops_after_so_many_events_and_counts_the_rest(tmp_path: Path) -> None:
    found = fed(written(tmp_path / "s.csv", SHOP), purchases=sql_of("online_retail"), limit=1)
    assert (len(found.sent), found.sums.topics[0].not_reached) == (1, 1)


def test_strict_gives_nothing_where_anything_is_rejected(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    with open_tables([path]) as tables:
        results = [("support", run_query(tables, TICKETS, "q.sql"))]
        run = FileFeed(tables, results, NOW_MS, lambda _: None)
        with pytest.raises(StrictError, match=r"t\.jsonl:2: no valid JSON"):
            run.check_all()
        assert run.sums.topics[0].sent == 0


def test_complete_journey_can_be_fed(shared_data: Path) -> None:
    folder = shared_data / "completejourney"
    found: Any = fed(
        folder / "transactions.parquet",
        further={"products": folder / "products.parquet"},
        limit=500,
        purchases=sql_of("complete_journey"),
    )
    assert (len(found.sent), found.rejected) == (500, [])
    assert found.sums.topics[0].events == 155_518
    lines = [line for event in found.events for line in event["lines"]]
    # A few products are in no department.
    assert sum("family" in line for line in lines) > 0.95 * len(lines)


def test_the_helpdesk_log_can_be_fed(shared_data: Path) -> None:
    found = fed(shared_data / "helpdesk" / "helpdesk.csv", support=sql_of("helpdesk"))
    assert (len(found.sent), found.rejected) == (13_710, [])
    assert len({event["customer_id"] for event in found.events}) == 3_804


def test_equal_events_of_two_queries_to_one_topic_are_two_events(tmp_path: Path) -> None:
    path = written(
        tmp_path / "v.csv",
        "customer,at\nada,2024-03-01T10:00:00Z\nbob,2024-03-01T09:00:00Z\n",
    )
    views = VIEWS.replace("id AS event_id, ", "")
    with open_tables([path]) as tables:
        result = run_query(tables, views, "q.sql")
        once, twice = (
            list(FileFeed(tables, [("clickstream", result)] * times, NOW_MS, print).events())
            for times in (1, 2)
        )
    ids = [event["event_id"] for _, event in twice]
    assert len(set(ids)) == 4
    assert set(ids) > {event["event_id"] for _, event in once}
