"""Feed files: run the queries, check every event, send in the order of time, keep account.

In: open files and a query per topic. Out: events to `send`, and `FeedSums` that say what became
of every row and event. What may surprise: nothing is sent before every file was read and every
query ran to its end, so a fault of the file or of the SQL sends nothing at all. An event's place
in the order (time, then event id) is the same for the same files and queries: a feed that ended
early goes on at a place.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import merge
from typing import Any, NamedTuple

from streams.feed.event_columns import EVENT_ID, EventColumn, event_columns, filled
from streams.feed.feed_sums import FeedSums, TopicSums
from streams.feed.sent_event import Event, Sent
from streams.feed.topic_fields import problem_of
from streams.files.query import Result
from streams.files.syntax_tree import ROW
from streams.files.tables import Tables

AT = "occurred_at"


class Rejected(NamedTuple):
    """A line, row or event that is not sent: where it is from, why, and what it holds."""

    place: str
    topic: str | None
    reason: str
    values: Any


class StrictError(ValueError):
    """A row that becomes no event, where every row must."""


class _Made(NamedTuple):
    """An event as its query made it; `place` is its number among the query's results."""

    at_ms: int
    topic_place: int
    place: int
    row: int | None
    event: Event


@dataclass
class FileFeed:
    """One feed. `reject` gets everything that is not sent, as it is found.

    `skip` leaves out so many events from the first on, `limit` stops after so many sent.
    """

    tables: Tables
    results: Sequence[tuple[str, Result]]
    now_ms: int
    reject: Callable[[Rejected], None]
    skip: int = 0
    limit: int | None = None
    sums: FeedSums = field(init=False)
    _columns: list[tuple[EventColumn, ...]] = field(init=False)
    _fields: list[tuple[str, ...]] = field(init=False)
    # For each rejected event, how many had been sent before it.
    _rejected_at: list[int] = field(default_factory=list)
    _given: int = 0

    def __post_init__(self) -> None:
        self._columns = [
            event_columns(topic, result.sql_types, result.name) for topic, result in self.results
        ]
        self._fields = [tuple(column.field for column in columns) for columns in self._columns]
        self.sums = FeedSums(
            rows=self.tables.row_count,
            lines_rejected=self.tables.rejected_count,
            topics=[TopicSums.of(topic, result) for topic, result in self.results],
            comment_lines=self.tables.comment_count,
        )

    def events(self) -> Iterator[Sent]:
        """Yield the events to send, in the order of time; what is none goes to `reject`."""
        for row, reason, text in self.tables.rejected():
            self.reject(Rejected(self.tables.place(row), None, reason, text))
        for topic, result in self.results:
            for row, reason in result.unreadable.items():
                cells = self.tables.cells(row)
                self.reject(Rejected(self.tables.place(row), topic, reason, cells))
        for number, made in enumerate(self._in_order()):
            sums = self.sums.topics[made.topic_place]
            if number < self.skip:
                sums.skipped += 1
                continue
            if self.limit is not None and self._given >= self.limit:
                return
            problem = problem_of(sums.topic, made.event, self.now_ms)
            if problem is None:
                yield sums.topic, made.event
                # Only now: where sending fails, this event is not counted as sent.
                self._given += 1
                sums.sent += 1
                continue
            sums.rejected += 1
            self._rejected_at.append(self._given)
            where = self._where(made, self.results[made.topic_place][1])
            self.reject(Rejected(where, sums.topic, problem, made.event))

    def check_all(self) -> None:
        """Check every event without giving any; StrictError at the first rejected one."""

        def refuse(found: Rejected) -> None:
            raise StrictError(f"{found.place}: {found.reason}")

        for _ in FileFeed(
            self.tables, self.results, self.now_ms, refuse, self.skip, self.limit
        ).events():
            pass

    def place_of(self, sent: int) -> int:
        """Return the place in the order of the event that follows the first `sent` sent ones."""
        return self.skip + sent + bisect_right(self._rejected_at, sent)

    def _where(self, made: _Made, result: Result) -> str:
        if made.row is None:
            return f"{result.name}, result {made.place}"
        return self.tables.place(made.row)

    def _in_order(self) -> Iterator[_Made]:
        each = [self._made(place) for place in range(len(self.results))]
        numbering = {topic: _Numbering(topic) for topic, _ in self.results}
        for made in merge(*each, key=lambda made: (made.at_ms, made.topic_place)):
            topic = self.results[made.topic_place][0]
            if EVENT_ID in self._fields[made.topic_place]:
                yield made
            else:
                event_id = numbering[topic].id_of(made.event)
                yield made._replace(event={EVENT_ID: event_id, **made.event})

    def _made(self, topic_place: int) -> Iterator[_Made]:
        _, result = self.results[topic_place]
        columns = self._columns[topic_place]
        changes = {column.field: column.change for column in columns}
        fields = self._fields[topic_place]
        reading = ", ".join([_row_of(result), "_place", *(column.sql for column in columns)])
        order = _order(columns)
        for batch in result.batches(order, reading):
            for row, place, *values in batch:
                event = filled(dict(zip(fields, values, strict=True)), changes)
                at_ms = event.get(AT)
                yield _Made(_LAST if at_ms is None else at_ms, topic_place, place, row, event)


# Events without a time come after all others; they are rejected.
_LAST = 1 << 62


def _row_of(result: Result) -> str:
    kind = next((kind for name, kind in result.types.items() if name.lower() == ROW), "")
    if not kind:
        return "NULL"
    return f"list_min({ROW})" if "[]" in kind else ROW


def _order(columns: Sequence[EventColumn]) -> str:
    by_field = {column.field: column.sql for column in columns}
    order = [f"{by_field[AT]} NULLS LAST"]
    if EVENT_ID in by_field:
        order.append(by_field[EVENT_ID])
    return ", ".join([*order, "_place"])


@dataclass
class _Numbering:
    """Ids for events whose query gives none: a hash of the topic and of all that the event holds.

    So the same file gives the same ids, also when it has grown. Events of one instant that hold
    the same are numbered over all queries of the topic: two equal lines are two events.
    """

    topic: str
    _at_ms: Any = None
    _seen: dict[str, int] = field(default_factory=dict)

    def id_of(self, event: Mapping[str, Any]) -> str:
        """Return the id of the next event in the order of time."""
        if event.get(AT) != self._at_ms:
            self._at_ms = event.get(AT)
            self._seen.clear()
        held = json.dumps([self.topic, event], sort_keys=True, default=str)
        digest = blake2b(held.encode(), digest_size=12).hexdigest()
        before = self._seen.get(digest, 0)
        self._seen[digest] = before + 1
        return f"{digest}-{before}" if before else digest
