"""Rule text -> checked tree: a whitelist over Python's `ast`, with types and near names."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping

from streams.core.rules.names import near
from streams.core.rules.tokens import RuleError, check_tokens, unreadable
from streams.core.rules.tree import Compare, Every, Flag, Member, Not, Operand, Some, Test

# Long enough for any rule a person can still read; it bounds parsing depth and time as well.
MAX_RULE_CHARS = 500

_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def parse(text: str, names: Mapping[str, str]) -> tuple[Test, frozenset[str]]:
    """Return the checked tree of a rule and the feature names it reads.

    Raises `RuleError`.
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
    reader = _Reader(names, flat, indent)
    return reader.truth(body), frozenset(reader.used)


class _Reader:
    """Walks the `ast` of one rule, checking types and names as it goes."""

    def __init__(self, names: Mapping[str, str], text: str, indent: int) -> None:
        self._names = names
        self._text = text
        self._indent = indent
        self.used: set[str] = set()

    def truth(self, node: ast.expr) -> Test:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return Every(tuple(self.truth(value) for value in values))
            case ast.BoolOp(values=values):
                return Some(tuple(self.truth(value) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.truth(operand))
            case ast.Compare():
                return self._compare(node)
            case ast.Name(id=name):
                if self._kind(node) == "flag":
                    return Flag(name)
                raise self._error(node, f"{name} is a number; compare it, for example {name} > 0")
            case ast.Constant() | ast.UnaryOp():
                raise self._error(
                    node,
                    f"`{self._source(node)}` alone is no condition; compare a feature with it",
                )
        raise self._refusal(node)

    def _compare(self, node: ast.Compare) -> Test:
        parts: list[Test] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._pair(left, operator, right))
            left = right
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _pair(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Test:
        if isinstance(operator, ast.In | ast.NotIn):
            return self._member(left, isinstance(operator, ast.NotIn), right)
        sign = _OPERATORS.get(type(operator))
        if sign is None:
            raise self._error(right, "write `==` or `!=` instead of `is`")
        first, second = self._operand(left), self._operand(right)
        if not isinstance(first, str) and not isinstance(second, str):
            raise self._error(left, "compares two numbers; one side must be a feature")
        return Compare(first, sign, second)

    def _member(self, left: ast.expr, negated: bool, right: ast.expr) -> Test:
        name = self._operand(left)
        if not isinstance(name, str):
            raise self._error(left, "the left of `in` must be a feature")
        listed = isinstance(right, ast.Tuple | ast.List | ast.Set)
        items = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        if not items or (not listed and not isinstance(right, ast.Constant | ast.UnaryOp)):
            raise self._error(right, "the right of `in` must be a list of numbers, such as (4, 5)")
        return Member(name, tuple(self._number(item) for item in items), negated)

    def _operand(self, node: ast.expr) -> Operand:
        if not isinstance(node, ast.Name):
            return self._number(node)
        if self._kind(node) == "flag":
            raise self._error(
                node,
                f"{node.id} is yes or no; write `{node.id}` or `not {node.id}` without comparing",
            )
        return node.id

    def _number(self, node: ast.expr) -> float:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
                return -self._number(inner)
            case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant() as inner):
                return self._number(inner)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._finite(node, value)
            case ast.Name(id=name):
                raise self._error(
                    node, f"`{name}` stands where a number must; a list has numbers only"
                )
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
        kind = self._names.get(node.id)
        if kind is None:
            hint = near(node.id, self._names) or f"; known: {', '.join(sorted(self._names))}"
            raise self._error(node, f"unknown feature `{node.id}`{hint}")
        self.used.add(node.id)
        return kind

    def _refusal(self, node: ast.expr) -> RuleError:
        match node:
            case ast.BinOp() | ast.UnaryOp():
                problem = "a rule compares, it does not calculate; declare a feature for that"
            case ast.Call():
                problem = "a rule calls no functions"
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
