"""Money: the minor units of each currency, and the currency that a catalogue may name."""

from __future__ import annotations

from dataclasses import replace as replace_field

import pytest
from msgspec.structs import replace

from models.evaluation.experiment import Experiment
from models.evaluation.ledger import OVERALL, TREATED
from models.evaluation.uplift_estimate import conversion_rate, value_rate
from schemas.records import Lesson, OrderLine, Purchase, Tick, TimelineRecord
from streams.analysis.state_view import view
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Timers
from streams.core.engine.engine import Outputs
from streams.core.features.definitions import FEATURES
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.money import (
    MINOR_DIGITS,
    currency_number,
    currency_of,
    format_major,
    format_minor,
    minor_digits,
    minor_per_major,
)
from streams.core.rules import check_rule, distance
from streams.core.state.customer import CustomerState
from streams.core.state.layout import FAMILY
from streams.core.units import DAY_MS
from tests.support.contacts import ADA
from tests.support.contacts import SHOP as WAYS
from tests.support.events import NOON_MS, Feed, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, load

LESSON = Lesson(
    model="m",
    action="offer",
    family=None,
    issue="sell",
    decision_id="",
    feature_version="f",
    features=[],
    label=1.0,
    action_probability=1.0,
    decided_at_ms=NOON_MS,
    settled_at_ms=NOON_MS,
    converted=True,
    first=7,
)


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("XOF", 0), ("KWD", 3), ("CLF", 4)]
)
def test_a_currency_has_the_minor_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
    assert minor_per_major(currency) == 10**digits


def test_an_amount_is_shown_with_its_currency() -> None:
    assert format_minor(123_456, "EUR") == "1,234.56 EUR"
    assert format_minor(123_456, "JPY") == "123,456 JPY"
    assert format_minor(123_456, "KWD") == "123.456 KWD"
    assert format_major(4.5, "USD") == "4.50 USD"


@pytest.mark.parametrize("code", ["eur", "XAU", "", "EURO"])
def test_what_is_no_money_has_no_minor_units(code: str) -> None:
    with pytest.raises(ValueError, match="no currency code of ISO 4217"):
        minor_digits(code)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("GPB", "currency: `GPB` is no currency of ISO 4217; did you mean `GBP`?"),
        ("XAU", "currency: `XAU` is no currency of ISO 4217"),
        ("eur", "currency: `eur` is no currency code; write three capitals"),
    ],
)
def test_a_catalogue_in_an_unknown_currency_is_refused(written: str, said: str) -> None:
    line = SHOP[: SHOP.index("currency:")].count("\n") + 1
    with pytest.raises(CatalogueError) as refused:
        load(SHOP.replace("currency: EUR", f"currency: {written}"))
    assert f":{line} {said}" in str(refused.value)


def order(
    feed: Feed, at_ms: int, currency: str, *lines: OrderLine, kind: str = "order"
) -> Purchase:
    return replace(feed.order(ADA, at_ms, *lines, kind=kind), currency=currency)


class Till:
    """Ada's orders under the small shop, in whatever currency they come."""

    def __init__(self, *currencies: str) -> None:
        self.catalogues = [
            load(WAYS.replace("currency: EUR", f"currency: {c}")) for c in currencies
        ]
        self.feed, self.log, self.end = Feed(), Log(MemoryVersions(*self.catalogues)), 0
        self.write(use(self.catalogues[0]))

    @property
    def state(self) -> CustomerState:
        return self.log.store.states[ADA]

    def write(self, record: TimelineRecord) -> Outputs:
        self.end += 1
        return self.log.play([(self.end, record)])


def test_an_order_in_another_currency_counts_and_adds_no_money() -> None:
    till = Till("EUR")
    till.write(order(till.feed, NOON_MS, "EUR", OrderLine("pot", "tea", 2.0, 450)))
    out = till.write(
        order(till.feed, NOON_MS + DAY_MS, "JPY", OrderLine("cup", "tea", 1.0, 90_000))
    )
    refund = order(till.feed, NOON_MS + DAY_MS, "JPY", kind="refund")
    out.notes += till.write(refund).notes
    state = till.state
    assert (state.number("total_orders"), state.number("total_refunds")) == (2, 1)
    assert (state.number("total_spend"), state.number("refund_spend_30d")) == (900, 0)
    assert state.families["tea"][FAMILY["order_days"]] == 2
    assert set(state.products) == {"pot", "cup"}
    assert out.notes["folded_without_money"] == 2
    assert out.notes["folded"] == 0
    shown = view(state, NOON_MS + DAY_MS)
    assert (shown["currency"], shown["totals"]["spend"]) == ("EUR", 900)


def test_sums_begin_again_when_a_business_changes_its_currency() -> None:
    till = Till("EUR", "JPY")
    till.write(order(till.feed, NOON_MS, "EUR", OrderLine("pot", "tea", 2.0, 450)))
    till.write(order(till.feed, NOON_MS, "EUR", kind="refund"))
    till.write(use(till.catalogues[1]))
    till.write(order(till.feed, NOON_MS + DAY_MS, "EUR", OrderLine("pot", "tea", 2.0, 450)))
    assert till.state.number("total_spend") == 900
    till.write(order(till.feed, NOON_MS + 2 * DAY_MS, "JPY", OrderLine("pot", "tea", 1.0, 611)))
    till.log.restart()
    state = till.state
    assert (state.number("total_spend"), state.number("total_orders")) == (611, 3)
    assert state.number("refund_spend_1d") == 0
    assert view(state, NOON_MS + 2 * DAY_MS)["families"]["tea"]["spend_30d"] == 611
    assert currency_of(state.number("spend_currency")) == "JPY"


def test_what_a_decision_brought_is_in_one_currency() -> None:
    till = Till("EUR", "JPY")
    till.write(till.feed.click(ADA, NOON_MS, "view"))
    till.write(order(till.feed, NOON_MS + 1_000, "EUR", OrderLine("pot", "tea", 1.0, 450)))
    till.write(use(till.catalogues[1]))
    till.write(order(till.feed, NOON_MS + 2_000, "JPY", OrderLine("pot", "tea", 1.0, 611)))
    lessons = till.write(Tick(NOON_MS + 3 * DAY_MS)).lessons
    spent = {(lesson.spent_minor, lesson.currency) for lesson in lessons if lesson.converted}
    # The shelf was answered before the change, the letter that followed only after it.
    assert spent == {(450, "EUR"), (611, "JPY")}


def test_an_identity_that_ordered_in_another_currency_brings_no_money_into_a_merge() -> None:
    feed, old, new = Feed(), CustomerState(), CustomerState()
    fold(old, order(feed, NOON_MS, "EUR", OrderLine("pot", "tea", 1.0, 450)), Timers())
    fold(new, order(feed, NOON_MS, "JPY", OrderLine("pot", "tea", 1.0, 611)), Timers())
    one = merge(old, new)
    assert one == merge(new, old)
    assert (one.number("total_spend"), one.number("total_orders")) == (611, 2)
    assert currency_of(one.number("spend_currency")) == "JPY"
    assert old.number("total_spend") == 450


def test_an_uplift_counts_the_money_of_one_currency() -> None:
    experiment = Experiment(currency="EUR")
    for place, (currency, spent) in enumerate([("EUR", 450), ("JPY", 90_000), ("", 0)]):
        made = replace(LESSON, decision_id=f"{place:024x}", currency=currency, spent_minor=spent)
        experiment.see(made)
    sums = experiment.ledger.sums(OVERALL, TREATED)
    assert (value_rate(sums).mean, conversion_rate(sums).conversions) == (150, 3)
    assert experiment.other_currencies == {"JPY": 1}


def test_what_was_lacking_is_told_in_the_catalogues_currency() -> None:
    far = distance(check_rule("spend_30d >= 10000", FEATURES), {"spend_30d": 4_250.0})
    assert far is not None
    told = replace_field(far, currency="EUR").sentence()
    assert told == "spend_30d is 42.50 EUR, needs 100.00 EUR or more (57.50 EUR short)"
    told = replace_field(far, currency="JPY").sentence()
    assert told == "spend_30d is 4,250 JPY, needs 10,000 JPY or more (5,750 JPY short)"


@pytest.mark.parametrize("code", sorted(MINOR_DIGITS))
def test_a_currency_is_kept_as_a_number_of_its_own(code: str) -> None:
    assert currency_of(currency_number(code)) == code
