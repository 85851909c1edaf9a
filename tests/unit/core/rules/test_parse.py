"""What a rule may say, what it means, and how a wrong one is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.rules import Program, RuleError, check_rule

NAMES = {
    "days_since_purchase": "number",
    "open_tickets": "number",
    "orders_30d": "number",
    "weekend": "flag",
}
COLUMNS: dict[str, NDArray[np.float64]] = {
    "days_since_purchase": np.array([1.0, 14.0, 20.0, np.nan]),
    "open_tickets": np.array([0.0, 1.0, 0.0, 0.0]),
    "orders_30d": np.array([0.5, 2.0, 5.0, 0.0]),
    "weekend": np.array([1.0, 0.0, 0.0, np.nan]),
}
YES, NO = True, False


def truths_of(text: str, columns: dict[str, NDArray[np.float64]]) -> list[bool]:
    """Return where a rule holds, for each row of the columns."""
    program = Program([(check_rule(text, NAMES).tree, 0)])
    height = len(next(iter(columns.values())))
    truths: list[bool] = program.run(columns, slice(0, height))[program.slots[0]].tolist()
    return truths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days_since_purchase > 14", [NO, NO, YES, NO]),
        ("days_since_purchase >= 14 and open_tickets == 0", [NO, NO, YES, NO]),
        ("days_since_purchase < 14 or open_tickets == 1", [YES, YES, NO, NO]),
        ("1 < orders_30d <= 5", [NO, YES, YES, NO]),
        ("5 >= orders_30d > 1", [NO, YES, YES, NO]),
        ("orders_30d < days_since_purchase", [YES, YES, YES, NO]),
        ("orders_30d in (2, 5)", [NO, YES, YES, NO]),
        ("orders_30d not in [2, 5]", [YES, NO, NO, YES]),
        ("open_tickets in (1)", [NO, YES, NO, NO]),
        ("weekend", [YES, NO, NO, NO]),
        ("not weekend", [NO, YES, YES, YES]),
        ("weekend or (open_tickets == 0 and orders_30d > 1)", [YES, NO, YES, NO]),
        ("days_since_purchase > -1.5e1", [YES, YES, YES, NO]),
        ("days_since_purchase > +1_0", [NO, YES, YES, NO]),
        ("  open_tickets\n  == 0  ", [YES, NO, YES, YES]),
    ],
)
def test_a_rule_holds_where_its_text_says(text: str, expected: list[bool]) -> None:
    assert truths_of(text, COLUMNS) == expected


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_an_unknown_value_is_false_and_its_opposite_true(sign: str) -> None:
    unknown = {"orders_30d": np.array([np.nan])}
    assert truths_of(f"orders_30d {sign} 3", unknown) == [False]
    assert truths_of(f"not orders_30d {sign} 3", unknown) == [True]


def test_an_unknown_value_is_neither_in_a_list_nor_outside_it() -> None:
    unknown = {"orders_30d": np.array([np.nan])}
    assert truths_of("orders_30d in (1, 2)", unknown) == [False]
    assert truths_of("orders_30d not in (1, 2)", unknown) == [False]


def test_a_rule_names_the_features_it_reads() -> None:
    rule = check_rule("orders_30d > 1 and not weekend or orders_30d == 0", NAMES)
    assert rule.names == {"orders_30d", "weekend"}


def test_a_rule_over_nobody_is_an_empty_column() -> None:
    nobody: dict[str, NDArray[np.float64]] = {name: np.zeros(0) for name in NAMES}
    assert truths_of("orders_30d in (1, 2) or not weekend and open_tickets != 1", nobody) == []


def test_the_same_text_compiles_to_equal_hashable_conditions() -> None:
    first, second = (check_rule("orders_30d > 1", NAMES) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("orders_30 > 1", 1, "unknown feature `orders_30`; did you mean `orders_30d`?"),
        ("open_tickets == 0 and wekend", 23, "did you mean `weekend`?"),
        ("xyz > 1", 1, "known: days_since_purchase, open_tickets, orders_30d, weekend"),
        ("orders_30d", 1, "is a number; compare it, for example orders_30d > 0"),
        ("not orders_30d", 5, "is a number; compare it"),
        ("weekend == 1", 1, "write `weekend` or `not weekend` without comparing"),
        ("0 < weekend", 5, "without comparing"),
        ("weekend in (0, 1)", 1, "without comparing"),
        ("1 < 2", 1, "compares two numbers"),
        ("0 < 5 < orders_30d", 1, "compares two numbers"),
        ("1", 1, "`1` alone is no condition"),
        ("True", 1, "`True` alone is no condition"),
        ("weekend and orders_30d == True", 27, "`True` is no number"),
        ("orders_30d = 1", 12, "write `==` instead of `=`"),
        ("orders_30d > 1 && weekend", 16, "write `and` instead of `&&`"),
        ("orders_30d > 1 || weekend", 16, "write `or` instead of `||`"),
        ("!weekend", 1, "write `not` instead of `!`"),
        ("orders_30d <> 1", 12, "write `!=` instead of `<>`"),
        ("orders_30d ≥ 1", 12, "write `>=` instead of `≥`"),
        ("weekend AND weekend", 9, "write `and` in small letters"),
        ("orders_30d is 1", 15, "write `==` instead of `is`"),
        ("orders_30d is not 1", 19, "write `!=` instead of `is not`"),
        ("orders_30d less than 14", 12, "write `<` instead of `less than`"),
        ("orders_30d is less than 14", 12, "write `<` instead of `is less than`"),
        ("orders_30d less than or equal to 1", 12, "write `<=` instead of `less than or equal to`"),
        ("orders_30d at least 1 and weekend", 12, "write `>=` instead of `at least`"),
        ("orders_30d no more than 1", 12, "write `<=` instead of `no more than`"),
        ("orders_30d more than 1", 12, "write `>` instead of `more than`"),
        ("orders_30d equals 1", 12, "write `==` instead of `equals`"),
        ("orders_30d less than", 12, "write `<` instead of `less than`"),
        ("orders_30d between 1 and 3", 12, "write `3 <= feature <= 5` instead of `between`"),
        ("orders_30d > 3,5", 1, "a decimal number has a point, as in 3.5"),
        ("orders_30d > 5%", 15, "a rule has no percentages; write 0.05 for 5%"),
        ("orders_30d + 1 > 2", 1, "it does not calculate"),
        ("orders_30d * 2 > 2", 12, "it does not calculate"),
        ("orders_30d > -weekend", 14, "it does not calculate"),
        ("abs(orders_30d) > 1", 1, "calls no functions"),
        ("orders_30d > 'many'", 14, "knows no text in quotes"),
        ("orders_30d.real > 1", 11, "`.` has no meaning"),
        ("orders_30d[0] > 1", 1, "has no meaning"),
        ("weekend if weekend else weekend", 1, "has no meaning"),
        ("[x for x in (1, 2)]", 1, "has no meaning"),
        ("lambda: weekend", 7, "has no meaning"),
        ("(orders_30d > 1) == 1", 2, "a comparison cannot be compared"),
        ("(weekend, weekend)", 1, "belongs after `in`"),
        ("orders_30d in ()", 15, "must be a list of numbers, such as (4, 5)"),
        ("orders_30d in open_tickets", 15, "must be a list of numbers"),
        ("orders_30d in (1, open_tickets)", 19, "a list has numbers only"),
        ("3 in (1, 2)", 1, "the left of `in` must be a feature"),
        ("orders_30d > 1e999", 14, "too large"),
        ("orders_30d > " + "9" * 400, 14, "too large"),
        ("orders_30d > 0x10", 14, "`0x10` is not a number"),
        ("1or weekend", 1, "`1or` is not a number"),
        ("orders_30d > 007", 14, "cannot be read"),
        ("(orders_30d > 1", 1, "never closed"),
        ("orders_30d >", 12, "stops where something must still follow"),
        ("  weekend and not ", 17, "stops where something must still follow"),
        ("weekend weekend", 9, "cannot be read"),
        ("", 1, "the rule is empty"),
        (" \n ", 1, "the rule is empty"),
        ("weekend\x00", 8, "has no meaning"),
        ("weekend # and more", 9, "has no meaning"),
        ("weekend; weekend", 8, "has no meaning"),
        ("wéekend", 2, "has no meaning"),
        ("not " * 200 + "weekend", 501, "split it into several rules"),
    ],
)
def test_a_wrong_rule_is_refused_with_place_and_advice(text: str, position: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_rule(text, NAMES)
    assert said in caught.value.problem
    assert caught.value.position == position
    assert str(caught.value).startswith(f"at character {position}: ")


@pytest.mark.parametrize("text", ["not " * 120 + "weekend", "(" * 245 + "weekend" + ")" * 245])
def test_deep_nesting_compiles_or_is_refused_but_never_breaks(text: str) -> None:
    try:
        truths = truths_of(text, COLUMNS)
    except RuleError:
        return
    assert len(truths) == 4
