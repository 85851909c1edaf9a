"""SVG drawing for the plots: elements as text, axes with round ticks, and the document around them.

A plot makes a list of elements and passes it to `document`. Coordinates are pixels, right and down
from the top left corner; an `Axis` converts a value to one. Labels are escaped here, so a plot
passes them as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

COLOURS = ("#2a6f97", "#c8553d", "#588157", "#7b5ea7", "#b08900", "#555555")
GREY, GRID, DARK = "#999999", "#dddddd", "#333333"

Point = tuple[float, float]


class Axis(NamedTuple):
    """A linear axis: `low` is drawn at pixel `start`, `high` at pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value; a value beyond the axis (or infinite) is at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def round_ticks(low: float, high: float) -> list[float]:
    """Return two to eight round numbers, evenly spaced, that enclose low..high.

    >>> round_ticks(0.0, 0.034)
    [0.0, 0.01, 0.02, 0.03, 0.04]
    """
    span = (high - low) or max(abs(high), 1.0)
    step = 10.0 ** math.floor(math.log10(span / 5))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def text(at: Point, label: str, anchor: str = "start", style: str = "") -> str:
    """Return a label; `anchor` is the part of it at `at`: start, middle or end."""
    x, y = at
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {style}>{escape(label)}</text>"


def headings(title: str, subtitle: str) -> list[str]:
    """Return a title and the line below it."""
    return [text((16, 26), title, style="font-weight='bold'"), text((16, 46), subtitle)]


def line(start: Point, end: Point, colour: str, style: str = "") -> str:
    """Return a straight line."""
    (x1, y1), (x2, y2) = start, end
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' {style}/>"
    )


def circle(centre: Point, radius: float, colour: str, hint: str = "") -> str:
    """Return a dot; a browser shows `hint` when the pointer is over it."""
    x, y = centre
    shape = f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:.1f}' fill='{colour}'"
    return f"{shape} fill-opacity='0.7'><title>{escape(hint)}</title></circle>"


def named_curve(name: str, points: Sequence[Point], colour: str) -> list[str]:
    """Return a line through points, with its name at the right end."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>",
        text((x + 6, y + 4), name, style=f"fill='{colour}'"),
    ]


def document(width: float, height: float, elements: Sequence[str]) -> str:
    """Return a whole SVG file of this size in pixels, on white."""
    body = "\n".join(elements)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
        f"viewBox='0 0 {width:.0f} {height:.0f}' font-family='sans-serif' font-size='13'>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
    )
