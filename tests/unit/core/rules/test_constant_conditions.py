"""What a rule says must be possible for features of that type, unit and range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from streams.core.catalogue.loading import CatalogueError
from streams.core.rules import Features, RuleError, check_rule
from tests.support.shops import SHOP, load


@dataclass(frozen=True)
class Made:
    """A feature as far as rules look at it."""

    unit: str
    low: float
    high: float
    kind: str = "number"
    words: Mapping[str, float] = field(default_factory=dict)
    instead: str | None = None


FEATURES: Features = {
    "days_since_purchase": Made("days", 0, 3650),
    "cart_minutes": Made("minutes", 0, 43_200),
    "orders_30d": Made("orders, half-life 30 days", 0, 1e4),
    "orders_lifetime": Made("orders", 0, 1e6),
    "satisfaction": Made("1..5, 0 unknown", 0, 5),
    "preference": Made("-1 dislike .. 1 like", -1, 1),
    "weekend": Made("flag", 0, 1, "flag"),
    "anything": "number",
}


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        # out of the range of one feature
        ("satisfaction > 5", 1, "`satisfaction > 5` never holds: satisfaction is from 0 to 5"),
        ("6 <= satisfaction", 1, "`satisfaction >= 6` never holds"),
        ("weekend and satisfaction == 9", 13, "`satisfaction == 9` never holds"),
        ("not preference < -1", 5, "`preference < -1` never holds: preference is from -1 to 1"),
        ("days_since_purchase >= 0", 1, "always holds, so it drops no customer"),
        ("satisfaction <= 20 or weekend", 1, "always holds, so it drops no customer"),
        ("satisfaction in (4, 6)", 21, "`6` is out of range: satisfaction is from 0 to 5"),
        ("satisfaction not in (-1)", 22, "`-1` is out of range"),
        # several conditions on one feature
        ("5 < days_since_purchase < 3", 1, "`5 < days_since_purchase < 3` never holds"),
        ("weekend and orders_30d > 5 and orders_30d < 2", 1, "never holds: orders_30d is from"),
        ("weekend or orders_30d > 2 or orders_30d < 5", 1, "always holds, so it drops no customer"),
        ("satisfaction == 4 and satisfaction == 5", 1, "never holds"),
        ("weekend and not weekend", 1, "never holds: weekend is yes or no"),
        (
            "weekend or not weekend",
            1,
            "always holds, so it drops no customer: weekend is yes or no",
        ),
        ("anything > 3 and anything < 2", 1, "never holds, whatever anything is"),
        # two features
        ("days_since_purchase > cart_minutes", 1, "(days) with cart_minutes (minutes)"),
        ("orders_30d == orders_30d", 1, "compares orders_30d with itself"),
    ],
)
def test_what_cannot_vary_or_does_not_fit_is_refused(text: str, position: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_rule(text, FEATURES)
    assert said in caught.value.problem
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "days_since_purchase < 3650",
        "days_since_purchase > 0",
        "satisfaction >= 5",
        "satisfaction != 0",
        "satisfaction in (0, 5)",
        "orders_30d > 2 and orders_30d < 2.0001",
        "orders_30d >= 2 and orders_30d <= 2",
        "orders_30d < orders_lifetime",
        "anything > days_since_purchase",
        "weekend and (not weekend or orders_30d > 1)",
    ],
)
def test_what_can_be_true_and_false_is_taken(text: str) -> None:
    assert check_rule(text, FEATURES).text == text


def test_a_rule_knows_the_declarations_of_what_it_reads() -> None:
    rule = check_rule("weekend or anything > 1", FEATURES)
    assert {name: feature.kind for name, feature in rule.features.items()} == {
        "anything": "number",
        "weekend": "flag",
    }


def test_a_senseless_rule_of_a_catalogue_is_named_with_its_line_and_path() -> None:
    text = SHOP.replace("open_tickets == 0", "open_tickets < 0")
    line = 1 + text[: text.index("open_tickets < 0")].count("\n")
    with pytest.raises(CatalogueError) as caught:
        load(text)
    assert caught.value.problems == [
        f"shop.yaml:{line} issues[1].families[0].rules.eligibility[0].no_trouble: at character 1"
        " of `open_tickets < 0`: `open_tickets < 0` never holds: open_tickets is from 0 to 8"
    ]
