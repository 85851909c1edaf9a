"""What `concierge feed` says when brokers stop taking events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.cli.reports.feed_report import send_all, summarise
from streams.feed.file_feed import FileFeed
from streams.feed.reject_file import RejectFile
from streams.feed.send_events import FeedError, Sending
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.feeds import NOW_MS
from tests.support.files import written
from tests.unit.feed.test_file_feed import VIEWS
from tests.unit.feed.test_send_events import FailingProducer


def test_a_feed_that_fails_says_what_was_acknowledged_and_where_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"e{n},{'' if n == 1 else 'ada'},2024-03-01T10:{n:02}:00Z\n" for n in range(9))
    path = written(tmp_path / "v.csv", "id,customer,at\n" + rows)
    kept = RejectFile(tmp_path / "rejects.jsonl")
    kept.open(append=False)
    with open_tables([path]) as tables:
        results = [("clickstream", run_query(tables, VIEWS, "v.sql"))]
        run = FileFeed(tables, results, NOW_MS, kept.take)
        sending = Sending(FailingProducer(taken=4))
        with pytest.raises(FeedError, match="reachable"):
            send_all(run, sending, [], None)
        kept.close()
        summarise(run, kept, sending, [], 1.0, as_json=True)
    told = capsys.readouterr()
    # e0, e2, e3 and e4 came; e1 was rejected: five places of the order are done.
    assert "4 of 9 events are acknowledged" in told.err
    assert "--skip 5:" in told.err
    assert "handed to the client, not all acknowledged: 8 to clickstream" in told.out
    sums = json.loads(told.out.splitlines()[-1])
    assert sums["dry_run"] is False
    assert (sums["topics"][0]["sent"], sums["acknowledged"]) == (8, 4)
    assert json.loads(kept.path.read_text() if kept.path else "")["place"] == "v.csv:3"
