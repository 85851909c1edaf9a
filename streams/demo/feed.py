"""Feed a file: read its rows, turn them into events, send these, keep account of the rest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from streams.demo.contract import problem_of
from streams.demo.events import Event, Sent
from streams.demo.mapping import Mapping
from streams.demo.sources import LookupTable, Rows
from streams.demo.turning import BadRow, Turning

# Kept for people to look at; the reject file has them all.
SHOWN_BAD_ROWS = 10


class StrictError(ValueError):
    """A bad row where none is allowed."""


@dataclass
class Account:
    """What became of a file: rows read, rows left out by `keep`, events, and bad rows by reason."""

    rows: int = 0
    left_out: int = 0
    events: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    bad_rows: list[BadRow] = field(default_factory=list)
    share_read: float = 0.0


@dataclass
class Feed:
    """One run over one file. `send` gets the events in the file's order, as a stream.

    `reject_file` receives every bad row as a line of JSON; it is made only when there is one.
    `limit` stops after so many events.
    """

    mapping: Mapping
    source: Path
    now_ms: int
    strict: bool = False
    limit: int | None = None
    reject_file: Path | None = None
    account: Account = field(default_factory=Account)

    def run(self, send: Callable[[Iterator[Sent]], None]) -> Account:
        """Feed the file; SourceError, StrictError or what `send` raises ends it early."""
        lookups = [LookupTable(lookup, self.source) for lookup in self.mapping.lookups]
        rejects: list[IO[str]] = []
        try:
            with Rows(self.source, self.mapping.source) as rows:
                turning = Turning(self.mapping, lookups, self._check, rows.has_fixed_columns)
                send(islice(self._good(rows, turning, rejects), self.limit))
        finally:
            for file in rejects:
                file.close()
        return self.account

    def _check(self, topic: str, event: Event) -> str | None:
        return problem_of(topic, event, self.now_ms)

    def _good(self, rows: Rows, turning: Turning, rejects: list[IO[str]]) -> Iterator[Sent]:
        account, topic = self.account, self.mapping.topic
        for result in turning.turn(rows):
            if isinstance(result, BadRow):
                self._reject(result, rejects)
            else:
                account.events[topic] += 1
            account.rows, account.left_out = turning.rows, turning.left_out
            account.share_read = rows.share_read
            if not isinstance(result, BadRow):
                yield topic, result
        account.rows, account.left_out = turning.rows, turning.left_out
        account.share_read = 1.0

    def _reject(self, bad: BadRow, rejects: list[IO[str]]) -> None:
        what = described(self.source, bad)
        if self.strict:
            raise StrictError(what)
        self.account.rejected[_kind_of(bad)] += 1
        if len(self.account.bad_rows) < SHOWN_BAD_ROWS:
            self.account.bad_rows.append(bad)
        if self.reject_file is None:
            return
        if not rejects:
            rejects.append(self.reject_file.open("w", encoding="utf-8"))
        line = {"row": bad.number, "field": bad.field, "reason": bad.reason, "values": bad.values}
        rejects[0].write(json.dumps(line, default=str, ensure_ascii=False) + "\n")


def described(source: Path, bad: BadRow) -> str:
    """Return a bad row as one line: file, row, field and reason."""
    where = f" {bad.field}" if bad.field else ""
    return f"{source.name}:{bad.number}{where}: {bad.reason}"


def _kind_of(bad: BadRow) -> str:
    """Return what bad rows are counted by: the field, or the reason without its particulars."""
    return bad.field or bad.reason.split(":")[0]
