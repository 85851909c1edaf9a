"""Plots are well-formed SVG that show every row within the picture."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from streams.cli.reports.uplift_plot import MOST_ROWS, Dot, intervals, lines

_SVG = "{http://www.w3.org/2000/svg}"


def _parts(text: str, name: str) -> list[dict[str, str]]:
    return [part.attrib for part in ElementTree.fromstring(text).iter(_SVG + name)]


def _texts(text: str) -> list[str]:
    return [part.text or "" for part in ElementTree.fromstring(text).iter(_SVG + "text")]


def test_every_interval_is_a_dot_with_its_whisker_inside_the_picture() -> None:
    rows = [
        Dot("tea & <coffee>", 0.2, 0.1, 0.3, "+20 %"),
        Dot("open above", 0.5, -0.2, math.inf),
        Dot("nothing yet", math.nan, math.nan, math.nan, "too few yet"),
    ]
    text = intervals("Uplift", "of whom", rows)
    assert len(_parts(text, "circle")) == 2
    assert "tea & <coffee>" in _texts(text)
    assert "too few yet" in _texts(text)
    width = float(ElementTree.fromstring(text).attrib["width"])
    for line in _parts(text, "line"):
        assert all(0 <= float(line[end]) <= width for end in ("x1", "x2"))


def test_a_chart_has_a_limit_of_rows() -> None:
    rows = [Dot(str(number), number, number - 1, number + 1) for number in range(500)]
    assert len(_parts(intervals("t", "u", rows), "circle")) == MOST_ROWS


@pytest.mark.parametrize("rows", [[], [Dot("a", 0.0, 0.0, 0.0)], [Dot("b", 1e9, -1e9, 1e12)]])
def test_any_rows_give_a_picture(rows: list[Dot]) -> None:
    assert ElementTree.fromstring(intervals("t", "u", rows)).tag == _SVG + "svg"


def test_lines_are_named_and_leave_out_what_is_no_number() -> None:
    series = {"curve": [(0.0, 0.0), (0.5, math.nan), (1.0, 2.0)], "empty": []}
    text = lines("Qini", "share", "extra", series)
    points = _parts(text, "polyline")
    assert [len(line["points"].split()) for line in points] == [2]
    assert "curve" in _texts(text)
    assert ElementTree.fromstring(lines("t", "x", "y", {})).tag == _SVG + "svg"
