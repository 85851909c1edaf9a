"""How far a customer is from passing a rule: the smallest change that would let them pass.

A rule's truth, as a function of one feature, changes only at the numbers that the feature is
compared with. So the nearest passing value of one feature is found exactly by trying those and the
floats next to them, with all other features unchanged. If no single feature is enough, the rule is
split: of an `and` every failing part must change and the furthest is reported, of an `or` the
nearest part is. Slow on purpose (plain Python): only decisions that a person asks about are
explained.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from streams.core.money import MINOR_UNITS, format_minor
from streams.core.rules.condition import Condition
from streams.core.rules.constant_conditions import neighbours
from streams.core.rules.feature_types import DeclaredFeature, noun
from streams.core.rules.tree import AllOf, AnyOf, Compare, Not, Test, Values, comparisons, holds

# What a comparison must become where the rule wants it false.
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_WORDS = {
    "<": "less than {}",
    "<=": "{} or less",
    "==": "exactly {}",
    ">=": "{} or more",
    ">": "more than {}",
    "!=": "anything but {}",
}
# For values with names: "at most friday", since there is no less of a Friday.
_NAMED_WORDS = {**_WORDS, "<=": "at most {}", ">=": "at least {}"}
# Digits that are shown, and those that any two different numbers need.
_FEW_DIGITS, _ALL_DIGITS = 4, 17


@dataclass(frozen=True, slots=True)
class Distance:
    """What keeps a customer from passing a rule, and by how much.

    `feature` is `has` and must be `sign` `needs`; `gap = needs - has` in the feature's `unit`
    (above 0: short of it; 0: just at the edge; NaN: not known). `more` is how many other features
    must change as well. `words` are names of the feature's values. Amounts in minor units are
    written in `currency`, where it is given.
    """

    feature: str
    has: float
    sign: str
    needs: float
    gap: float
    unit: str
    is_flag: bool = False
    more: int = 0
    words: Mapping[str, float] = field(default_factory=dict)
    currency: str = ""

    def sentence(self) -> str:
        """Return it in words, for example "days_since_purchase is 11, needs more than 14 ..."."""
        also = f"; {self.more} more must change too" if self.more else ""
        if self.is_flag:
            has = "not known" if math.isnan(self.has) else "yes" if self.has else "no"
            return f"{self.feature} is {has}, needs {'yes' if self.needs else 'no'}{also}"
        has, needs = self._has_and_needs()
        wanted = (_NAMED_WORDS if self.words else _WORDS)[self.sign].format(needs)
        text = f"{self.feature} is {has}, needs {wanted}"
        if math.isnan(self.gap) or self.sign == "!=" or self.words:
            return text + also
        if self.gap == 0:
            return f"{text} (at the edge){also}"
        # A unit of several words is a description, not something to count.
        unit = f" {self.unit}" if self.unit.isalpha() else ""
        side = "short" if self.gap > 0 else "over"
        return f"{text} ({self._written(abs(self.gap))}{unit} {side}){also}"

    def _has_and_needs(self) -> tuple[str, str]:
        """Return both numbers as text, with enough digits to differ where they do."""
        if math.isnan(self.has):
            return "not known", self._written(self.needs)
        for digits in range(_FEW_DIGITS, _ALL_DIGITS + 1):
            has, needs = self._written(self.has, digits), self._written(self.needs, digits)
            if has != needs or self.has == self.needs:
                break
        return has, needs

    def _written(self, number: float, digits: int = _FEW_DIGITS) -> str:
        name = next((word for word, value in self.words.items() if value == number), None)
        if name is not None:
            return name
        if self.currency and self.unit == MINOR_UNITS:
            return format_minor(number, self.currency)
        return (
            f"{number:.0f}"
            if digits == _FEW_DIGITS and abs(number) >= 1e4
            else f"{number:.{digits}g}"
        )


def distance(rule: Condition, values: Values) -> Distance | None:
    """Return how far `values` are from passing a rule, or None when they pass it.

    `values` has each of the rule's features in its natural unit (KeyError when one is missing).
    Features are ranked by the change they need as a share of what they are and must be; numbers
    come before flags, known values before unknown ones; ties go by name.
    """
    if holds(rule.tree, values):
        return None
    alone = [
        found for name in sorted(rule.names) if (found := _nearest(rule, rule.tree, name, values))
    ]
    if alone:
        return min(alone, key=_hardness)
    return _furthest(rule, _failing(rule, rule.tree, values, True), values)


def _nearest(rule: Condition, test: Test, name: str, values: Values) -> Distance | None:
    """Return the smallest change of one feature that makes `test` hold, all else as it is."""
    feature, has = rule.features[name], values[name]
    tried = [
        (value, anchor, side)
        for anchor in _anchors(test, name, values)
        for side, value in enumerate(neighbours(anchor), -1)
        if feature.low <= value <= feature.high
    ]
    if feature.kind == "flag":
        tried = [(value, value, 0) for value in (0.0, 1.0)]
    # The floats beside an anchor may be as far off as the anchor, by rounding. The anchor goes
    # first then: `<= 30` asks for 30, not for the number below.
    tried.sort(key=lambda found: (_far(found[0] - has), abs(found[2]), found[0]))

    def passes(value: float) -> bool:
        return holds(test, {**values, name: value})

    for value, anchor, side in tried:
        if passes(value):
            below, _, above = neighbours(anchor)
            if side:
                other = passes(below if side > 0 else above)
                sign = "!=" if other else ">" if side > 0 else "<"
            elif anchor < has:
                sign = "<=" if passes(below) else "=="
            else:
                sign = ">=" if passes(above) else "=="
            return _found(name, feature, has, sign, anchor)
    return None


def _anchors(test: Test, name: str, values: Values) -> Iterator[float]:
    """Return the numbers at which a test may change when the feature `name` does."""
    for compare in comparisons(test):
        left, right = compare.left, compare.right
        if name not in (left, right):
            continue
        other = left if name == right else right
        anchor = values[other] if isinstance(other, str) else other
        if not math.isnan(anchor):
            yield anchor


Failing = list[tuple[Compare, bool]]
"""Comparisons that must change, each with the truth it must have."""


def _failing(rule: Condition, test: Test, values: Values, wanted: bool) -> Failing:
    """Return the comparisons that must change together for a test to be as wanted."""
    match test:
        case Compare():
            return [] if holds(test, values) == wanted else [(test, wanted)]
        case Not(inner):
            return _failing(rule, inner, values, not wanted)
        case AllOf(parts) | AnyOf(parts):
            each = [_failing(rule, part, values, wanted) for part in parts]
            if isinstance(test, AllOf) == wanted:
                return [one for failing in each for one in failing]
            if not all(each):
                return []
            return min(each, key=lambda failing: _hardness(_furthest(rule, failing, values)))


def _furthest(rule: Condition, failing: Failing, values: Values) -> Distance:
    """Return, of the features that must change, the one that must change most."""
    by_feature: dict[str, Failing] = {}
    for compare, wanted in failing:
        by_feature.setdefault(compare.left, []).append((compare, wanted))
    found = [_of_feature(rule, name, group, values) for name, group in by_feature.items()]
    return replace(max(found, key=_hardness), more=len(found) - 1)


def _of_feature(rule: Condition, name: str, failing: Failing, values: Values) -> Distance:
    tests = tuple(compare if wanted else Not(compare) for compare, wanted in failing)
    nearest = _nearest(rule, AllOf(tests), name, values)
    if nearest:
        return nearest
    # No value of this feature will do: tell what the first comparison asks for.
    compare, wanted = failing[0]
    needs = values[compare.right] if isinstance(compare.right, str) else compare.right
    sign = compare.sign if wanted else _OPPOSITE[compare.sign]
    return _found(name, rule.features[name], values[name], sign, needs)


def _found(name: str, feature: DeclaredFeature, has: float, sign: str, needs: float) -> Distance:
    is_flag, gap = feature.kind == "flag", needs - has
    return Distance(name, has, sign, needs, gap, noun(feature), is_flag, words=feature.words)


def _hardness(found: Distance) -> tuple[int, int, float, str]:
    share = _far(found.gap) / (max(abs(found.has), abs(found.needs)) or 1.0)
    kind = 2 if math.isnan(found.gap) else int(found.is_flag)
    return kind, found.more, 0.0 if math.isnan(share) else share, found.feature


def _far(gap: float) -> float:
    return 0.0 if math.isnan(gap) else abs(gap)
