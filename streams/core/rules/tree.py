"""The parts of a rule that was read, and what they mean for one customer.

A list after `in`, a chain of comparisons and a flag are already spelt out as comparisons here.

One law about unknown values (NaN): every comparison with one is false, `!=` and `not in` included,
and an unknown flag is false. `not` then turns that false into true like any other. So
`days_since_purchase != 3` is false for a customer without purchases, and `not days_since_purchase
== 3` is true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Operand = str | float
"""A feature's name, or a number."""
Values = Mapping[str, float]
"""The features of one customer (and one action) by name."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`left sign right`; the left is a feature, the right a number or a feature."""

    left: str
    sign: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of `inner`."""

    inner: Test


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of `parts` (`and`)."""

    parts: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of `parts` (`or`)."""

    parts: tuple[Test, ...]


Test = Compare | Not | AllOf | AnyOf

# What a comparison becomes when its sides change places.
MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    # Python's own `!=` is true for NaN.
    "!=": lambda left, right: left < right or left > right,
}


def holds(test: Test, values: Values) -> bool:
    """Tell whether a test holds for one customer (KeyError when a feature is missing)."""
    match test:
        case Compare(left, sign, right):
            return _SIGNS[sign](values[left], values[right] if isinstance(right, str) else right)
        case Not(inner):
            return not holds(inner, values)
        case AllOf(parts):
            return all(holds(part, values) for part in parts)
        case AnyOf(parts):
            return any(holds(part, values) for part in parts)


def comparisons(test: Test) -> Iterator[Compare]:
    """Return the comparisons that a test consists of, from left to right."""
    match test:
        case Compare():
            yield test
        case Not(inner):
            yield from comparisons(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons(part)


def names_of(test: Test) -> frozenset[str]:
    """Return the features that a test reads."""
    return frozenset(
        name
        for compare in comparisons(test)
        for name in (compare.left, compare.right)
        if isinstance(name, str)
    )
