"""Plots as SVG text, without a plotting library: intervals as dots with whiskers, and lines.

Made for `concierge uplift` and whatever else prints intervals, curves or reliability diagrams.
Numbers that are not finite are drawn at the edge (an interval that is open) or left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _PLOT = 860, 230, 120, 70, 28, 320
_COLOURS = ("#2a6f97", "#c8553d", "#588157", "#7b5ea7", "#b08900", "#555555")
# A chart of more rows is no chart; the table has them all.
MOST_ROWS = 60


class Dot(NamedTuple):
    """One row of an interval chart; `note` stands at its right."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""


Axis = Callable[[float], float]


def intervals(
    title: str,
    unit: str,
    rows: Sequence[Dot],
    reference: float = 0.0,
    number: Callable[[float], str] = "{:g}".format,
) -> str:
    """Return dots with whiskers, one row each (at most `MOST_ROWS`), and a line at `reference`.

    `number` writes the numbers of the axis.
    """
    rows = rows[:MOST_ROWS]
    ends = [x for row in rows for x in (row.value, row.low, row.high) if math.isfinite(x)]
    # An open end must not squeeze the rest: what is drawn reaches three times the largest value.
    values = [abs(row.value) for row in rows if math.isfinite(row.value)]
    reach = 3 * max([*values, abs(reference), 1e-9])
    ticks = _ticks(
        max(min([*ends, reference]), reference - reach),
        min(max([*ends, reference]), reference + reach),
    )
    at = _axis(ticks, _LEFT, _WIDTH - _RIGHT)
    bottom = _TOP + _ROW * len(rows)
    parts = [*_titles(title, unit), *_grid(ticks, at, bottom, number)]
    x = at(reference)
    parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_TOP - 8}' y2='{bottom}' stroke='#333'/>")
    for place, row in enumerate(rows):
        parts += _whisker(row, _TOP + _ROW * place + _ROW / 2, at, ticks)
    return _svg(bottom + 40, parts)


def lines(
    title: str, x_unit: str, y_unit: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Return lines through (x, y) points on linear axes, named at their right end."""
    kept = {
        name: [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        for name, points in series.items()
    }
    xs = [x for points in kept.values() for x, _ in points] or [0.0]
    ys = [y for points in kept.values() for _, y in points] or [0.0]
    x_ticks, y_ticks = _ticks(min(xs), max(xs)), _ticks(min(ys), max(ys))
    across = _axis(x_ticks, _LEFT / 3, _WIDTH - _RIGHT)
    bottom = _TOP + _PLOT
    up = _axis(y_ticks, bottom, _TOP)
    parts = [*_titles(title, y_unit), *_grid(x_ticks, across, bottom, "{:g}".format)]
    for y in y_ticks:
        parts.append(_text(_LEFT / 3 - 8, up(y) + 4, f"{y:g}", "end"))
        parts.append(
            f"<line x1='{_LEFT / 3:.1f}' x2='{_WIDTH - _RIGHT}' y1='{up(y):.1f}' "
            f"y2='{up(y):.1f}' stroke='#dddddd'/>"
        )
    for place, (name, points) in enumerate(kept.items()):
        if points:
            parts += _line(name, [(across(x), up(y)) for x, y in points], place)
    parts.append(_text((_LEFT / 3 + _WIDTH - _RIGHT) / 2, bottom + 44, x_unit, "middle"))
    return _svg(bottom + 60, parts)


def _line(name: str, points: Sequence[tuple[float, float]], place: int) -> list[str]:
    colour = _COLOURS[place % len(_COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>",
        f"<g fill='{colour}'>{_text(x + 6, y + 4, name, 'start')}</g>",
    ]


def _whisker(row: Dot, y: float, at: Axis, ticks: Sequence[float]) -> list[str]:
    parts = [
        _text(_LEFT - 12, y + 4, row.label, "end"),
        _text(_WIDTH - _RIGHT + 12, y + 4, row.note, "start"),
    ]
    if math.isnan(row.value):
        return parts
    low, value, high = (
        at(min(max(x, ticks[0]), ticks[-1])) for x in (row.low, row.value, row.high)
    )
    sure = row.low > 0 or row.high < 0
    colour = _COLOURS[0] if sure else "#999999"
    return [
        *parts,
        f"<line x1='{low:.1f}' x2='{high:.1f}' y1='{y}' y2='{y}' stroke='{colour}' "
        "stroke-width='3'/>",
        f"<circle cx='{value:.1f}' cy='{y}' r='5' fill='{colour}'/>",
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return about six round numbers that enclose low..high."""
    span = (high - low) or max(abs(high), 1.0)
    step = 10.0 ** math.floor(math.log10(span / 5))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _axis(ticks: Sequence[float], start: float, end: float) -> Axis:
    low, high = ticks[0], ticks[-1]
    return lambda x: start + (x - low) / (high - low) * (end - start)


def _grid(
    ticks: Sequence[float], at: Axis, bottom: float, number: Callable[[float], str]
) -> list[str]:
    parts = []
    for tick in ticks:
        parts.append(_text(at(tick), bottom + 20, number(tick), "middle"))
        parts.append(
            f"<line x1='{at(tick):.1f}' x2='{at(tick):.1f}' y1='{_TOP - 8}' y2='{bottom}' "
            "stroke='#dddddd'/>"
        )
    return parts


def _titles(title: str, unit: str) -> list[str]:
    return [_text(16, 26, title, "start", "bold"), _text(16, 46, unit, "start")]


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-weight='{weight}'>"
        f"{escape(text)}</text>"
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height:.0f}' "
        "font-family='sans-serif' font-size='13'>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
    )
