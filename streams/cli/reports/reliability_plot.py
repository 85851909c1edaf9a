"""The reliability plot: what was predicted against what came, as an SVG of a few kilobytes."""

from __future__ import annotations

import math
from typing import NamedTuple

from models.quality import BINS, BINS_PER_CALIBRATION_BIN, Quality

_SIDE, _MARGIN = 360.0, 56.0
# 95 % of a normal's mass, for the bars of one bin at a time.
_Z = 1.96
_TICKS = 5


class Bin(NamedTuple):
    """Rows whose log-odds were predicted alike: how many, mean prediction, share of outcomes."""

    rows: int
    predicted: float
    observed: float


def bins(quality: Quality) -> list[Bin]:
    """Return the bins of the log-odds that hold rows, each one log-odd wide, from low to high."""
    found = []
    for start in range(0, BINS, BINS_PER_CALIBRATION_BIN):
        span = slice(start, start + BINS_PER_CALIBRATION_BIN)
        outcomes = sum(quality.rewarded[span])
        rows = outcomes + sum(quality.unrewarded[span])
        if rows:
            found.append(Bin(rows, sum(quality.predicted_sum[span]) / rows, outcomes / rows))
    return found


def reliability_svg(quality: Quality, title: str) -> str:
    """Return the plot as SVG text; both axes run from 0 to just above the largest value."""
    points = bins(quality)
    largest = max((max(p.predicted, p.observed) for p in points), default=1.0)
    top = _round_up(largest)
    whole = _SIDE + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.0f}" height="{whole:.0f}" '
        f'viewBox="0 0 {whole:.0f} {whole:.0f}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_MARGIN}" y="28" font-size="14">{_escaped(title)}</text>',
        _line(0, 0, top, top, top, 'stroke="#999" stroke-dasharray="4 4"'),
        _line(0, 0, top, 0, top, 'stroke="#333"'),
        _line(0, 0, 0, top, top, 'stroke="#333"'),
    ]
    for tick in range(_TICKS + 1):
        value = top * tick / _TICKS
        x, y = _place(value, 0, top)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{value:.3g}</text>')
        x, y = _place(0, value, top)
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    most = max((p.rows for p in points), default=1)
    for point in points:
        parts += _drawn(point, top, most)
    middle = _MARGIN + _SIDE / 2
    parts += [
        f'<text x="{middle}" y="{whole - 14}" text-anchor="middle">predicted</text>',
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">came</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _drawn(point: Bin, top: float, most: int) -> list[str]:
    error = _Z * math.sqrt(max(point.observed * (1.0 - point.observed), 0.0) / point.rows)
    low, high = max(point.observed - error, 0.0), min(point.observed + error, top)
    x, y = _place(point.predicted, point.observed, top)
    radius = 3.0 + 7.0 * math.sqrt(point.rows / most)
    hint = f"{point.rows} rows: predicted {point.predicted:.4f}, came {point.observed:.4f}"
    return [
        _line(point.predicted, low, point.predicted, high, top, 'stroke="#1f6feb"'),
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#1f6feb" fill-opacity="0.6">'
        f"<title>{hint}</title></circle>",
    ]


def _place(x: float, y: float, top: float) -> tuple[float, float]:
    return _MARGIN + _SIDE * x / top, _MARGIN + _SIDE * (1.0 - y / top)


def _line(x1: float, y1: float, x2: float, y2: float, top: float, style: str) -> str:
    (a, b), (c, d) = _place(x1, y1, top), _place(x2, y2, top)
    return f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" {style}/>'


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten, at most 1."""
    if value <= 0.0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return min(next(s * unit for s in (1.0, 2.0, 5.0, 10.0) if s * unit >= value), 1.0)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
