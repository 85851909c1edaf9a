"""Feeding files: every row becomes an event or is told of."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer

from schemas.bundled import bundled_schemas
from schemas.wire import decode
from streams.cli.feed import feed
from streams.demo.events import Sent
from streams.demo.feed import Account, Feed, StrictError
from streams.demo.feeding import FeedError, Pace, Sending
from streams.demo.mapping import load_mapping, parse_mapping
from streams.demo.sources import SourceError
from streams.runtime.embedded import EmbeddedBroker

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


def view(number: int, at_ms: int) -> Sent:
    event = {"event_id": f"e{number}", "customer_id": "c", "occurred_at": at_ms, "kind": "view"}
    return "clickstream", event


class StubProducer:
    """A producer whose queue holds `room` records until it is polled."""

    def __init__(self, room: int = 1_000, *, left: int = 0) -> None:
        self.room, self.left = room, left
        self.queued: list[tuple[str, bytes | None]] = []
        self._waiting = 0

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        *,
        on_delivery: object = None,
    ) -> None:
        if self._waiting >= self.room:
            raise BufferError("queue full")
        self._waiting += 1
        self.queued.append((topic, value))

    def poll(self, timeout: float = -1) -> int:
        self._waiting = 0
        return 0

    def flush(self, timeout: float = -1) -> int:
        return self.left


class FakeTime:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.mark.parametrize(
    ("pace", "seconds"),
    [
        (Pace(), 0.0),
        (Pace(rate_per_s=4), 2.0),
        (Pace(speed=10), 0.8),
        (Pace(rate_per_s=4, speed=10), 2.0),
        # An hour in one gap is waited for a minute at most.
        (Pace(speed=0.001), 8 * 60.0),
    ],
)
def test_events_are_paced_by_number_or_by_event_time(pace: Pace, seconds: float) -> None:
    time = FakeTime()
    sending = Sending(StubProducer(), pace=pace, clock=time.clock, wait=time.wait)
    sending.send(view(number, NOW_MS + number * 1_000) for number in range(9))
    assert time.now_s - 100.0 == pytest.approx(seconds)


def test_a_full_queue_makes_the_sender_wait() -> None:
    producer = StubProducer(room=2)
    sending = Sending(producer, prefix="t.")
    sending.send(view(number, NOW_MS) for number in range(7))
    sending.finish()
    assert [topic for topic, _ in producer.queued] == ["t.clickstream"] * 7


def test_events_that_nobody_acknowledged_are_an_error() -> None:
    sending = Sending(StubProducer(left=3))
    sending.send([view(1, NOW_MS)])
    with pytest.raises(FeedError, match="3 events were not acknowledged"):
        sending.finish()


def test_the_command_sends_a_file_to_a_broker(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    source = written(tmp_path / "shop.csv", SHOP)
    arguments = [str(source), "--map", str(FEEDS / "online_retail.yaml")]
    arguments += ["--kafka", embedded_broker.bootstrap]
    result = CliRunner().invoke(
        feed, arguments, env={"CONCIERGE_TOPIC_PREFIX": topic_prefix}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert "4 rows: sent 2 to purchases; 1 rows left out, 0 rejected" in result.output
    values = list(consumed(embedded_broker.bootstrap, topic_prefix + "purchases", 2))
    events = [decode("purchases", value, bundled_schemas()) for value in values]
    assert {event["order_id"] for event in events if isinstance(event, dict)} == {
        "536365",
        "C536379",
    }


def consumed(bootstrap: str, topic: str, count: int) -> Iterator[bytes | None]:
    config = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer(config)
    consumer.subscribe([topic])
    try:
        for _ in range(count):
            message = consumer.poll(20.0)
            assert message is not None
            assert message.error() is None
            yield message.value()
    finally:
        consumer.close()


def test_a_dry_run_sends_nothing_and_shows_what_is_bad(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    mapping = written(tmp_path / "map.yaml", TICKETS)
    result = CliRunner().invoke(feed, [str(source), "--map", str(mapping), "--dry-run"])
    assert result.exit_code == 0
    assert "10 rows: would send 1 to support; 0 rows left out, 9 rejected" in result.output
    assert "rejected t.jsonl:2: no JSON" in result.output


def test_a_bad_mapping_is_one_clear_line_and_exit_code_1(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "{}\n")
    mapping = written(tmp_path / "map.yaml", TICKETS.replace("support", "suport"))
    result = CliRunner().invoke(feed, [str(source), "--map", str(mapping), "--dry-run"])
    assert result.exit_code == 1
    assert "map.yaml:1 topic: `suport` is not known; did you mean `support`?" in result.output


@pytest.mark.parametrize("option", [["--rate", "none"], ["--speed", "-3x"], ["--limit", "0"]])
def test_an_option_that_makes_no_sense_is_refused(tmp_path: Path, option: list[str]) -> None:
    source = written(tmp_path / "t.jsonl", "{}\n")
    mapping = written(tmp_path / "map.yaml", TICKETS)
    result = CliRunner().invoke(feed, [str(source), "--map", str(mapping), *option])
    assert result.exit_code == 2


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
