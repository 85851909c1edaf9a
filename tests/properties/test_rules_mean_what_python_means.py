"""A compiled rule is a plain row-by-row evaluation of its text, for every text and column."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.rules import RuleError, compile_rule

NUMBERS = ("views", "orders", "days")
FLAGS = ("weekend", "known")
NAMES = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(FLAGS, "flag")

Row = Mapping[str, float]
Meaning = Callable[[Row], bool]
Ruled = tuple[str, Meaning]

SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
# Few values, so that equality is met often.
values = st.sampled_from([-2.5, -1.0, 0.0, 1.0, 2.0, 3.5, 1e9])


def known(*numbers: float) -> bool:
    return all(number == number for number in numbers)


@st.composite
def chains(draw: st.DrawFn) -> Ruled:
    """`operand sign operand sign operand`, where no two neighbours are numbers."""
    length = draw(st.integers(1, 3))
    names = [draw(st.sampled_from(NUMBERS)) for _ in range(length + 1)]
    literal_at = draw(st.sampled_from([None, 0, 1]))
    literals = {
        place: draw(values)
        for place in range(length + 1)
        if literal_at is not None and place % 2 == literal_at
    }
    signs = [draw(st.sampled_from(sorted(SIGNS))) for _ in range(length)]
    words = [repr(literals[i]) if i in literals else name for i, name in enumerate(names)]
    text = words[0] + "".join(f" {s} {w}" for s, w in zip(signs, words[1:], strict=True))

    def meaning(row: Row) -> bool:
        seen = [literals.get(i, row[name]) for i, name in enumerate(names)]
        return all(
            known(left, right) and SIGNS[sign](left, right)
            for left, sign, right in zip(seen, signs, seen[1:], strict=False)
        )

    return text, meaning


@st.composite
def members(draw: st.DrawFn) -> Ruled:
    name = draw(st.sampled_from(NUMBERS))
    listed = draw(st.lists(values, min_size=1, max_size=4))
    wanted = draw(st.booleans())
    word = "in" if wanted else "not in"

    def meaning(row: Row) -> bool:
        return known(row[name]) and (row[name] in listed) == wanted

    return f"{name} {word} [{', '.join(map(repr, listed))}]", meaning


def flag(name: str) -> Ruled:
    return name, lambda row: known(row[name]) and row[name] != 0


def joined(children: st.SearchStrategy[Ruled]) -> st.SearchStrategy[Ruled]:
    def negated(part: Ruled) -> Ruled:
        return f"not ({part[0]})", lambda row: not part[1](row)

    def both(first: Ruled, second: Ruled) -> Ruled:
        return f"({first[0]}) and ({second[0]})", lambda row: first[1](row) and second[1](row)

    def either(first: Ruled, second: Ruled) -> Ruled:
        return f"({first[0]}) or ({second[0]})", lambda row: first[1](row) or second[1](row)

    return st.one_of(
        st.builds(negated, children),
        st.builds(both, children, children),
        st.builds(either, children, children),
    )


rules = st.recursive(
    st.one_of(chains(), members(), st.sampled_from(FLAGS).map(flag)), joined, max_leaves=6
).filter(lambda rule: len(rule[0]) <= 500)
cells = st.one_of(values, st.floats(allow_nan=True, allow_infinity=True, width=64))
finite_cells = st.one_of(values, st.floats(allow_nan=False, allow_infinity=False))


def tables(cell: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, NDArray[np.float64]]]:
    return st.integers(0, 5).flatmap(
        lambda height: st.fixed_dictionaries(
            {
                name: st.lists(cell, min_size=height, max_size=height).map(
                    lambda column: np.array(column, np.float64)
                )
                for name in NAMES
            }
        )
    )


def rows_of(columns: Mapping[str, NDArray[np.float64]]) -> list[dict[str, float]]:
    height = len(next(iter(columns.values())))
    return [{name: float(columns[name][i]) for name in columns} for i in range(height)]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rules, tables(cells))
def test_a_wave_gets_what_each_row_gets_alone(
    rule: Ruled, columns: dict[str, NDArray[np.float64]]
) -> None:
    text, meaning = rule
    truths = compile_rule(text, NAMES).holds(columns)
    assert truths.dtype == np.bool_
    assert truths.tolist() == [meaning(row) for row in rows_of(columns)]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rules, tables(finite_cells))
def test_for_known_values_a_rule_means_what_python_means_by_it(
    rule: Ruled, columns: dict[str, NDArray[np.float64]]
) -> None:
    text, _ = rule
    scope: dict[str, Any] = {"__builtins__": {}}
    expected = [bool(eval(text, scope, row)) for row in rows_of(columns)]  # our own text
    assert compile_rule(text, NAMES).holds(columns).tolist() == expected


words = st.sampled_from(
    [*NAMES, "and", "or", "not", "in", "is", "if", "lambda", "(", ")", "[", "]", ",", "<", "<=",
     "==", "!=", "=", "1", "2.5", "-", "+", "1e999", "True", "None", ".", ":", "'", "\\", "\n", "{"]
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.one_of(st.lists(words, max_size=12).map(" ".join), st.text(max_size=40)))
def test_any_text_is_a_rule_or_is_refused(text: str) -> None:
    refusal: RuleError | None = None
    try:
        rule = compile_rule(text, NAMES)
    except RuleError as error:
        refusal = error
    if refusal is None:
        assert rule.holds({name: np.ones(3) for name in NAMES}).shape == (3,)
    else:
        assert refusal.problem
        assert 1 <= refusal.position <= max(1, len(text))
