"""What a part found: tables for people, numbers for machines, a plot; and how they are shown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sheet:
    """One table: the first column is text, numbers stand to the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Found:
    """The results of a part; `numbers` go under `key` in the JSON line."""

    key: str
    numbers: Mapping[str, Any]
    sheets: Sequence[Sheet] = ()
    plots: Mapping[str, str] = field(default_factory=dict)


def show(found: Found, console: Console, out: Path) -> None:
    """Print the tables and write the plots."""
    for sheet in found.sheets:
        table = Table(title=sheet.title, title_justify="left", title_style="bold")
        for place, column in enumerate(sheet.columns):
            table.add_column(column, justify="left" if place == 0 else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
        for note in sheet.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)
        console.print()
    out.mkdir(parents=True, exist_ok=True)
    for name, svg in found.plots.items():
        path = out / f"{name}.svg"
        path.write_text(svg, encoding="utf-8")
        console.print(f"plot: {path}", highlight=False, soft_wrap=True)


def json_line(parts: Sequence[Found]) -> str:
    """Return all numbers as one line of JSON."""
    return json.dumps({found.key: dict(found.numbers) for found in parts})


def machine() -> str:
    """Return in a line what this ran on, and how busy that was already."""
    load = ", ".join(f"{each:.2f}" for each in os.getloadavg())
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load before (1, 5, 15 min): {load}"
    )


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return minimum, median and maximum."""
    return min(values), median(values), max(values)


def thousands(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:,.0f}"
