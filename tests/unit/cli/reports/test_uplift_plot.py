"""Plots are well-formed SVG that show every row within the picture."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from streams.cli.reports.uplift_plot import MAX_ROWS, IntervalRow, interval_plot

_SVG = "{http://www.w3.org/2000/svg}"


def _parts(text: str, name: str) -> list[dict[str, str]]:
    return [part.attrib for part in ElementTree.fromstring(text).iter(_SVG + name)]


def _texts(text: str) -> list[str]:
    return [part.text or "" for part in ElementTree.fromstring(text).iter(_SVG + "text")]


def test_every_interval_is_a_dot_with_its_whisker_inside_the_picture() -> None:
    rows = [
        IntervalRow("tea & <coffee>", 0.2, 0.1, 0.3, "+20 %"),
        IntervalRow("open above", 0.5, -0.2, math.inf),
        IntervalRow("nothing yet", math.nan, math.nan, math.nan, "too few yet"),
    ]
    text = interval_plot("Uplift", "of whom", rows)
    assert len(_parts(text, "circle")) == 2
    assert "tea & <coffee>" in _texts(text)
    assert "too few yet" in _texts(text)
    width = float(ElementTree.fromstring(text).attrib["width"])
    for line in _parts(text, "line"):
        assert all(0 <= float(line[end]) <= width for end in ("x1", "x2"))


def test_a_chart_has_a_limit_of_rows() -> None:
    rows = [IntervalRow(str(number), number, number - 1, number + 1) for number in range(500)]
    assert len(_parts(interval_plot("t", "u", rows), "circle")) == MAX_ROWS


@pytest.mark.parametrize(
    "rows", [[], [IntervalRow("a", 0.0, 0.0, 0.0)], [IntervalRow("b", 1e9, -1e9, 1e12)]]
)
def test_any_rows_give_a_picture(rows: list[IntervalRow]) -> None:
    assert ElementTree.fromstring(interval_plot("t", "u", rows)).tag == _SVG + "svg"
