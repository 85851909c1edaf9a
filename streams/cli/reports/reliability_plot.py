"""The reliability plot: predicted probability against the observed rate, as SVG text.

Each dot is a bin of rows with similar log-odds; its area grows with the number of rows, and its
line is the 95 % interval of the observed rate. A calibrated model's dots are on the diagonal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from models.quality import BINS, BINS_PER_CALIBRATION_BIN, Quality
from streams.cli.reports import svg

_SIDE, _MARGIN = 360.0, 60.0
# 95 % of a normal distribution lie within this many standard errors.
_STANDARD_ERRORS = 1.96


class Bin(NamedTuple):
    """Rows with similar predicted log-odds: their number, mean prediction and observed rate."""

    rows: int
    predicted: float
    observed: float


def bins(quality: Quality) -> list[Bin]:
    """Return the bins that hold rows, each one unit of log-odds wide, from low to high."""
    found = []
    for start in range(0, BINS, BINS_PER_CALIBRATION_BIN):
        span = slice(start, start + BINS_PER_CALIBRATION_BIN)
        outcomes = sum(quality.rewarded[span])
        rows = outcomes + sum(quality.unrewarded[span])
        if rows:
            found.append(Bin(rows, sum(quality.predicted_sum[span]) / rows, outcomes / rows))
    return found


def reliability_svg(quality: Quality, title: str) -> str:
    """Return the plot as SVG; both axes go from 0 to just above the largest value, at most 1."""
    points = bins(quality)
    ticks = svg.round_ticks(0.0, max([max(p.predicted, p.observed) for p in points] or [1.0]))
    near, far = _MARGIN, _MARGIN + _SIDE
    across = svg.Axis(0.0, ticks[-1], near, far)
    up = svg.Axis(0.0, ticks[-1], far, near)
    elements = [
        *svg.headings(title, "size: number of rows; line: 95 % of the observed rate"),
        svg.line((near, far), (far, near), svg.GREY, "stroke-dasharray='4 4'"),
        svg.line((near, far), (far, far), svg.DARK),
        svg.line((near, far), (near, near), svg.DARK),
    ]
    for tick in ticks:
        elements.append(svg.text((across.at(tick), far + 18), f"{tick:.3g}", "middle"))
        elements.append(svg.text((near - 8, up.at(tick) + 4), f"{tick:.3g}", "end"))
    most_rows = max([point.rows for point in points] or [1])
    for point in points:
        elements += _dot(point, across, up, most_rows)
    middle = _MARGIN + _SIDE / 2
    turned = f"transform='rotate(-90 14 {middle:.0f})'"
    elements += [
        svg.text((middle, far + 44), "predicted", "middle"),
        svg.text((14, middle), "observed", "middle", turned),
    ]
    return svg.document(_SIDE + 2 * _MARGIN, _SIDE + 2 * _MARGIN, elements)


def _dot(point: Bin, across: svg.Axis, up: svg.Axis, most_rows: int) -> list[str]:
    error = _STANDARD_ERRORS * math.sqrt(
        max(point.observed * (1.0 - point.observed), 0.0) / point.rows
    )
    x = across.at(point.predicted)
    low, high = up.at(point.observed - error), up.at(point.observed + error)
    radius = 3.0 + 7.0 * math.sqrt(point.rows / most_rows)
    hint = f"{point.rows} rows: predicted {point.predicted:.4f}, observed {point.observed:.4f}"
    return [
        svg.line((x, low), (x, high), svg.COLOURS[0]),
        svg.circle((x, up.at(point.observed)), radius, svg.COLOURS[0], hint),
    ]
