"""How far somebody was from passing a rule, in numbers and in words."""

from __future__ import annotations

import math

import pytest

from streams.core.rules import Distance, check_rule, distance
from tests.unit.core.rules.test_constant_conditions import FEATURES

SOMEBODY = {
    "days_since_purchase": 11.0,
    "cart_minutes": 90.0,
    "orders_30d": 2.0,
    "orders_lifetime": 4.0,
    "satisfaction": 1.0,
    "preference": -0.5,
    "weekend": 0.0,
    "anything": math.nan,
}


def far(text: str) -> Distance:
    found = distance(check_rule(text, FEATURES), SOMEBODY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "days_since_purchase > 14",
            "days_since_purchase is 11, needs more than 14 (3 days short)",
        ),
        ("cart_minutes <= 60", "cart_minutes is 90, needs 60 or less (30 minutes over)"),
        ("cart_minutes < 60", "cart_minutes is 90, needs less than 60 (30 minutes over)"),
        ("orders_30d == 0", "orders_30d is 2, needs exactly 0 (2 orders over)"),
        ("orders_30d != 2", "orders_30d is 2, needs anything but 2"),
        ("orders_30d not in (1, 2)", "orders_30d is 2, needs anything but 2"),
        ("orders_30d > 2", "orders_30d is 2, needs more than 2 (at the edge)"),
        ("satisfaction in (4, 5)", "satisfaction is 1, needs exactly 4 (3 short)"),
        ("3 <= satisfaction < 5", "satisfaction is 1, needs 3 or more (2 short)"),
        ("not preference < 0", "preference is -0.5, needs 0 or more (0.5 short)"),
        ("weekend", "weekend is no, needs yes"),
        ("not (not weekend)", "weekend is no, needs yes"),
        ("anything > 3", "anything is not known, needs more than 3"),
        ("orders_30d > orders_lifetime", "orders_30d is 2, needs more than 4 (2 orders short)"),
    ],
)
def test_one_condition_is_told_with_what_is_and_what_must_be(text: str, sentence: str) -> None:
    assert far(text).sentence() == sentence


@pytest.mark.parametrize("text", ["anything <= 30", "not anything > 30"])
def test_the_limit_itself_is_enough_however_far_the_value_is(text: str) -> None:
    # From 200 the float below 30 is as near as 30, by rounding.
    found = distance(check_rule(text, FEATURES), SOMEBODY | {"anything": 200.0})
    assert found is not None
    assert (found.sign, found.needs) == ("<=", 30.0)
    assert found.sentence() == "anything is 200, needs 30 or less (170 over)"


def test_two_numbers_that_differ_are_not_written_alike() -> None:
    found = distance(check_rule("anything <= 30", FEATURES), SOMEBODY | {"anything": 30.00001})
    assert found is not None
    assert found.sentence() == "anything is 30.00001, needs 30 or less (1e-05 over)"


def test_of_several_ways_the_nearest_is_told() -> None:
    assert far("days_since_purchase > 100 or orders_30d > 2.5").feature == "orders_30d"
    assert far("weekend or orders_30d > 2.5").feature == "orders_30d"
    assert far("anything > 1 or weekend").feature == "weekend"


def test_of_several_conditions_the_furthest_is_told_and_the_others_counted() -> None:
    found = far("days_since_purchase > 14 and orders_30d >= 5 and cart_minutes > 60")
    assert (found.feature, found.gap, found.unit, found.more) == ("orders_30d", 3.0, "orders", 1)
    assert found.sentence().endswith("(3 orders short); 1 more must change too")


def test_a_condition_that_holds_already_is_not_told() -> None:
    found = far("cart_minutes > 60 and days_since_purchase > 14")
    assert (found.feature, found.has, found.sign, found.needs) == (
        *("days_since_purchase", 11.0),
        *(">", 14.0),
    )
    assert (found.gap, found.more) == (3.0, 0)


def test_conditions_on_one_feature_are_met_together() -> None:
    assert far("satisfaction in (2, 5) and satisfaction > 3").needs == 5.0


def test_a_change_never_leaves_the_range_of_the_feature() -> None:
    known = SOMEBODY | {"orders_30d": 0.0, "orders_lifetime": 0.0}
    found = distance(check_rule("orders_30d < orders_lifetime", FEATURES), known)
    assert found is not None
    assert (found.feature, found.sign, found.needs) == ("orders_lifetime", ">", 0.0)


def test_who_passes_has_no_distance() -> None:
    assert distance(check_rule("orders_30d > 1", FEATURES), SOMEBODY) is None
    assert distance(check_rule("not anything > 1", FEATURES), SOMEBODY) is None
