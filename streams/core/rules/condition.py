"""Rules in readable text, compiled once to column operations over a wave of customers.

    days_since_purchase > 14 and open_tickets == 0
    not usual_due or 1 <= orders_30d < 5
    last_satisfaction in (4, 5)

The language is a strict subset of Python expressions: declared feature names, numbers,
comparisons (chained too), `in` and `not in` a list of numbers, `and`, `or`, `not`, parentheses.
A feature is a number (it must be compared) or a yes/no flag (it must not be). Nothing is ever
evaluated as Python. For unknown values see `streams.core.rules.tree`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streams.core.rules.parse import parse
from streams.core.rules.tokens import RuleError
from streams.core.rules.tree import Columns, Test, Truths

__all__ = ["Condition", "RuleError", "compile_rule"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled rule; `names` are the features it reads."""

    text: str
    names: frozenset[str]
    tree: Test

    def holds(self, columns: Columns) -> Truths:
        """Return where the rule holds, shape (n,), for columns of float64, each of shape (n,).

        Shapes that broadcast do too: (n, 1) for customers and (n, a) for their actions.
        Every one of `names` must be there (KeyError is a bug of the caller). Never raises for
        any value in them; a wave of 0 gives an empty column.
        """
        # A signalling NaN in a comparison makes numpy warn; the answer (false) is right.
        with np.errstate(invalid="ignore"):
            return self.tree.holds(columns)


def compile_rule(text: str, names: Mapping[str, str]) -> Condition:
    """Compile `text` over the features `names` (name -> "number" or "flag").

    Raises `RuleError` with the position, what is wrong and what to write instead.
    """
    tree, used = parse(text, names)
    return Condition(text, used, tree)
