"""Feeding files: every row becomes an event or is told of."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from streams.demo.events import Sent
from streams.demo.feed import Account, Feed, StrictError
from streams.demo.mapping import load_mapping, parse_mapping
from streams.demo.sources import SourceError

FEEDS = Path(__file__).parents[2] / "deploy" / "feeds"
NOW_MS = 1_700_000_000_000
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SHOP = HEADER + (
    "536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    "536365,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    "536366,22633,WARMER,6,12/1/2010 8:28,1.85,,United Kingdom\n"
    "C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,United Kingdom\n"
)
TICKETS = """\
topic: support
fields:
  event_id: {template: "t-{row}"}
  customer_id: {column: who}
  occurred_at: {column: at, steps: [time: iso]}
  kind: {column: kind}
  ticket_id: {column: ticket}
"""


def fed(mapping: str | Path, source: Path, **options: Any) -> tuple[list[Sent], Account]:
    loaded = load_mapping(mapping) if isinstance(mapping, Path) else parse_mapping("m", mapping)
    sent: list[Sent] = []
    account = Feed(loaded, source, NOW_MS, **options).run(sent.extend)
    return sent, account


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_lines_of_an_invoice_become_one_order(tmp_path: Path) -> None:
    sent, account = fed(FEEDS / "online_retail.yaml", written(tmp_path / "shop.csv", SHOP))
    assert [(event["event_id"], event["kind"]) for _, event in sent] == [
        ("uci-536365", "order"),
        ("uci-C536379", "refund"),
    ]
    assert sent[0][1]["lines"] == [
        {"product_id": "85123A", "quantity": 6.0, "unit_price_minor": 255},
        {"product_id": "71053", "quantity": 6.0, "unit_price_minor": 339},
    ]
    assert sent[1][1]["lines"] == [{"product_id": "D", "quantity": 1.0, "unit_price_minor": 2750}]
    assert (account.rows, account.left_out, account.rejected.total()) == (4, 1, 0)


def test_rows_of_one_invoice_that_stand_apart_are_told(tmp_path: Path) -> None:
    again = "536365,22752,BOX,2,12/1/2010 8:26,7.65,17850,United Kingdom\n"
    sent, account = fed(FEEDS / "online_retail.yaml", written(tmp_path / "shop.csv", SHOP + again))
    assert len(sent) == 2
    (bad,) = account.bad_rows
    assert (bad.number, bad.field) == (6, "group_by")
    assert "sort the file by InvoiceNo" in bad.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", '{"who": "ann", "at": "2020-01-01", "kind": "opened", "ticket": "1"}\n'),
        ("t.csv", "who,at,kind,ticket\nann,2020-01-01,opened,1\n"),
        ("t.tsv", "who\tat\tkind\tticket\nann\t2020-01-01\topened\t1\n"),
        ("t.jsonl.gz", '{"who": "ann", "at": "2020-01-01", "kind": "opened", "ticket": "1"}\n'),
        ("t.csv.gz", "who,at,kind,ticket\r\nann,2020-01-01,opened,1\r\n"),
    ],
)
def test_text_files_are_read_zipped_or_not(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    data = content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    sent, _ = fed(TICKETS, path)
    assert [(e["customer_id"], e["occurred_at"]) for _, e in sent] == [("ann", 1_577_836_800_000)]


def test_avro_files_are_read(tmp_path: Path) -> None:
    names = ("who", "at", "kind", "ticket")
    fields = [{"name": name, "type": "string"} for name in names]
    schema = {"type": "record", "name": "T", "fields": fields}
    row = dict(zip(names, ("ann", "2020-01-01", "opened", "1"), strict=True))
    with (tmp_path / "t.avro").open("wb") as out:
        fastavro.writer(out, schema, [row], codec="deflate")
    sent, _ = fed(TICKETS, tmp_path / "t.avro")
    assert [event["customer_id"] for _, event in sent] == ["ann"]


def test_parquet_files_are_joined_with_a_looked_up_file(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the parquet extra")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = {
        "basket_id": [1, 1, 2],
        "household_id": [900, 900, 901],
        "product_id": [5, 6, 5],
        "quantity": [2, 0, 1],
        "sales_value": [3.0, 0.0, 1.49],
        "transaction_timestamp": ["2017-01-01 11:53:26"] * 3,
    }
    parquet.write_table(pyarrow.table(rows), tmp_path / "transactions.parquet")
    products = {"product_id": [5], "department": ["DRUG GM"]}
    parquet.write_table(pyarrow.table(products), tmp_path / "products.parquet")
    sent, account = fed(FEEDS / "complete_journey.yaml", tmp_path / "transactions.parquet")
    assert [event["customer_id"] for _, event in sent] == ["household-900", "household-901"]
    assert sent[0][1]["lines"] == [
        {"product_id": "5", "family": "drug_gm", "quantity": 2.0, "unit_price_minor": 150}
    ]
    assert account.left_out == 1


BAD_ROWS = (
    ('{"who": "ann", "at": "2020-01-01", "kind": "opened", "ticket": "1"}', None),
    ("{broken", "no JSON"),
    ("[1, 2]", "no object"),
    ('{"who": "", "at": "2020-01-01", "kind": "opened", "ticket": "1"}', "missing_customer"),
    ('{"who": "ann", "at": "soon", "kind": "opened", "ticket": "1"}', "no time of the form"),
    ('{"who": "ann", "at": "1970-01-02", "kind": "opened", "ticket": "1"}', "event_time_too_old"),
    ('{"who": "ann", "at": "2999-01-01", "kind": "opened", "ticket": "1"}', "event_time_in_future"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "sung", "ticket": "1"}', "does not fit"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "opened"}', "ticket_id"),
    ('{"who": "ann", "at": "2020-01-01", "kind": "rated", "ticket": "1"}', "missing_field"),
)


def test_bad_rows_are_counted_and_written_with_their_number(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    rejects = tmp_path / "rejects.jsonl"
    sent, account = fed(TICKETS, source, reject_file=rejects)
    assert (len(sent), account.rejected.total()) == (1, len(BAD_ROWS) - 1)
    lines = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert [line["row"] for line in lines] == list(range(2, len(BAD_ROWS) + 1))
    for line, (_, reason) in zip(lines, BAD_ROWS[1:], strict=True):
        assert reason is not None
        assert reason in line["reason"]


def test_a_file_without_bad_rows_makes_no_reject_file(tmp_path: Path) -> None:
    source = written(tmp_path / "shop.csv", SHOP)
    fed(FEEDS / "online_retail.yaml", source, reject_file=tmp_path / "rejects.jsonl")
    assert not (tmp_path / "rejects.jsonl").exists()


def test_strict_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    with pytest.raises(StrictError, match=r"t\.jsonl:2: no JSON"):
        fed(TICKETS, source, strict=True)


def test_a_column_that_the_file_lacks_is_a_mistake_of_the_mapping(tmp_path: Path) -> None:
    source = written(tmp_path / "t.csv", "who,at,kind\nann,2020-01-01,opened\n")
    with pytest.raises(SourceError, match="has no column ticket"):
        fed(TICKETS, source)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.csv", b"who,who\n", "name each column once"),
        ("t.csv", b"who,at,kind,ticket\n\xff,b,c,d\n", "cannot be read further"),
        ("t.csv.gz", b"not gzip", "cannot be read further"),
        ("t.avro", b"not avro", "no readable Avro"),
        ("t.xls", b"", "does not tell the format"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=told):
        fed(TICKETS, tmp_path / name)


def test_limit_stops_after_so_many_events(tmp_path: Path) -> None:
    sent, _ = fed(FEEDS / "online_retail.yaml", written(tmp_path / "s.csv", SHOP), limit=1)
    assert len(sent) == 1


def test_complete_journey_can_be_fed(shared_data: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the parquet extra")
    source = shared_data / "completejourney" / "transactions.parquet"
    sent, account = fed(FEEDS / "complete_journey.yaml", source, limit=500)
    assert (len(sent), account.rejected.total()) == (500, 0)
    lines = [line for _, event in sent for line in event["lines"]]
    # A few products are in no department.
    assert sum("family" in line for line in lines) > 0.95 * len(lines)


def test_the_helpdesk_log_can_be_fed(shared_data: Path) -> None:
    sent, account = fed(FEEDS / "helpdesk.yaml", shared_data / "helpdesk" / "helpdesk.csv")
    assert (len(sent), account.rejected.total()) == (13_710, 0)
    assert len({event["customer_id"] for _, event in sent}) == 3_804
