"""Plots of measurements: bars with the spread of runs, and lines over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.cli.reports import svg

_WIDTH, _LEFT, _RIGHT, _ROW = 760, 200, 110, 34
_TOP, _BOTTOM = 64, 330


class Bar(NamedTuple):
    """One bar: the median of the runs, the least and the most of them."""

    label: str
    middle: float
    least: float
    most: float


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Return a bar chart: a bar is the median, the thin line goes from minimum to maximum."""
    across = svg.Axis(0.0, max([row.most for row in rows] or [1.0]) or 1.0, _LEFT, _WIDTH - _RIGHT)
    elements = svg.headings(title, unit)
    for index, row in enumerate(rows):
        y = 67 + _ROW * index
        colour = svg.COLOURS[index % len(svg.COLOURS)]
        middle, least, most = (across.at(x) for x in (row.middle, row.least, row.most))
        elements += [
            svg.text((_LEFT - 8, y + 5), row.label, "end"),
            svg.line((_LEFT, y), (middle, y), colour, "stroke-width='22'"),
            svg.line((least, y), (most, y), "black", "stroke-width='1.5'"),
            svg.text((max(middle, most) + 8, y + 5), _number(row.middle)),
        ]
    return svg.document(_WIDTH, 60 + _ROW * len(rows), elements)


def lines(
    title: str, x_unit: str, y_unit: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Return lines through (x, y) points, x on a logarithmic axis, y from zero up."""
    points = [point for each in series.values() for point in each]
    xs = sorted({x for x, _ in points})
    largest = max([y for _, y in points] or [1.0]) or 1.0
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    left, right = _LEFT / 2, _WIDTH - _RIGHT
    across = svg.Axis(low, high if high > low else low + 1.0, left, right)
    up = svg.Axis(0.0, largest, _BOTTOM, _TOP)
    elements = [
        *svg.headings(title, y_unit),
        svg.text((_WIDTH / 2, _BOTTOM + 42), x_unit, "middle"),
    ]
    for x in xs:
        elements.append(svg.text((across.at(math.log10(x)), _BOTTOM + 18), _number(x), "middle"))
    for value in (0.0, largest / 2, largest):
        y = up.at(value)
        elements.append(svg.text((left - 8, y + 4), _number(value), "end"))
        elements.append(svg.line((left, y), (right, y), svg.GRID))
    for index, (name, each) in enumerate(series.items()):
        path = [(across.at(math.log10(x)), up.at(y)) for x, y in each]
        elements += svg.named_curve(name, path, svg.COLOURS[index % len(svg.COLOURS)])
    return svg.document(_WIDTH, 380, elements)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
