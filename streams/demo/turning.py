"""Turn rows into events: join, keep, group, map, check. What cannot be turned is a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from streams.demo.events import Event
from streams.demo.expressions import ROW_COLUMN, Value
from streams.demo.mapping import Mapping as FeedMapping
from streams.demo.sources import LookupTable, Numbered, SourceError

Row = dict[str, Any]
# Says what is wrong with an event, or None.
Check = Callable[[str, Event], str | None]


@dataclass(frozen=True)
class BadRow:
    """A row (or the group of rows that begins with it) that became no event, and why."""

    number: int
    field: str
    reason: str
    values: Mapping[str, Any]


@dataclass
class Turning:
    """Turns the rows of one file; counts what it leaves out by the mapping's `keep`.

    With `fixed_columns` a row without a column that the mapping names is a mistake in the
    mapping: SourceError. Without, the column is empty in that row.
    """

    mapping: FeedMapping
    lookups: Sequence[LookupTable]
    check: Check
    fixed_columns: bool = True
    rows: int = 0
    left_out: int = 0
    _ended: set[tuple[str, ...]] = field(default_factory=set)

    def turn(self, rows: Iterable[Numbered]) -> Iterator[Event | BadRow]:
        """Yield an event or a BadRow for each row or group of rows, in the file's order."""
        group: list[Row] = []
        key: tuple[str, ...] = ()
        for numbered in rows:
            self.rows += 1
            row = self._row(numbered)
            if isinstance(row, BadRow):
                yield row
                continue
            if row is None:
                continue
            columns = self.mapping.group_by or (ROW_COLUMN,)
            own = tuple(str(row.get(column)) for column in columns)
            if group and own != key:
                yield self._event(key, group)
                group = []
            key = own
            group.append(row)
        if group:
            yield self._event(key, group)

    def _row(self, numbered: Numbered) -> Row | BadRow | None:
        number, values, problem = numbered
        if problem is not None:
            return BadRow(number, "", problem, values)
        row: Row = {**values, ROW_COLUMN: number}
        for lookup in self.lookups:
            row.update(lookup.added(row))
        if self.fixed_columns and not self.mapping.columns <= row.keys():
            missing = ", ".join(sorted(self.mapping.columns - row.keys()))
            raise SourceError(f"{self.mapping.name}: the data file has no column {missing}")
        try:
            if self.mapping.keep is not None and not self.mapping.keep(row):
                self.left_out += 1
                return None
        except ValueError as error:
            return BadRow(number, "keep", str(error), values)
        return row

    def _event(self, key: tuple[str, ...], group: list[Row]) -> Event | BadRow:
        first = group[0]
        number = first[ROW_COLUMN]
        if self.mapping.group_by:
            if key in self._ended:
                reason = "rows of this group stand apart: sort the file by " + ", ".join(
                    self.mapping.group_by
                )
                return BadRow(number, "group_by", reason, first)
            self._ended.add(key)
        event = _filled(self.mapping.fields, first, "")
        if isinstance(event, BadRow):
            return event
        if self.mapping.lines:
            lines = []
            for row in group:
                line = _filled(self.mapping.lines, row, "lines.")
                if isinstance(line, BadRow):
                    return line
                lines.append(line)
            event["lines"] = lines
        problem = self.check(self.mapping.topic, event)
        return event if problem is None else BadRow(number, "", problem, first)


def _filled(values: Mapping[str, Value], row: Row, prefix: str) -> Event | BadRow:
    event: Event = {}
    for name, value in values.items():
        try:
            result = value(row)
        except (ValueError, OverflowError) as error:
            return BadRow(row[ROW_COLUMN], prefix + name, str(error), row)
        if isinstance(result, Decimal):
            result = int(result) if result == result.to_integral_value() else float(result)
        if result is not None:
            event[name] = result
    return event
