"""What became of the rows and events of a feed; the sums always add up.

rows   = used + spoiled + left out        (of each query whose column `row` tells its rows)
events = sent + rejected + skipped + not reached
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.files.query import Result


@dataclass
class TopicSums:
    """The events of one query. `rows_*` are rows of the data; None where `row` does not tell."""

    topic: str
    query: str
    events: int
    unreadable: int
    spoiled_events: int
    rows_used: int | None
    rows_spoiled: int
    rows_left_out: int | None
    sent: int = 0
    rejected: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, topic: str, result: Result) -> TopicSums:
        """Return the sums of a query before anything of it is sent."""
        return cls(
            topic=topic,
            query=result.name,
            events=result.row_count,
            unreadable=len(result.unreadable),
            spoiled_events=result.spoiled,
            rows_used=result.used_rows,
            rows_spoiled=result.spoiled_rows,
            rows_left_out=result.left_out,
        )

    @property
    def not_reached(self) -> int:
        """How many events come after the last that was looked at."""
        return self.events - self.sent - self.rejected - self.skipped

    def as_json(self) -> dict[str, Any]:
        """Return the sums by name."""
        names = (
            "topic query events sent rejected skipped not_reached unreadable spoiled_events "
            "rows_used rows_spoiled rows_left_out"
        )
        return {name: getattr(self, name) for name in names.split()}

    def in_words(self, verb: str) -> str:
        """Return the sums as one line; `verb` says what became of the accepted events."""
        parts = [f"{verb} {self.sent:,} to {self.topic}"]
        parts.append(f"{self.rejected:,} rejected")
        if self.unreadable:
            spoiled = f"{self.rows_spoiled:,} rows not used for that"
            parts.append(f"{self.unreadable:,} rows unreadable ({spoiled})")
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        if self.not_reached:
            parts.append(f"{self.not_reached:,} not reached")
        if self.rows_left_out is not None:
            parts.append(f"{self.rows_left_out:,} rows left out by {self.query}")
        return ", ".join(parts)


@dataclass
class FeedSums:
    """The sums of a feed: rows of the files, lines that are none, and what each query made.

    `comment_lines` were skipped before the headers.
    """

    rows: int
    lines_rejected: int
    topics: list[TopicSums]
    comment_lines: int = 0

    @property
    def events(self) -> int:
        """How many events all queries made."""
        return sum(topic.events for topic in self.topics)

    @property
    def rejected(self) -> int:
        """How many lines, unreadable rows and events were rejected so far."""
        found = sum(topic.unreadable + topic.rejected for topic in self.topics)
        return self.lines_rejected + found

    @property
    def looked_at(self) -> int:
        """How many events were sent, rejected or skipped so far."""
        return sum(topic.events - topic.not_reached for topic in self.topics)

    def as_json(self) -> dict[str, Any]:
        """Return the sums by name."""
        return {
            "rows": self.rows,
            "lines_rejected": self.lines_rejected,
            "comment_lines": self.comment_lines,
            "topics": [topic.as_json() for topic in self.topics],
        }
