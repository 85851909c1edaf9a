"""`concierge feed`, as it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer

from schemas.bundled import bundled_schemas
from schemas.wire import decode
from streams.cli.feed import feed
from streams.runtime.embedded import EmbeddedBroker
from tests.unit.test_feed import BAD_ROWS, FEEDS, SHOP, TICKETS, written


def test_the_command_sends_a_file_to_a_broker(
    tmp_path: Path, embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    source = written(tmp_path / "shop.csv", SHOP)
    arguments = [str(source), "--map", str(FEEDS / "online_retail.yaml")]
    arguments += ["--kafka", embedded_broker.bootstrap]
    result = CliRunner().invoke(
        feed,
        arguments,
        env={"CONCIERGE_TOPIC_PREFIX": topic_prefix, "CONCIERGE_APP_ID": "test"},
        catch_exceptions=False,
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
