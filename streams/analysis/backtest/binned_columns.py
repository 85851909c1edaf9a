"""Every column of a log as a few bins, so that any kind of dependence can be tested by counting.

Numbers fall into eight bins of about equally many rows, names into their most frequent ones, and
what is missing has a bin of its own. Time becomes three columns: blocks of the log's span, the hour
and the weekday (UTC). Without a time the order of the rows is the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.analysis.backtest.campaign_log import Flags, Floats, Log
from streams.analysis.backtest.category_codes import MISSING
from streams.core.units import DAY_MS

Codes = NDArray[np.int64]

NUMBER_BINS = 8
TIME_BINS = 16
# Further names share a bin: a test counts pairs of columns, and their cells must stay filled.
NAME_BINS = 15
TIME = "time"
_HOUR_MS = DAY_MS // 24
# 1970 began on a Thursday; which day is 0 does not matter here.
_DAYS_A_WEEK = 7


@dataclass(frozen=True)
class Binned:
    """A column as bins 0 .. `bins` - 1, (n,)."""

    name: str
    codes: Codes
    bins: int


def binned_columns(log: Log, rows: Flags) -> list[Binned]:
    """Return the features and the time of some rows, without columns that hold one bin alone."""
    found = [_numbers(name, values[rows], NUMBER_BINS) for name, values in log.numbers.items()]
    for name, category in log.categories.items():
        found.append(_names(name, category.codes[rows].astype(np.int64)))
    return [column for column in (*found, *_times(log, rows)) if column.bins > 1]


def _numbers(name: str, values: Floats, wanted: int) -> Binned:
    missing = np.isnan(values)
    held = values[~missing]
    edges = np.unique(np.quantile(held, np.arange(1, wanted) / wanted)) if len(held) else held
    # A value equal to an edge is above it, so a column of 0 and 1 has two bins.
    codes = np.searchsorted(edges, np.where(missing, 0.0, values), "right")
    return _packed(name, np.where(missing, len(edges) + 1, codes))


def _names(name: str, codes: Codes) -> Binned:
    counts = np.bincount(codes - MISSING)
    # MISSING has the first count; the order of equal counts is that of the codes.
    order = np.argsort(-counts, kind="stable")
    bin_of = np.full(len(counts), NAME_BINS, np.int64)
    bin_of[order[:NAME_BINS]] = np.arange(min(NAME_BINS, len(order)))
    return _packed(name, bin_of[codes - MISSING])


def _times(log: Log, rows: Flags) -> list[Binned]:
    time_ms = log.time_ms[rows]
    blocks = _numbers(TIME, time_ms.astype(np.float64), TIME_BINS)
    if not log.has_time:
        return [Binned("the order of the rows", blocks.codes, blocks.bins)]
    hours, days = time_ms // _HOUR_MS, time_ms // DAY_MS
    return [
        blocks,
        _packed("hour of the day", hours % 24),
        _packed("day of the week", days % _DAYS_A_WEEK),
    ]


def _packed(name: str, codes: Codes) -> Binned:
    """Number the bins that hold rows from 0 on."""
    held, packed = np.unique(codes, return_inverse=True)
    return Binned(name, packed.astype(np.int64), len(held))
