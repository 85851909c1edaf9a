"""What a line of a data file becomes: a record, or a line that is none and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Record(NamedTuple):
    """The cells of a record, and the number of the line where it begins; None is an empty cell."""

    number: int
    cells: list[str | None]


@dataclass(frozen=True)
class BadLine:
    """A line (or the lines of one record) that is no row, and why. `number` counts from 1."""

    number: int
    reason: str
    text: str
