"""Feeds of small files in tests: what would be sent, what is rejected, and the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.feed.feed_sums import FeedSums
from streams.feed.file_feed import FileFeed, Rejected
from streams.feed.sent_event import Sent
from streams.files.open_file import ReadOptions
from streams.files.query import run_query
from streams.files.tables import open_tables
from tests.support.checkout import ROOT

FEEDS = ROOT / "deploy" / "feeds"
NOW_MS = 1_720_000_000_000


@dataclass
class Fed:
    """What a feed made of its files."""

    sums: FeedSums
    sent: list[Sent] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, event in self.sent]


def fed(
    *paths: Path,
    further: Mapping[str, Path] | None = None,
    options: ReadOptions | None = None,
    skip: int = 0,
    limit: int | None = None,
    **queries: str,
) -> Fed:
    """Feed files by a query a topic; check that the sums add up."""
    rejected: list[Rejected] = []
    with open_tables(paths, options, further) as tables:
        results = [
            (topic, run_query(tables, sql, f"{topic}.sql")) for topic, sql in queries.items()
        ]
        feed = FileFeed(tables, results, NOW_MS, rejected.append, skip, limit)
        found = Fed(feed.sums, list(feed.events()), rejected)
    assert_sums_add_up(found.sums)
    assert len(found.sent) == sum(topic.sent for topic in found.sums.topics)
    return found


def assert_sums_add_up(sums: FeedSums) -> None:
    for topic in sums.topics:
        known = topic.sent + topic.rejected + topic.skipped + topic.not_reached
        assert known == topic.events
        assert topic.not_reached >= 0
        if topic.rows_used is not None and topic.rows_left_out is not None:
            assert topic.rows_left_out >= 0
            assert topic.rows_used + topic.rows_spoiled + topic.rows_left_out == sums.rows
