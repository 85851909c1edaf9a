"""The uplift plot: one row an interval, drawn as a dot with a whisker, as SVG text.

A number that is not finite is drawn at the edge (an interval that is open) or left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from streams.cli.reports import svg

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 860, 230, 120, 70, 28
# Rows of a chart at most; the table has all.
MAX_ROWS = 60


class IntervalRow(NamedTuple):
    """One row: a value, the ends of its interval, and a note to the right of it."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""


def interval_plot(
    title: str,
    subtitle: str,
    rows: Sequence[IntervalRow],
    number: Callable[[float], str] = "{:g}".format,
) -> str:
    """Return the first `MAX_ROWS` rows as SVG, with a line at 0; an interval around 0 is grey.

    `number` formats the numbers of the axis.
    """
    rows = rows[:MAX_ROWS]
    low, high = _range(rows)
    ticks = svg.round_ticks(low, high)
    axis = svg.Axis(ticks[0], ticks[-1], _LEFT, _WIDTH - _RIGHT)
    bottom = _TOP + _ROW * len(rows)
    elements = svg.headings(title, subtitle)
    for tick in ticks:
        x = axis.at(tick)
        elements.append(svg.text((x, bottom + 20), number(tick), "middle"))
        elements.append(svg.line((x, _TOP - 8), (x, bottom), svg.GRID))
    zero = axis.at(0.0)
    elements.append(svg.line((zero, _TOP - 8), (zero, bottom), svg.DARK))
    for index, row in enumerate(rows):
        elements += _row(row, _TOP + _ROW * (index + 0.5), axis)
    return svg.document(_WIDTH, bottom + 40, elements)


def _range(rows: Sequence[IntervalRow]) -> tuple[float, float]:
    """Return the range to draw; an open or very long interval must not squeeze the others."""
    ends = [x for row in rows for x in (row.value, row.low, row.high) if math.isfinite(x)]
    largest = max([abs(row.value) for row in rows if math.isfinite(row.value)], default=0.0)
    limit = 3 * max(largest, 1e-9)
    return max(min([*ends, 0.0]), -limit), min(max([*ends, 0.0]), limit)


def _row(row: IntervalRow, y: float, axis: svg.Axis) -> list[str]:
    elements = [
        svg.text((_LEFT - 12, y + 4), row.label, "end"),
        svg.text((_WIDTH - _RIGHT + 12, y + 4), row.note),
    ]
    if math.isnan(row.value):
        return elements
    colour = svg.COLOURS[0] if row.low > 0 or row.high < 0 else svg.GREY
    return [
        *elements,
        svg.line((axis.at(row.low), y), (axis.at(row.high), y), colour, "stroke-width='3'"),
        svg.circle((axis.at(row.value), y), 5, colour, row.note),
    ]
