"""`concierge feed`, as it is typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer

from schemas.bundled import bundled_schemas
from schemas.wire import decode
from streams.cli.commands.feed import feed
from streams.shell.kafka.embedded import EmbeddedBroker
from tests.support.feeds import FEEDS
from tests.support.files import written
from tests.unit.feed.test_file_feed import BAD_ROWS, SHOP, TICKETS, VIEWS

Typed = list[str | Path]
RETAIL: Typed = ["--topic", "purchases", "--sql", str(FEEDS / "online_retail.sql")]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def typed(*arguments: str | Path, prefix: str = "") -> Result:
    return CliRunner().invoke(
        feed,
        [str(argument) for argument in arguments],
        env={"CONCIERGE_TOPIC_PREFIX": prefix, "CONCIERGE_APP_ID": "test"},
    )


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


def test_the_command_sends_a_file_to_a_broker(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    source = written(tmp_path / "shop.csv", SHOP)
    result = typed(source, *RETAIL, "--kafka", embedded_broker.bootstrap, prefix=topic_prefix)
    assert result.exit_code == 0, result.output
    assert "sent 2 to purchases, 0 rejected, 1 rows left out by online_retail.sql" in result.output
    assert "4 rows read, 0 lines rejected" in result.output
    values = list(consumed(embedded_broker.bootstrap, topic_prefix + "purchases", 2))
    events = [decode("purchases", value, bundled_schemas()) for value in values]
    assert {event["order_id"] for event in events if isinstance(event, dict)} == {
        "536365",
        "C536379",
    }


def test_a_feed_that_stops_early_says_where_to_go_on_and_goes_on_there(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    rows = "".join(f"e{n},ada,2024-03-01T10:00:{n:02}Z\n" for n in range(20))
    source = written(tmp_path / "v.csv", "id,customer,at\n" + rows)
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", VIEWS)]
    broker = ["--kafka", embedded_broker.bootstrap]
    first = typed(source, *query, *broker, "--limit", "7", prefix=topic_prefix)
    assert (
        "7 of 20 events are acknowledged. Continue with the same files and --skip 7" in first.output
    )
    second = typed(source, *query, *broker, "--skip", "7", prefix=topic_prefix)
    assert "sent 13 to clickstream, 0 rejected, 7 skipped" in second.output
    values = list(consumed(embedded_broker.bootstrap, topic_prefix + "clickstream", 20))
    events = [decode("clickstream", value, bundled_schemas()) for value in values]
    assert [event["event_id"] for event in events if isinstance(event, dict)] == [
        f"e{n}" for n in range(20)
    ]


def test_a_file_in_another_encoding_sends_nothing_and_names_line_and_setting(
    tmp_path: Path,
) -> None:
    rows = "".join(
        f"e{n},ada,2024-03-01T10:00:00Z,{'Köln' if n == 2500 else 'Bonn'}\n" for n in range(3000)
    )
    source = written(tmp_path / "v.csv", ("id,customer,at,city\n" + rows).encode("latin-1"))
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", VIEWS)]
    # No broker is asked: the file is read to its end first.
    result = typed(source, *query, "--kafka", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "v.csv:2502: the byte 0xf6 is not UTF-8" in result.output
    assert "--encoding latin-1" in result.output
    assert "sent" not in result.output
    again = typed(source, *query, "--encoding", "latin-1", "--dry-run")
    assert "would send 3,000 to clickstream" in again.output


def test_a_dry_run_shows_the_first_events_and_what_is_bad(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    query: Typed = ["--topic", "support", "--sql", written(tmp_path / "t.sql", TICKETS)]
    result = typed(source, *query, "--dry-run", "--json")
    assert result.exit_code == 0
    assert "rejected t.jsonl:2: no valid JSON" in result.output
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert lines[0]["event_id"] == "t-1"
    assert (lines[-1]["rows"], lines[-1]["lines_rejected"]) == (9, 3)
    (sums,) = lines[-1]["topics"]
    assert (sums["sent"], sums["rejected"], sums["unreadable"]) == (1, 7, 1)
    assert not (tmp_path / "t.jsonl.rejected.jsonl").exists()


def test_the_reject_file_holds_any_text(tmp_path: Path) -> None:
    source = written(
        tmp_path / "v.jsonl",
        '{"id":"e1","customer":"ada","at":"2024-03-01T10:00:00Z"}\n'
        '{"id":"e2","customer":"ada\\ud83d","at":"2024-03-01T10:01:00Z"}\n'
        '{"id":"e3","customer":"ada","at":"2024-03-01T10:02:00Z"}\n',
    )
    rejects = tmp_path / "rejects.jsonl"
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", VIEWS)]
    result = typed(source, *query, "--dry-run", "--rejects", rejects)
    assert "would send 2 to clickstream" in result.output
    (kept,) = [json.loads(line) for line in rejects.read_text("ascii").splitlines()]
    assert (kept["place"], kept["reason"]) == ("v.jsonl:2", "no valid JSON")
    assert "ada\\ud83d" in kept["values"]


def test_a_column_that_is_empty_in_every_event_is_told(tmp_path: Path) -> None:
    source = written(tmp_path / "v.csv", "id,customer,at\ne1,ada,2024-03-01T10:00:00Z\n")
    products = written(tmp_path / "p.csv", "customer,family\nbob,tea\n")
    sql = VIEWS.replace("'view' AS kind", "'view' AS kind, family").replace(
        "FROM data", "FROM data LEFT JOIN products USING (customer)"
    )
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", sql)]
    result = typed(source, *query, "--table", f"products={products}", "--dry-run")
    assert "v.sql: `family` is empty in every event of clickstream" in result.output


def test_families_that_the_catalogue_does_not_name_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCIERGE_CATALOGUE_PATH", "shop")
    rows = "id,customer,at,family\n" + "".join(
        f"e{number},ada,2024-03-01T10:00:00Z,{family}\n"
        for number, family in enumerate(["bags", "coffee", "coffee", ""])
    )
    sql = VIEWS.replace("'view' AS kind", "'view' AS kind, family")
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", sql)]
    result = typed(written(tmp_path / "v.csv", rows), *query, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "families that the catalogue does not name: coffee (2). Their events" in result.output


def test_strict_sends_nothing_where_anything_is_rejected(tmp_path: Path) -> None:
    source = written(tmp_path / "t.jsonl", "\n".join(row for row, _ in BAD_ROWS))
    query: Typed = ["--topic", "support", "--sql", written(tmp_path / "t.sql", TICKETS)]
    result = typed(source, *query, "--strict", "--kafka", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "t.jsonl:2: no valid JSON" in result.output


def test_without_the_extra_the_command_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    result = typed(written(tmp_path / "shop.csv", SHOP), *RETAIL, "--dry-run")
    assert result.exit_code == 2
    assert "pip install -c constraints.txt '.[files]'" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rate", "none"], "is not a rate"),
        (["--speed", "-3x"], "is not a factor"),
        (["--limit", "0"], "--limit"),
        (["--topic", "support"], "give them in pairs"),
        (["--table", "products"], "NAME=FILE"),
        (["--delimiter", ";;"], "must be one character"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    result = typed(written(tmp_path / "shop.csv", SHOP), *RETAIL, *arguments)
    assert result.exit_code == 2
    assert told in result.output


def test_going_on_adds_to_the_reject_file(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    lines = [
        f"e{hour},{'' if hour in (1, 7) else 'c'},2024-03-01T{hour:02}:00:00Z\n"
        for hour in range(10)
    ]
    source = written(tmp_path / "v.csv", "id,customer,at\nbroken\n" + "".join(lines))
    views = VIEWS.replace("customer AS", "coalesce(customer, '') AS")
    query: Typed = ["--topic", "clickstream", "--sql", written(tmp_path / "v.sql", views)]
    broker: Typed = ["--kafka", embedded_broker.bootstrap]
    first = typed(source, *query, *broker, "--limit", "4", prefix=topic_prefix)
    assert "--skip 5" in first.output
    second = typed(source, *query, *broker, "--skip", "5", prefix=topic_prefix)
    assert second.exit_code == 0, second.output
    found = map(json.loads, (tmp_path / "v.csv.rejected.jsonl").read_text().splitlines())
    assert [line["place"] for line in found] == ["v.csv:2", "v.csv:4", "v.csv:10"]


def test_a_reject_file_that_cannot_be_written_sends_nothing(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    source = written(tmp_path / "shop.csv", SHOP)
    wrong: Typed = ["--rejects", tmp_path / "missing" / "r.jsonl"]
    result = typed(
        source, *RETAIL, *wrong, "--kafka", embedded_broker.bootstrap, prefix=topic_prefix
    )
    assert result.exit_code == 1
    assert "r.jsonl: cannot be written: No such file or directory; nothing was sent" in (
        result.output
    )
    assert "sent 2" not in result.output


def test_comment_lines_that_were_skipped_are_counted(tmp_path: Path) -> None:
    source = written(tmp_path / "shop.csv", "# export\n" + SHOP)
    result = typed(source, *RETAIL, "--dry-run")
    assert "4 rows read, 0 lines rejected, 1 comment lines before the header" in result.output
