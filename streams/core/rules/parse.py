"""Rule text -> checked tree: a whitelist over Python's `ast`, with types and near names."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from streams.core.rules.constant_conditions import (
    by_feature,
    only_feature,
    out_of_order,
    settled,
)
from streams.core.rules.feature_types import Features, declared, noun, offered
from streams.core.rules.tokens import RuleError, check_tokens, unreadable
from streams.core.rules.tree import MIRRORED, AllOf, AnyOf, Compare, Not, Operand, Test
from streams.core.suggestions import near

# Long enough for any rule a person can still read; it bounds parsing depth and time as well.
MAX_RULE_CHARS = 500
NO_WORDS: Mapping[str, float] = MappingProxyType({})

_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def parse(text: str, features: Features) -> Test:
    """Return the checked tree of a rule over declared features.

    Raises `RuleError`: for what cannot be read, unknown names, types and units that do not fit,
    and conditions that always or never hold.
    """
    if len(text) > MAX_RULE_CHARS:
        raise RuleError(
            f"the rule has {len(text)} characters, the limit is {MAX_RULE_CHARS};"
            " split it into several rules (all of them must hold)",
            MAX_RULE_CHARS + 1,
        )
    flat = re.sub(r"\s", " ", text)
    if not flat.strip():
        raise RuleError("the rule is empty; write for example: open_tickets == 0", 1)
    check_tokens(flat)
    indent = len(flat) - len(flat.lstrip())
    try:
        body = ast.parse(flat.lstrip(), mode="eval").body
    except SyntaxError as error:
        raise unreadable(error, flat, indent) from None
    return _Reader(features, flat, indent).truth(body)


class _Reader:
    """Walks the `ast` of one rule, checking types and names as it goes."""

    def __init__(self, features: Features, text: str, indent: int) -> None:
        self._features = features
        self._text = text
        self._indent = indent

    def truth(self, node: ast.expr) -> Test:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return self._joined(node, AllOf(tuple(self.truth(value) for value in values)))
            case ast.BoolOp(values=values):
                return self._joined(node, AnyOf(tuple(self.truth(value) for value in values)))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.truth(operand))
            case ast.Compare():
                return self._compare(node)
            case ast.Name(id=name):
                if self._kind(node) == "flag":
                    return Compare(name, "!=", 0.0)
                raise self._error(node, f"{name} is a number; compare it, for example {name} > 0")
            case ast.Constant() | ast.UnaryOp():
                raise self._error(
                    node,
                    f"`{self._source(node)}` alone is no condition; compare a feature with it",
                )
        raise self._refusal(node)

    def _joined(self, node: ast.expr, join: AllOf | AnyOf) -> Test:
        for name, group in by_feature(join):
            self._must_vary(node, settled(group, name, declared(self._features, name)), name)
        return join

    def _compare(self, node: ast.Compare) -> Test:
        parts: list[Test] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._pair(left, operator, right))
            left = right
        return parts[0] if len(parts) == 1 else self._joined(node, AllOf(tuple(parts)))

    def _pair(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Test:
        if isinstance(operator, ast.In | ast.NotIn):
            return self._member(left, isinstance(operator, ast.NotIn), right)
        sign = _OPERATORS.get(type(operator))
        if sign is None:
            plain, written = ("!=", "is not") if isinstance(operator, ast.IsNot) else ("==", "is")
            raise self._error(right, f"write `{plain}` instead of `{written}`")
        first, second = self._operand(left, right), self._operand(right, left)
        if isinstance(first, str):
            test = Compare(first, sign, second)
        elif isinstance(second, str):
            test = Compare(second, MIRRORED[sign], first)
        else:
            raise self._error(left, "compares two numbers; one side must be a feature")
        self._check_sense(left, test)
        return test

    def _check_sense(self, node: ast.expr, test: Compare) -> None:
        feature = declared(self._features, test.left)
        if name := only_feature(test):
            return self._must_vary(node, settled(test, name, feature), name, test)
        other = declared(self._features, str(test.right))
        if test.left == test.right:
            raise self._error(node, f"compares {test.left} with itself")
        if noun(feature) and noun(other) and noun(feature) != noun(other):
            raise self._error(
                node,
                f"compares {test.left} ({noun(feature)}) with {test.right} ({noun(other)});"
                " both sides must have the same unit",
            )
        return self._must_vary(node, out_of_order(test, feature, other), test.left, test)

    def _must_vary(
        self, node: ast.expr, truth: bool | None, name: str, test: Compare | None = None
    ) -> None:
        if truth is None:
            return
        said = f"{test.left} {test.sign} {test.right}" if test else self._source(node)
        if test and isinstance(test.right, float):
            said = f"{test.left} {test.sign} {test.right:g}"
        feature = declared(self._features, name)
        extent = (
            "yes or no" if feature.kind == "flag" else f"from {feature.low:g} to {feature.high:g}"
        )
        always = "always holds, so it drops no customer" if truth else "never holds"
        bounded = feature.kind == "flag" or math.isfinite(feature.high - feature.low)
        reason = f": {name} is {extent}" if bounded else f", whatever {name} is"
        raise self._error(node, f"`{said}` {always}{reason}")

    def _member(self, left: ast.expr, negated: bool, right: ast.expr) -> Test:
        name = self._operand(left)
        if not isinstance(name, str):
            raise self._error(left, "the left of `in` must be a feature")
        listed = isinstance(right, ast.Tuple | ast.List | ast.Set)
        items = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        if not items or (not listed and not isinstance(right, ast.Constant | ast.UnaryOp)):
            raise self._error(right, "the right of `in` must be a list of numbers, such as (4, 5)")
        feature = declared(self._features, name)
        parts: list[Test] = []
        for item in items:
            number = self._number(item, feature.words)
            if not feature.low <= number <= feature.high:
                raise self._error(
                    item,
                    f"`{self._source(item)}` is out of range:"
                    f" {name} is from {feature.low:g} to {feature.high:g}",
                )
            parts.append(Compare(name, "!=" if negated else "==", number))
        if len(parts) == 1:
            return parts[0]
        return AllOf(tuple(parts)) if negated else AnyOf(tuple(parts))

    def _operand(self, node: ast.expr, other: ast.expr | None = None) -> Operand:
        """Read a feature, a number, or a word for a value of the feature on the other side."""
        if not isinstance(node, ast.Name):
            return self._number(node)
        if node.id not in self._features and isinstance(other, ast.Name):
            words = declared(self._features, other.id).words if other.id in self._features else {}
            if words:
                return self._number(node, words)
        if self._kind(node) == "flag":
            raise self._error(
                node,
                f"{node.id} is yes or no; write `{node.id}` or `not {node.id}` without comparing",
            )
        return node.id

    def _number(self, node: ast.expr, words: Mapping[str, float] = NO_WORDS) -> float:
        match node:
            case ast.Name(id=name) if name in words:
                return words[name]
            case ast.Name(id=name) if words and name not in self._features:
                hint = near(name, words) or f"; known: {', '.join(words)}"
                raise self._error(node, f"unknown word `{name}`{hint}")
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
                return -self._number(inner)
            case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant() as inner):
                return self._number(inner)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._finite(node, value)
            case ast.Name(id=name):
                raise self._error(node, f"`{name}` is not a number; a list has numbers only")
        raise self._refusal(node)

    def _finite(self, node: ast.expr, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise self._error(node, f"`{self._source(node)}` is too large a number")
        return number

    def _kind(self, node: ast.Name) -> str:
        if node.id not in self._features:
            names = offered(self._features)
            known = near(node.id, names) or f"; known: {', '.join(names)}"
            raise self._error(node, f"unknown feature `{node.id}`{known}")
        return declared(self._features, node.id).kind

    def _refusal(self, node: ast.expr) -> RuleError:
        match node:
            case ast.BinOp() | ast.UnaryOp():
                problem = "a rule compares, it does not calculate; declare a feature for that"
            case ast.Call():
                problem = "a rule calls no functions"
            case ast.Tuple(elts=[ast.Compare(), ast.Constant()]):
                problem = "a comma inside a comparison; a decimal number has a point, as in 3.5"
            case ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
                problem = "a list of numbers belongs after `in`"
            case ast.Compare() | ast.BoolOp():
                problem = "a comparison cannot be compared; join conditions with `and` / `or`"
            case ast.Constant():
                problem = (
                    f"`{self._source(node)}` is no number; write a yes/no feature by its name alone"
                )
            case _:
                problem = f"`{self._source(node)}` has no meaning in a rule"
        return self._error(node, problem)

    def _source(self, node: ast.expr) -> str:
        start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
        return self._text[self._indent + start : self._indent + end]

    def _error(self, node: ast.expr, problem: str) -> RuleError:
        return RuleError(problem, self._indent + node.col_offset + 1)
