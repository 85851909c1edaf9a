"""Whether a condition can be both true and false for the values that its feature can have.

A test over one feature changes its truth only at the numbers it names. So it is enough to look at
those, at their neighbours among the floats and at the ends of the feature's range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from streams.core.rules.feature_types import DeclaredFeature
from streams.core.rules.tree import AllOf, AnyOf, Compare, Test, comparisons, holds, names_of


def neighbours(number: float) -> tuple[float, float, float]:
    """Return the float below a number, the number, and the float above it."""
    return math.nextafter(number, -math.inf), number, math.nextafter(number, math.inf)


def settled(test: Test, name: str, feature: DeclaredFeature) -> bool | None:
    """Return what a test over the feature `name` alone always is, or None when it varies.

    Unknown values (NaN) do not count: they make every comparison false.
    """
    truths = {holds(test, {name: value}) for value in _telling(test, feature)}
    return truths.pop() if len(truths) == 1 else None


def only_feature(test: Test) -> str | None:
    """Return the one feature that a test reads, compared with numbers only, or None."""
    if any(isinstance(compare.right, str) for compare in comparisons(test)):
        return None
    names = names_of(test)
    return next(iter(names)) if len(names) == 1 else None


def by_feature(join: AllOf | AnyOf) -> Iterator[tuple[str, Test]]:
    """Return the parts of a join about one feature each, put together by feature."""
    parts: dict[str, list[Test]] = {}
    for part in join.parts:
        if name := only_feature(part):
            parts.setdefault(name, []).append(part)
    for name, group in parts.items():
        if len(group) > 1:
            yield name, type(join)(tuple(group))


def _telling(test: Test, feature: DeclaredFeature) -> Iterable[float]:
    if feature.kind == "flag":
        return (0.0, 1.0)
    named = {
        value
        for compare in comparisons(test)
        if isinstance(compare.right, float)
        for value in neighbours(compare.right)
        if feature.low <= value <= feature.high
    }
    return named | {float(feature.low), float(feature.high)}


def out_of_order(compare: Compare, left: DeclaredFeature, right: DeclaredFeature) -> bool | None:
    """Return what a comparison of two features always is because their ranges do not meet."""
    below, above = left.high < right.low, left.low > right.high
    if not (below or above):
        return None
    truth = {"<": below, "<=": below, ">": above, ">=": above, "==": False, "!=": True}
    return truth[compare.sign]
