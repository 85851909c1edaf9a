"""Read a log: its rows, checked by the map, become columns. A bad row is a value, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any

from streams.backtest.columns import Categories, Numbers
from streams.backtest.fields import FieldError, Fields, LogError
from streams.backtest.log_map import LogMap
from streams.demo.expressions import ROW_COLUMN
from streams.demo.sources import LookupTable, Numbered, Rows

# About 250 bytes a row of 20 columns: half a gigabyte.
MAX_ROWS = 2_000_000
# Of so many rows a column's type is read, where the map leaves it open.
_TYPE_ROWS = 1_000
_SHOWN_PROBLEMS = 10
_SHOW_EVERY = 2_000

Progress = Callable[[float, int], None]


@dataclass
class Account:
    """What became of the rows of the files."""

    rows: int = 0
    left_out: int = 0
    repeated: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Table:
    """The rows that were kept, by column, in the order of the files."""

    fields: Fields
    numbers: dict[str, Numbers] = field(default_factory=dict)
    categories: dict[str, Categories] = field(default_factory=dict)
    computed: dict[str, Numbers] = field(default_factory=dict)
    flags: dict[str, list[bool]] = field(default_factory=dict)
    account: Account = field(default_factory=Account)

    @property
    def unreadable(self) -> Iterator[tuple[str, int, Any]]:
        """Columns of numbers with values that are none: name, how many, the first."""
        for name, column in {**self.numbers, **self.computed}.items():
            if column.unreadable:
                yield name, column.unreadable, column.first_unreadable


class _Reader:
    """Reads the rows of all files into one table."""

    def __init__(self, log_map: LogMap, supervised: bool, strict: bool) -> None:
        self._map, self._strict = log_map, strict
        self.table = Table(Fields(log_map, supervised))
        chosen = log_map.features
        self.table.numbers = {name: Numbers() for name in chosen.numbers}
        named = (*chosen.categories, *chosen.computed_categories)
        self.table.categories = {name: Categories() for name in named}
        self.table.computed = {name: Numbers() for name in chosen.computed}
        self.table.flags = {a.name: [] for a in log_map.history if a.where is not None}
        self._seen: set[tuple[str, ...]] = set()
        self._groups: dict[tuple[str, ...], int] = {}
        self._lookups: Sequence[LookupTable] = ()

    def start(self, file: Path, head: Sequence[Numbered], fixed_columns: bool) -> None:
        """Prepare for a file: join its lookups; choose types; are all named columns there?"""
        self._lookups = [LookupTable(lookup, file) for lookup in self._map.lookups]
        rows = [self._joined(row) for row in head if row.problem is None]
        if rows and fixed_columns:
            for column in sorted(self._map.columns - rows[0].keys()):
                near = get_close_matches(column, list(rows[0]), 1)
                meant = f"did you mean {near[0]}" if near else "it has " + ", ".join(rows[0])
                raise LogError(f"{self._map.name}: {file} has no column {column}; {meant}")
        if self._map.features.all_but is not None and not self.table.account.rows:
            self._choose_types(rows)

    def take(self, file: Path, numbered: Numbered) -> None:
        """Take one row of a file, or say why not."""
        account = self.table.account
        account.rows += 1
        try:
            if numbered.problem is not None:
                raise FieldError("", numbered.problem)
            self._take(self._joined(numbered))
        except FieldError as error:
            where = f" {error.field}" if error.field else ""
            what = f"{file}:{numbered.number}{where}: {error}"
            if self._strict:
                raise LogError(what) from error
            account.rejected += 1
            if len(account.problems) < _SHOWN_PROBLEMS:
                account.problems.append(what)

    def _joined(self, numbered: Numbered) -> dict[str, Any]:
        row: dict[str, Any] = {**numbered.values, ROW_COLUMN: numbered.number}
        for lookup in self._lookups:
            row.update(lookup.added(row))
        for name, value in row.items():
            # Parquet files of pandas say NaN where they mean nothing.
            if value != value:
                row[name] = None
        return row

    def _take(self, row: dict[str, Any]) -> None:
        table, log_map = self.table, self._map
        try:
            if not all(holds(row) for holds in log_map.keep):
                table.account.left_out += 1
                return
        except ValueError as error:
            raise FieldError("keep", str(error)) from error
        if log_map.distinct:
            key = tuple(str(row.get(column)) for column in log_map.distinct)
            if key in self._seen:
                table.account.repeated += 1
                return
            self._seen.add(key)
        values = table.fields.read(row)
        chosen = log_map.features
        computed = {n: _filled(n, value, row) for n, value in chosen.computed.items()}
        named = {n: _filled(n, value, row) for n, value in chosen.computed_categories.items()}
        if log_map.group is not None:
            key = (
                *(str(row.get(column)) for column in log_map.group.by),
                str(values.time_ms // log_map.group.every_ms),
            )
            place = self._groups.get(key)
            if place is not None:
                self._add(place, values.time_ms, row, computed)
                return
            self._groups[key] = len(table.fields)
        table.fields.add(values)
        for name, numbers in table.numbers.items():
            numbers.add(row.get(name))
        for name, categories in table.categories.items():
            categories.add(named[name] if name in named else row.get(name))
        for name, number in computed.items():
            table.computed[name].add(number)
        for aggregate in log_map.history:
            if aggregate.where is not None:
                table.flags[aggregate.name].append(_holds(aggregate.where, row))

    def _add(self, place: int, time_ms: int, row: Mapping[str, Any], computed: Any) -> None:
        self.table.fields.delay(place, time_ms)
        for name in self._map.group.add if self._map.group else ():
            if name in computed:
                self.table.computed[name].add_to(place, computed[name])
            elif name in self.table.numbers:
                self.table.numbers[name].add_to(place, row.get(name))

    def _choose_types(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take every other column: a number if all that its first rows hold are numbers."""
        named = self.table.numbers.keys() | self.table.categories.keys()
        named |= self._map.field_columns | (self._map.features.all_but or frozenset())
        columns = dict.fromkeys(chain.from_iterable(rows))
        for column in columns:
            if column in named or column == ROW_COLUMN:
                continue
            trial = Numbers()
            for row in rows:
                trial.add(row.get(column))
            if trial.unreadable:
                self.table.categories[column] = Categories()
            else:
                self.table.numbers[column] = Numbers()


def read_table(
    files: Sequence[Path],
    log_map: LogMap,
    *,
    supervised: bool = False,
    strict: bool = False,
    limit: int | None = None,
    progress: Progress = lambda share, rows: None,
) -> Table:
    """Return the rows of the files; SourceError or LogError when there is nothing to replay.

    `limit` reads so many rows in all. With `strict` the first bad row is a LogError.
    """
    reader = _Reader(log_map, supervised, strict)
    account = reader.table.account
    for number, file in enumerate(files):
        with Rows(file, log_map.source) as rows:
            stream = iter(rows)
            head = list(islice(stream, _TYPE_ROWS))
            reader.start(file, head, rows.has_fixed_columns)
            for numbered in chain(head, stream):
                if account.rows == limit:
                    break
                if account.rows >= MAX_ROWS:
                    raise LogError(f"{file}: more than {MAX_ROWS:,} rows; use --limit")
                reader.take(file, numbered)
                if account.rows % _SHOW_EVERY == 0:
                    progress((number + rows.share_read) / len(files), account.rows)
    progress(1.0, account.rows)
    if not len(reader.table.fields):
        first = f"; the first: {account.problems[0]}" if account.problems else ""
        raise LogError(f"{files[0]}: no row of {account.rows:,} can be replayed{first}")
    return reader.table


def _filled(name: str, value: Callable[[Mapping[str, Any]], Any], row: Mapping[str, Any]) -> Any:
    try:
        return value(row)
    except (ValueError, OverflowError):
        # A feature that cannot be computed is missing; Numbers counts it.
        return f"not computable in {name}"


def _holds(condition: Callable[[Mapping[str, Any]], bool], row: Mapping[str, Any]) -> bool:
    try:
        return condition(row)
    except ValueError:
        return False
