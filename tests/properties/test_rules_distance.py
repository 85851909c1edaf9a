"""The distance from a rule is real: that change makes it hold, and no smaller one does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streams.core.rules import Condition, Features, RuleError, check_rule, distance
from streams.core.rules.constant_conditions import neighbours
from streams.core.rules.tree import holds
from tests.unit.core.rules.test_constant_conditions import Made

FEATURES: Features = {
    "views": Made("events", 0, 8),
    "orders": Made("events", 0, 8),
    "mood": Made("", -2, 2),
    "weekend": Made("flag", 0, 1, "flag"),
}
NUMBERS = ("views", "orders", "mood")

comparisons = st.one_of(
    st.builds(
        "{} {} {}".format,
        st.sampled_from(NUMBERS),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.integers(-1, 7),
    ),
    st.builds("{} in ({}, {})".format, st.sampled_from(NUMBERS), st.just(1), st.integers(0, 2)),
    st.sampled_from(["views < orders", "views >= orders", "views == orders", "weekend"]),
)
texts = st.recursive(
    comparisons,
    lambda part: st.one_of(
        st.builds("not ({})".format, part),
        st.builds("({}) and ({})".format, part, part),
        st.builds("({}) or ({})".format, part, part),
    ),
    max_leaves=4,
)
somebodies = st.fixed_dictionaries(
    {
        "views": st.sampled_from([0.0, 1.0, 2.5, 7.0, 8.0, math.nan]),
        "orders": st.sampled_from([0.0, 1.0, 3.0, 6.5]),
        "mood": st.sampled_from([-2.0, 0.0, 0.5, 2.0]),
        "weekend": st.sampled_from([0.0, 1.0]),
    }
)


def compiled(text: str) -> Condition:
    try:
        return check_rule(text, FEATURES)
    except RuleError as error:
        assume("holds" not in error.problem)
        assume("out of range" not in error.problem)
        raise


def passing(rule: Condition, values: dict[str, float], names: tuple[str, ...]) -> Iterator[float]:
    """Return how much the first of `names` changes, wherever changing them lets one pass."""
    choices = []
    for name in names:
        feature = FEATURES[name]
        assert isinstance(feature, Made)
        numbers = [*range(-2, 9), *values.values()]
        if feature.kind == "flag":
            choices.append([0.0, 1.0])
        else:
            tried = {near for n in numbers if n == n for near in neighbours(float(n))}
            choices.append([n for n in tried if feature.low <= n <= feature.high])
    for change in product(*choices):
        if holds(rule.tree, values | dict(zip(names, change, strict=True))):
            yield abs(change[0] - values[names[0]])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(texts, somebodies)
def test_the_change_that_is_told_is_enough_and_no_smaller_one_is(
    text: str, values: dict[str, float]
) -> None:
    rule = compiled(text)
    found = distance(rule, values)
    assert (found is None) == holds(rule.tree, values)
    if found is None:
        return
    assert found.feature in rule.names
    assert found.sentence()
    alone = [list(passing(rule, values, (name,))) for name in sorted(rule.names)]
    if found.more:
        # Only where no feature by itself would do is more than one told.
        assert not any(alone)
        return
    changes = alone[sorted(rule.names).index(found.feature)]
    if changes and not math.isnan(found.gap):
        assert math.isclose(min(changes), abs(found.gap), abs_tol=1e-9)
