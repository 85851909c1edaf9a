"""What a back-test's map says of features: columns, computed values, a customer's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from streams.backtest.map_scalars import duration_ms, strings
from streams.core.catalogue_yaml.durations import durations
from streams.demo.expressions import Condition, Value, compile_condition, compile_value
from streams.demo.mapping_file import Document, unknown

TAKES = ("count", "sum", "mean", "recency", "tenure", "mean_gap", "decayed")
EVENTS = ("row", "outcome", "settled")


@dataclass(frozen=True)
class Features:
    """The columns a model sees. `all_but` (None: not asked) takes every other column too."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    computed: Mapping[str, Value]
    computed_categories: Mapping[str, Value]
    all_but: frozenset[str] | None


@dataclass(frozen=True)
class Aggregate:
    """One thing remembered of a customer, from events strictly before a row.

    `at` says which events: earlier rows, their outcomes at the time they came, or rows whose
    label was settled. `of` is the number that is summed; `half_life_ms` is for `decayed`.
    """

    name: str
    take: str
    of: str | None
    at: str
    where: Condition | None
    half_life_ms: int | None


def features(document: Document, node: Any, zone: ZoneInfo) -> Features:
    """Return the features that a map names; each name once."""
    keys = ("numbers", "categories", "computed", "computed_categories", "all_but")
    table = document.table(node, "features", keys)
    numbers = strings(document, table.get("numbers", []), "features.numbers", document.column)
    categories = strings(
        document, table.get("categories", []), "features.categories", document.column
    )
    computed = _computed(document, table, "computed", zone)
    further = _computed(document, table, "computed_categories", zone)
    names = [*numbers, *categories, *computed, *further]
    for name in names:
        if names.count(name) > 1:
            document.fail("features", f"`{name}` is named twice; every feature needs its own")
    all_but = table.get("all_but")
    if all_but is None:
        return Features(numbers, categories, computed, further, None)
    left_out = strings(document, all_but, "features.all_but", document.column)
    return Features(numbers, categories, computed, further, frozenset(left_out))


def _computed(
    document: Document, table: Mapping[str, Any], key: str, zone: ZoneInfo
) -> dict[str, Value]:
    path = f"features.{key}"
    return {
        name: compile_value(document, entry, f"{path}.{name}", zone)
        for name, entry in document.table(table.get(key, {}), path).items()
    }


def aggregates(
    document: Document, node: Any, named: tuple[str, ...], timed: bool
) -> tuple[Aggregate, ...]:
    """Return what is remembered of a customer; `named` are the features that may be summed."""
    table = document.table(node, "history")
    if table and not timed:
        document.fail("history", "a history needs fields.time")
    return tuple(
        _aggregate(document, name, entry, f"history.{name}", named) for name, entry in table.items()
    )


def _aggregate(
    document: Document, name: str, node: Any, path: str, named: tuple[str, ...]
) -> Aggregate:
    keys = ("take", "of", "at", "where", *durations("half_life"))
    table = document.table(node, path, keys)
    if name in named:
        document.fail(path, f"`{name}` is a feature already; choose another name")
    take = document.text(table.get("take"), f"{path}.take")
    if take not in TAKES:
        document.fail(f"{path}.take", unknown(take, TAKES))
    at = document.text(table.get("at", "row"), f"{path}.at")
    if at not in EVENTS:
        document.fail(f"{path}.at", unknown(at, EVENTS))
    of = table.get("of")
    if of is not None and of not in named:
        document.fail(f"{path}.of", unknown(str(of), named))
    if (take in ("sum", "mean")) and of is None:
        document.fail(path, f"`{take}` needs `of`: the feature that is summed")
    half_life = duration_ms(document, table, "half_life", path)
    if (take == "decayed") is not (half_life is not None):
        document.fail(path, "`decayed`, and only it, needs a half-life, e.g. `half_life_days: 30`")
    where = table.get("where")
    condition = None if where is None else compile_condition(document, where, f"{path}.where")
    return Aggregate(name, take, of, at, condition, half_life)
