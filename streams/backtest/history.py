"""What is remembered of a customer at each row, rebuilt causally from what came before it.

Only events *strictly before* a row's time count: earlier rows when they happened, outcomes when
they came, settled labels when their window ended. So no row knows its own outcome, nor that of
another which had not come yet. Times are in days, as in the product's own features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams.backtest.log import Flags, Floats, Ints, Log
from streams.backtest.map_features import Aggregate
from streams.core.layout import DAY_MS


class _Events(NamedTuple):
    """Events by customer and time, and for each row the slice of them that lies before it."""

    time_ms: Ints
    value: Floats
    first: Ints
    end: Ints


def history(log: Log, wanted: Sequence[Aggregate]) -> dict[str, Floats]:
    """Return the aggregates by name, each (n,); NaN where there is nothing to tell yet."""
    return {aggregate.name: _compute(log, aggregate) for aggregate in wanted}


def _compute(log: Log, aggregate: Aggregate) -> Floats:
    events = _events(log, aggregate)
    count = (events.end - events.first).astype(np.float64)
    some = count > 0
    match aggregate.take:
        case "count":
            return count
        case "sum":
            return _sums(events)
        case "mean":
            means: Floats = np.full(len(count), np.nan)
            return np.divide(_sums(events), count, out=means, where=some)
        case "recency":
            return _days(log.time_ms - _at(events, events.end - 1), some)
        case "tenure":
            return _days(log.time_ms - _at(events, events.first), some)
        case "mean_gap":
            span = _at(events, events.end - 1) - _at(events, events.first)
            gaps = np.maximum(count - 1.0, 1.0)
            return _days(span / gaps, count > 1)
        case _:
            return _decayed(log, events, aggregate.half_life_ms or DAY_MS)


def _events(log: Log, aggregate: Aggregate) -> _Events:
    time_ms, which = _when(log, aggregate.at)
    if aggregate.name in log.flags:
        which = which & log.flags[aggregate.name]
    places = np.flatnonzero(which)
    value = log.numbers[aggregate.of] if aggregate.of else np.ones(len(log))
    # A missing number adds nothing.
    value = np.nan_to_num(value[places], nan=0.0)
    customer, at_ms = log.customer[places], time_ms[places]
    order = np.lexsort((at_ms, customer))
    first, end = _slices(log, customer[order], at_ms[order])
    return _Events(at_ms[order], value[order], first, end)


def _when(log: Log, at: str) -> tuple[Ints, Flags]:
    if at == "outcome":
        return log.outcome_ms, log.label
    if at == "settled":
        return log.due_ms, np.ones(len(log), bool)
    return log.time_ms, np.ones(len(log), bool)


def _slices(log: Log, customer: Ints, at_ms: Ints) -> tuple[Ints, Ints]:
    """Return where each row's customer begins in the sorted events, and the first not before it."""
    first = np.searchsorted(customer, log.customer, "left")
    # One sort of events and rows together; at equal times a row stands before the events.
    kind = np.concatenate([np.ones(len(customer), np.int8), np.zeros(len(log), np.int8)])
    everybody = np.concatenate([customer, log.customer])
    times = np.concatenate([at_ms, log.time_ms])
    order = np.lexsort((kind, times, everybody))
    passed = np.cumsum(kind[order])
    end = np.empty(len(order), np.int64)
    end[order] = passed
    return first.astype(np.int64), end[len(customer) :]


def _sums(events: _Events) -> Floats:
    running = np.concatenate([[0.0], np.cumsum(events.value)])
    result: Floats = running[events.end] - running[events.first]
    return result


def _at(events: _Events, places: Ints) -> Ints:
    if not len(events.time_ms):
        return np.zeros(len(places), np.int64)
    return events.time_ms[np.clip(places, 0, len(events.time_ms) - 1)]


def _days(span_ms: Ints | Floats, some: Flags) -> Floats:
    days: Floats = np.where(some, span_ms / DAY_MS, np.nan)
    return days


def _decayed(log: Log, events: _Events, half_life_ms: int) -> Floats:
    """Return sums in which an event counts 2^(-age / half-life)."""
    # The sum right after each event, within its customer; a row decays the last one further.
    after = np.empty(len(events.value))
    starts = np.zeros(len(events.value), bool)
    starts[events.first[events.end > events.first]] = True
    kept = np.exp2(-np.maximum(np.diff(events.time_ms, prepend=0), 0) / half_life_ms)
    kept[starts] = 0.0
    total = 0.0
    for place, (keep, value) in enumerate(zip(kept.tolist(), events.value.tolist(), strict=True)):
        total = total * keep + value
        after[place] = total
    some = events.end > events.first
    last = np.clip(events.end - 1, 0, None)
    age_ms = log.time_ms - _at(events, last)
    result = np.zeros(len(log))
    result[some] = after[last[some]] * np.exp2(-age_ms[some] / half_life_ms)
    return result
