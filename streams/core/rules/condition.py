"""Rules in readable text, checked once against the declared features.

    days_since_purchase > 14 and open_tickets == 0
    not weekend or 1 <= orders_30d < 5
    last_satisfaction in (4, 5)

The language is a strict subset of Python expressions: declared feature names, numbers,
comparisons (chained too), `in` and `not in` a list of numbers, `and`, `or`, `not`, parentheses.
A feature is a number (it must be compared) or a yes/no flag (it must not be). Nothing is ever
evaluated as Python. For unknown values see `streams.core.rules.tree`, for evaluation
`streams.core.rules.program`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.core.rules.feature_types import DeclaredFeature, Features, declared
from streams.core.rules.parse import parse
from streams.core.rules.tokens import RuleError
from streams.core.rules.tree import Test, names_of

__all__ = ["Condition", "RuleError", "check_rule"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked rule; `names` are the features it reads, `features` their declarations."""

    text: str
    names: frozenset[str]
    tree: Test
    features: Mapping[str, DeclaredFeature] = field(compare=False, repr=False)


def check_rule(text: str, features: Features) -> Condition:
    """Return the checked rule in `text` over declared features (or kinds, by name).

    Raises `RuleError` with the position, what is wrong and what to write instead.
    """
    tree = parse(text, features)
    names = names_of(tree)
    return Condition(text, names, tree, {name: declared(features, name) for name in sorted(names)})
