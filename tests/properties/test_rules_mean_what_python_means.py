"""Rules compiled together are each a plain row-by-row evaluation of their text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.rules import Condition, Program, RuleError, check_rule
from streams.core.rules.tree import holds

NUMBERS = ("views", "orders", "days", "interest", "due")
FLAGS = ("weekend", "known")
NAMES = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(FLAGS, "flag")
BY_ACTION = ("interest", "due", "known")
ACTIONS = 3

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
    names = draw(st.permutations(NUMBERS))[: length + 1]
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


def compiled(text: str) -> Condition:
    """Compile a rule that was drawn; one that can only be true or only false is drawn again."""
    try:
        return check_rule(text, NAMES)
    except RuleError as error:
        assume("holds" not in error.problem)
        raise


def run(
    rules: list[Ruled], columns: Mapping[str, NDArray[np.float64]], rows: slice
) -> list[list[bool]]:
    """Return where each of the rules holds, compiled into one program."""
    program = Program([(compiled(text).tree, 0) for text, _ in rules])
    truths = program.run(columns, rows)
    assert truths.dtype == np.bool_
    answers: list[list[bool]] = truths[program.slots].tolist()
    return answers


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rules, tables(cells))
def test_a_wave_gets_what_each_row_gets_alone(
    rule: Ruled, columns: dict[str, NDArray[np.float64]]
) -> None:
    text, meaning = rule
    rows = rows_of(columns)
    assert run([rule], columns, slice(0, len(rows))) == [[meaning(row) for row in rows]]
    assert [holds(compiled(text).tree, row) for row in rows] == [meaning(row) for row in rows]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rules, tables(finite_cells))
def test_for_known_values_a_rule_means_what_python_means_by_it(
    rule: Ruled, columns: dict[str, NDArray[np.float64]]
) -> None:
    text, _ = rule
    scope: dict[str, Any] = {"__builtins__": {}}
    expected = [bool(eval(text, scope, row)) for row in rows_of(columns)]  # our own text
    assert run([rule], columns, slice(0, len(expected))) == [expected]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(rules, min_size=1, max_size=6), tables(cells), st.data())
def test_rules_that_share_slots_mean_what_they_mean_alone_in_any_part_of_a_wave(
    many: list[Ruled], columns: dict[str, NDArray[np.float64]], data: st.DataObject
) -> None:
    rows = rows_of(columns)
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    expected = [[meaning(row) for row in rows[start:stop]] for _, meaning in many]
    assert run(many, columns, slice(start, stop)) == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(rules, st.integers(0, ACTIONS - 1)), min_size=1, max_size=6),
    st.lists(tables(cells), min_size=ACTIONS, max_size=ACTIONS),
)
def test_a_rule_over_action_features_sees_the_action_it_is_asked_for(
    asked: list[tuple[Ruled, int]], by_action: list[dict[str, NDArray[np.float64]]]
) -> None:
    height = min(len(columns["views"]) for columns in by_action)
    columns = {name: column[:height] for name, column in by_action[0].items()}
    columns |= {
        name: np.stack([seen[name][:height] for seen in by_action], axis=1) for name in BY_ACTION
    }
    program = Program([(compiled(text).tree, action) for (text, _), action in asked], BY_ACTION)
    truths = program.run(columns, slice(0, height))[program.slots]
    for ((_, meaning), action), found in zip(asked, truths.tolist(), strict=True):
        seen = [
            {
                name: float(column[row] if column.ndim == 1 else column[row, action])
                for name, column in columns.items()
            }
            for row in range(height)
        ]
        assert found == [meaning(row) for row in seen]


words = st.sampled_from(
    [*NAMES, "and", "or", "not", "in", "is", "if", "lambda", "(", ")", "[", "]", ",", "<", "<=",
     "==", "!=", "=", "1", "2.5", "-", "+", "1e999", "True", "None", ".", ":", "'", "\\", "\n", "{"]
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.one_of(st.lists(words, max_size=12).map(" ".join), st.text(max_size=40)))
def test_any_text_is_a_rule_or_is_refused(text: str) -> None:
    refusal: RuleError | None = None
    try:
        rule = check_rule(text, NAMES)
    except RuleError as error:
        refusal = error
    if refusal is None:
        assert holds(rule.tree, dict.fromkeys(NAMES, 1.0)) in (True, False)
    else:
        assert refusal.problem
        assert 1 <= refusal.position <= max(1, len(text))
