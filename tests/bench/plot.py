"""Small plots as SVG text: horizontal bars with their spread, and lines over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _LEFT, _RIGHT, _ROW = 760, 200, 110, 34
_COLOURS = ("#2a6f97", "#c8553d", "#588157", "#7b5ea7", "#b08900", "#555555")
_STYLE = "font-family='sans-serif' font-size='13'"


class Bar(NamedTuple):
    """One bar: its length, and from where to where single runs went."""

    label: str
    middle: float
    least: float
    most: float


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """Return a bar chart; the bar is the median, the thin line goes from minimum to maximum."""
    height = 60 + _ROW * len(rows)
    scale = (_WIDTH - _LEFT - _RIGHT) / max([row.most for row in rows] or [1.0])
    parts = [_text(16, 26, title, "start", bold=True), _text(16, 44, unit, "start")]
    for place, row in enumerate(rows):
        y = 56 + _ROW * place
        colour = _COLOURS[place % len(_COLOURS)]
        parts += [
            _text(_LEFT - 8, y + 16, row.label, "end"),
            f"<rect x='{_LEFT}' y='{y}' width='{row.middle * scale:.1f}' height='22' "
            f"fill='{colour}'/>",
            f"<line x1='{_LEFT + row.least * scale:.1f}' x2='{_LEFT + row.most * scale:.1f}' "
            f"y1='{y + 11}' y2='{y + 11}' stroke='black' stroke-width='1.5'/>",
            _text(_LEFT + row.most * scale + 8, y + 16, _number(row.middle), "start"),
        ]
    return _svg(height, parts)


def lines(
    title: str, x_unit: str, y_unit: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Return lines through (x, y) points, x on a logarithmic axis, y from zero up."""
    height, top, bottom = 380, 64, 330
    points = [point for each in series.values() for point in each]
    xs = sorted({x for x, _ in points})
    most = max([y for _, y in points] or [1.0]) or 1.0
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    wide, span = _WIDTH - _LEFT / 2 - _RIGHT, (high - low) or 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT / 2 + (math.log10(x) - low) / span * wide,
            bottom - y / most * (bottom - top),
        )

    parts = [_text(16, 26, title, "start", bold=True), _text(16, 44, y_unit, "start")]
    parts += [_text(_WIDTH / 2, height - 8, x_unit, "middle")]
    for x in xs:
        parts.append(_text(at(x, 0)[0], bottom + 18, _number(x), "middle"))
    for share in (0.0, 0.5, 1.0):
        y = at(xs[0], share * most)[1]
        parts.append(_text(_LEFT / 2 - 8, y + 4, _number(share * most), "end"))
        parts.append(
            f"<line x1='{_LEFT / 2}' x2='{_LEFT / 2 + wide}' y1='{y:.1f}' y2='{y:.1f}' "
            "stroke='#dddddd'/>"
        )
    for place, (name, each) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in each))
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        x, y = at(*each[-1])
        parts.append(f"<g fill='{colour}'>{_text(x + 6, y + 4, name, 'start')}</g>")
    return _svg(height, parts)


def _svg(height: int, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height}' {_STYLE}>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, anchor: str, *, bold: bool = False) -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'{weight}>{escape(text)}</text>"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
