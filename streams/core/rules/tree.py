"""The parts of a compiled rule: each turns columns of numbers into a column of truths.

One law about unknown values (NaN): every comparison with one is false, `!=` and `not in`
included, and an unknown flag is false. `not` then turns that false into true like any other.
So `days_since_purchase != 3` is false for somebody who never bought, and
`not days_since_purchase == 3` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[np.float64]]
Truths = NDArray[np.bool_]
Operand = str | float
"""A column's name, or a number."""


def _unequal(left: Any, right: Any) -> Any:
    """`!=` of numpy is true for NaN; less-or-greater is the same and false for NaN."""
    return (left < right) | (left > right)


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": _unequal,
}


def _read(operand: Operand, columns: Columns) -> NDArray[np.float64] | float:
    return columns[operand] if isinstance(operand, str) else operand


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`; at least one side is a column."""

    left: Operand
    operator: str
    right: Operand

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        left, right = _read(self.left, columns), _read(self.right, columns)
        truths: Truths = COMPARISONS[self.operator](left, right)
        return truths


@dataclass(frozen=True, slots=True)
class Member:
    """`name in (values)`, or `not in` when `negated`."""

    name: str
    values: tuple[float, ...]
    negated: bool

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        column = columns[self.name]
        found: Truths = reduce(np.logical_or, (column == value for value in self.values))
        return ~found & (column == column) if self.negated else found


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes/no column: true where it is known and not 0."""

    name: str

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        truths: Truths = _unequal(columns[self.name], 0.0)
        return truths


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `inner`."""

    inner: Test

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        return ~self.inner.holds(columns)


@dataclass(frozen=True, slots=True)
class Every:
    """All of `parts` (`and`)."""

    parts: tuple[Test, ...]

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        return reduce(np.logical_and, (part.holds(columns) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Some:
    """Any of `parts` (`or`)."""

    parts: tuple[Test, ...]

    def holds(self, columns: Columns) -> Truths:
        """Return the truth per row, shape (n,)."""
        return reduce(np.logical_or, (part.holds(columns) for part in self.parts))


Test = Compare | Member | Flag | Not | Every | Some
