"""The map file of a back-test: which columns of a log say what. It reads like that of a feed.

See `deploy/backtest/` for whole examples. Its keys:

    source, zone, lookups   as in a feed's map (format, delimiter, encoding; IANA zone; joins)
    keep           a condition, or a list that must all hold; other rows are left out and counted
    distinct       columns: a row equal to an earlier one in all of them is dropped and counted
    group          {by: [columns], every_days: 1, add: [features]}: rows of one customer and day
                   (UTC) become one, dated as the last; `add` are summed, else the first counts
    fields         customer, time, action, family, probability, outcome, outcome_time, window (ms);
                   money (what an outcome brought), cost (of any row), value (what an outcome of the
                   action is worth, as a catalogue declares it; else it is learned from money)
    window_days    how long an outcome is waited for: no label is learned earlier (also _hours,
                   _minutes, _seconds); without it, and without fields.window, it is known at once
    repeat_within_days   instead of an outcome: the customer comes again within so long
    probability    what counts where none is logged: `uniform` or `shares` (the default)
    control        the action that means "nothing was done": uplift and Qini are measured against it
    features       numbers, categories: [columns]; computed, computed_categories: {name: value};
                   all_but: [columns] takes every column that is named nowhere else, its type read
                   from the first 1,000 rows. They tell of the customer, never of the action
    history        what is remembered of a customer: {name: {take, of, at, where, half_life_days}}
    exploration    {gamma, growth}, as in a catalogue;  prior: .05, the rate before all is known
    target_policy  {file, by: [columns]}: a further policy to evaluate, as a CSV of probabilities
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from streams.backtest.map_features import Aggregate, Features, aggregates, features
from streams.backtest.map_scalars import between_0_and_1, duration_ms, number, strings
from streams.core.catalogue import Exploration
from streams.core.catalogue_yaml.arbitration import (
    DEFAULT_GAMMA,
    DEFAULT_GROWTH,
    MAX_GAMMA,
    MAX_GROWTH,
)
from streams.core.catalogue_yaml.durations import durations
from streams.demo.expressions import Condition, Value, compile_condition, compile_value
from streams.demo.mapping import Lookup, Source, compile_lookups, compile_source, compile_zone
from streams.demo.mapping_file import Document, parse_document, read_document, unknown

FIELDS = (
    *("customer", "time", "action", "family", "probability"),
    *("outcome", "outcome_time", "money", "value", "cost", "window"),
)
PROBABILITIES = ("uniform", "shares")
DEFAULT_PRIOR = 0.05
_KEYS = (
    *("source", "zone", "lookups", "keep", "distinct", "group", "fields", "probability"),
    *("control", "features", "history", "exploration", "prior", "target_policy"),
    *durations("window"),
    *durations("repeat_within"),
)


@dataclass(frozen=True)
class Group:
    """Rows with equal values `by` in one stretch of `every_ms` become one row."""

    by: tuple[str, ...]
    every_ms: int
    add: tuple[str, ...]


@dataclass(frozen=True)
class TargetPolicy:
    """A CSV with the columns `by`, `action` and `probability`, beside the map file."""

    file: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class LogMap:
    """A checked map. `columns` are all columns of the log that it names."""

    name: str
    source: Source
    lookups: tuple[Lookup, ...]
    keep: tuple[Condition, ...]
    distinct: tuple[str, ...]
    group: Group | None
    fields: Mapping[str, Value]
    field_columns: frozenset[str]
    window_ms: int | None
    repeat_within_ms: int | None
    probability: str
    control: str | None
    features: Features
    history: tuple[Aggregate, ...]
    exploration: Exploration
    prior: float
    target_policy: TargetPolicy | None
    columns: frozenset[str] = field(default=frozenset())


def load_map(path: Path) -> LogMap:
    """Return the map in a file; MappingError says what is wrong with file, line and path."""
    return compile_map(read_document(path))


def parse_map(name: str, text: str) -> LogMap:
    """Return the map in a text; `name` stands for the file in errors."""
    return compile_map(parse_document(name, text))


def compile_map(document: Document) -> LogMap:
    """Return the map that a document describes."""
    table = document.table(document.value, "", _KEYS)
    zone = compile_zone(document, table.get("zone", "UTC"))
    fields = _fields(document, table.get("fields", {}), zone)
    field_columns = frozenset(document.columns)
    repeat = duration_ms(document, table, "repeat_within")
    _check_outcome(document, fields, repeat)
    chosen = features(document, table.get("features", {}), zone)
    summable = (*chosen.numbers, *chosen.computed)
    return LogMap(
        name=document.name,
        source=compile_source(document, table.get("source", {})),
        lookups=compile_lookups(document, table.get("lookups", {})),
        keep=_keep(document, table.get("keep", [])),
        distinct=strings(document, table.get("distinct", []), "distinct", document.column),
        group=_group(document, table.get("group"), summable),
        fields=fields,
        field_columns=field_columns,
        window_ms=duration_ms(document, table, "window"),
        repeat_within_ms=repeat,
        probability=_probability(document, table.get("probability", "shares")),
        control=_optional(table.get("control"), lambda value: document.text(value, "control")),
        features=chosen,
        history=aggregates(document, table.get("history", {}), summable, "time" in fields),
        exploration=_exploration(document, table.get("exploration")),
        prior=between_0_and_1(document, table.get("prior", DEFAULT_PRIOR), "prior"),
        target_policy=_target(document, table.get("target_policy")),
        columns=frozenset(document.columns),
    )


def _fields(document: Document, node: Any, zone: ZoneInfo) -> dict[str, Value]:
    table = document.table(node, "fields", FIELDS)
    return {
        name: compile_value(document, entry, f"fields.{name}", zone)
        for name, entry in table.items()
    }


def _check_outcome(document: Document, fields: Mapping[str, Value], repeat_ms: int | None) -> None:
    told = [name for name in ("outcome", "outcome_time", "money") if name in fields]
    if repeat_ms is not None:
        if "outcome" in fields or "outcome_time" in fields:
            document.fail("fields", "the outcome is `repeat_within`; name no other")
        if "customer" not in fields or "time" not in fields:
            document.fail("fields", "`repeat_within` needs fields.customer and fields.time")
    elif not told:
        hint = "name fields.outcome (or outcome_time, money), or repeat_within_days"
        document.fail("fields", f"nothing says what came of a row; {hint}")


def _keep(document: Document, node: Any) -> tuple[Condition, ...]:
    if isinstance(node, dict):
        return (compile_condition(document, node, "keep"),)
    entries = document.items(node, "keep")
    return tuple(compile_condition(document, e, f"keep.{n}") for n, e in enumerate(entries))


def _group(document: Document, node: Any, named: tuple[str, ...]) -> Group | None:
    if node is None:
        return None
    table = document.table(node, "group", ("by", "add", *durations("every")))
    every = duration_ms(document, table, "every", "group")
    if every is None:
        document.fail("group", "say how long rows belong together, e.g. `every_days: 1`")
    add = strings(document, table.get("add", []), "group.add", document.text)
    for place, name in enumerate(add):
        if name not in named:
            document.fail(f"group.add.{place}", unknown(name, named))
    return Group(strings(document, table.get("by"), "group.by", document.column), every, add)


def _probability(document: Document, node: Any) -> str:
    text = document.text(node, "probability")
    if text not in PROBABILITIES:
        document.fail("probability", unknown(text, PROBABILITIES))
    return text


def _exploration(document: Document, node: Any) -> Exploration:
    table = document.table({} if node is None else node, "exploration", ("gamma", "growth"))
    growth = 0.0 if "gamma" in table else DEFAULT_GROWTH
    numbers = []
    for key, default, most in (("gamma", DEFAULT_GAMMA, MAX_GAMMA), ("growth", growth, MAX_GROWTH)):
        found = number(document, table.get(key, default), f"exploration.{key}")
        if not 0.0 <= found <= most:
            document.fail(f"exploration.{key}", f"must lie between 0 and {most:,.0f}")
        numbers.append(found)
    return Exploration(numbers[0], growth=numbers[1])


def _target(document: Document, node: Any) -> TargetPolicy | None:
    if node is None:
        return None
    table = document.table(node, "target_policy", ("file", "by"))
    file = document.text(table.get("file"), "target_policy.file")
    return TargetPolicy(
        file, strings(document, table.get("by", []), "target_policy.by", document.column)
    )


def _optional(value: Any, read: Callable[[Any], str]) -> str | None:
    return None if value is None else read(value)
