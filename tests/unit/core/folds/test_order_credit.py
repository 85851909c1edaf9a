"""Returns: what comes back before a decision is settled takes its reward and its money along."""

from __future__ import annotations

import msgspec
import pytest

from schemas.records import Lesson, OrderLine, Purchase, Tick
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.layout import (
    MAX_CREDITED_ORDERS,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
)
from tests.support.contacts import ADA, Answer, Ways
from tests.support.events import NOON_MS

SHOP = """
name: Returns
currency: EUR
holdout_ratio: 0
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: [tea]
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [accept], family_purchase: true, window_days: 3}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: offer_tea, moments: [browsing], value: 1,
             treatments: [{id: shelf, channel: web, message: "Tea"}]}
    actions:
      - {id: offer_anything, moments: [searching], value: 1,
         treatments: [{id: shelf, channel: web, message: "Anything"}]}
"""
POTS = OrderLine("pot", "tea", 3.0, 1_000)
CUP = OrderLine("cup", "cups", 1.0, 500)


class Till:
    """Ada sees an offer, orders, and brings things back; then her decision is settled."""

    def __init__(self, offer: str = "browse") -> None:
        self.ways = Ways("", SHOP)
        self.answer: Answer = getattr(self.ways, offer)(NOON_MS)
        self._at_ms = NOON_MS + HOUR_MS

    def say(self, kind: str, order_id: str, *lines: OrderLine) -> None:
        self._at_ms += HOUR_MS
        event: Purchase = self.ways.feed.order(ADA, self._at_ms, *lines, kind=kind)
        self.ways.write(msgspec.structs.replace(event, order_id=order_id))

    def lesson(self) -> Lesson:
        state = self.ways.state
        assert decode_customer(encode_customer(state)) == state
        self.ways.log.restart()
        out = self.ways.log.play([(10_000, Tick(NOON_MS + 9 * DAY_MS))])
        (found,) = (x for x in out.lessons if x.decision_id == self.answer.decision.decision_id)
        return found

    def told(self) -> tuple[float, bool, int]:
        lesson = self.lesson()
        return lesson.label, lesson.converted, lesson.spent_minor


@pytest.mark.parametrize("kind", ["return", "refund"])
def test_a_returned_order_takes_its_reward_its_conversion_and_its_spend_along(kind: str) -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say(kind, "o1", POTS)
    assert till.told() == (0.0, False, 0)


def test_an_order_that_stays_is_told_as_ever() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("return", "another order", POTS)
    assert till.told() == (1.0, True, 3_000)


def test_a_part_that_comes_back_reduces_the_spend() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("return", "o1", OrderLine("pot", "tea", 1.0, 1_000))
    assert till.told() == (1.0, True, 2_000)


def test_part_after_part_until_nothing_is_left() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    for _ in range(3):
        till.say("return", "o1", OrderLine("pot", "tea", 1.0, 1_000))
    assert till.told() == (0.0, False, 0)


def test_a_parcel_and_its_money_are_one_thing_that_came_back() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("return", "o1", OrderLine("pot", "tea", 1.0, 1_000))
    till.say("refund", "o1", OrderLine("pot", "tea", 1.0, 1_000))
    assert till.told() == (1.0, True, 2_000)


def test_money_given_back_for_goodwill_leaves_the_order() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("refund", "o1", OrderLine("pot", "tea", 3.0, 100))
    assert till.told() == (1.0, True, 2_700)


def test_only_lines_about_the_decision_count_on_the_way_back_too() -> None:
    till = Till()
    till.say("order", "o1", POTS, CUP)
    till.say("return", "o1", CUP)
    assert till.told() == (1.0, True, 3_000)


@pytest.mark.parametrize("lines", [(CUP,), (OrderLine("cup", None, 1.0, 500),)])
def test_a_decision_about_no_family_counts_every_line(lines: tuple[OrderLine, ...]) -> None:
    till = Till("search")
    till.say("order", "o1", POTS, CUP)
    till.say("return", "o1", *lines)
    assert till.told() == (1.0, True, 3_000)


def test_a_return_that_names_no_family_counts_where_the_whole_order_was_credited() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("return", "o1", OrderLine("pot", None, 3.0, 1_000))
    assert till.told() == (0.0, False, 0)


@pytest.mark.parametrize("tea_first", [True, False])
@pytest.mark.parametrize("family", ["cups", None])
def test_of_an_order_with_an_event_for_each_line_another_line_takes_nothing_along(
    family: str | None, tea_first: bool
) -> None:
    till = Till()
    for line in (POTS, CUP) if tea_first else (CUP, POTS):
        till.say("order", "o1", line)
    till.say("return", "o1", OrderLine("cup", family, 9.0, 500))
    assert till.told() == (1.0, True, 3_000)


def test_of_an_order_with_an_event_for_each_line_its_own_line_takes_all_along() -> None:
    till = Till()
    for line in (POTS, CUP):
        till.say("order", "o1", line)
    till.say("return", "o1", OrderLine("pot", None, 3.0, 1_000))
    assert till.told() == (0.0, False, 0)


def test_a_product_that_is_not_remembered_is_no_line_of_a_decision_about_some_of_the_order() -> (
    None
):
    till = Till()
    for line in (POTS, CUP):
        till.say("order", "o1", line)
    till.ways.state.products.clear()
    till.say("return", "o1", OrderLine("cup", None, 9.0, 500))
    assert till.told() == (1.0, True, 3_000)


def test_what_was_answered_otherwise_stays_rewarded() -> None:
    till = Till()
    till.ways.answers(till.answer, "accept", NOON_MS + 1)
    till.say("order", "o1", POTS)
    till.say("return", "o1", POTS)
    assert till.told() == (1.0, False, 0)


def test_another_order_keeps_the_reward() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    till.say("order", "o2", OrderLine("leaf", "tea", 1.0, 400))
    till.say("return", "o1", POTS)
    assert till.told() == (1.0, True, 400)


def test_what_was_given_for_nothing_comes_back_by_the_piece() -> None:
    till = Till()
    till.say("order", "o1", OrderLine("sample", "tea", 2.0, 0))
    till.say("refund", "o1", OrderLine("sample", "tea", 1.0, 0))
    till.say("return", "o1", OrderLine("sample", "tea", 1.0, 0))
    assert till.told() == (0.0, False, 0)


def test_what_is_settled_stays_settled() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    assert till.told() == (1.0, True, 3_000)
    till.say("return", "o1", POTS)
    assert not till.ways.state.pending


def test_only_the_latest_orders_are_remembered_and_the_earlier_ones_are_taken_to_stay() -> None:
    till = Till()
    for number in range(MAX_CREDITED_ORDERS + 1):
        till.say("order", f"o{number}", POTS)
    assert len(till.ways.state.pending[0].orders) == MAX_CREDITED_ORDERS
    for number in range(MAX_CREDITED_ORDERS + 1):
        till.say("return", f"o{number}", POTS)
    assert till.told() == (1.0, True, 3_000)


def test_a_decision_of_the_release_before_keeps_what_it_was_credited_with() -> None:
    """Its orders were not listed, so what comes back of them is not known."""
    till = Till()
    till.say("order", "o1", POTS)
    pending = till.ways.state.pending[0]
    pending.orders, pending.lasting = [], 0
    till.say("order", "o2", OrderLine("leaf", "tea", 1.0, 400))
    till.say("return", "o1", POTS)
    till.say("return", "o2", OrderLine("leaf", "tea", 1.0, 400))
    assert till.told() == (1.0, True, 3_000)


def test_what_was_paid_in_another_currency_converts_and_adds_no_money_on_either_way() -> None:
    till = Till()
    till.say("order", "o1", POTS)
    event: Purchase = till.ways.feed.order(ADA, NOON_MS + 5 * HOUR_MS, POTS)
    abroad = msgspec.structs.replace(event, order_id="o2", currency="JPY")
    till.ways.write(abroad)
    till.say("return", "o2", POTS)
    assert [each.counted for each in till.ways.state.pending[0].orders] == [True]
    assert till.told() == (1.0, True, 3_000)
