"""Treatments in a customer's own words: slots, products, and what an employee is told."""

from __future__ import annotations

import pytest

from schemas.records import OrderLine
from streams.core.decision.customer_brief import customer_brief
from streams.core.state.layout import (
    MAX_PRODUCT_BYTES,
    MAX_TEXT_BYTES,
)
from streams.core.units import (
    DAY_MS,
)
from tests.support.contacts import ADA, Answer, Ways
from tests.support.events import NOON_MS

SHOP = """
name: Words
currency: EUR
holdout_ratio: 0
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: {tea: fine teas, coffee: coffee}
issues:
  - id: words
    purpose: service
    reward: {outcomes: [accept], window_minutes: 1}
    valid_hours: 1
    actions:
      - {id: greet, moments: [browsing], value: 1,
         treatments: [{id: card, channel: web,
                       message: "{name|You}, {product|something}: {next_step|look around}."}]}
      - {id: usual, moments: [order_placed], value: 1,
         treatments: [{id: card, channel: app, items: usual, message: "The usual?"}]}
      - {id: call, moments: [ticket_opened], value: 1,
         treatments: [{id: call, channel: call_center, message: "Call {name|them}."}]}
    families:
      - id: tea
        actions:
          - {id: tea_cart, moments: [searching], value: 1,
             treatments: [{id: card, channel: app, items: cart,
                           message: "Your {family}: {product|still there}"}]}
"""


def shop() -> Ways:
    return Ways("", SHOP)


def said(answer: Answer) -> str:
    assert answer.action is not None
    return answer.action.message


def told(ways: Ways, subject: str, value: str, at_ms: int = NOON_MS) -> None:
    event = ways.feed.profile(ADA, at_ms, "survey_answer", subject=subject, value=value)
    ways.write(event)


def carted(ways: Ways, product: str, at_ms: int, family: str | None = None) -> None:
    event = ways.feed.click(ADA, at_ms, "add_to_cart", product=product, family=family)
    ways.write(event)


def test_a_message_to_somebody_unknown_has_no_hole() -> None:
    assert said(shop().browse(NOON_MS)) == "You, something: look around."


def test_slots_are_filled_with_what_the_customer_told_and_did() -> None:
    ways = shop()
    told(ways, "first_name", "Ada")
    told(ways, "next_step", "ask for a tasting")
    carted(ways, "earl_grey", NOON_MS)
    assert said(ways.browse(NOON_MS + 1)) == "Ada, earl grey: ask for a tasting."


def test_what_was_told_last_is_what_is_said() -> None:
    ways = shop()
    told(ways, "first_name", "Augusta", NOON_MS + 5)
    told(ways, "first_name", "Ada", NOON_MS)
    assert said(ways.browse(NOON_MS + 9)).startswith("Augusta,")


def test_without_consent_to_personalization_every_slot_keeps_its_words() -> None:
    ways = shop()
    told(ways, "first_name", "Ada")
    carted(ways, "earl_grey", NOON_MS, "tea")
    ways.write(ways.feed.consent(ADA, NOON_MS + 1, "personalization", granted=False))
    assert said(ways.browse(NOON_MS + 2)) == "You, something: look around."
    answer = ways.search(NOON_MS + 3)
    assert answer.action is not None
    assert (answer.action.message, answer.action.items) == ("Your fine teas: still there", [])


def test_a_slot_is_never_read_as_a_slot_again() -> None:
    ways = shop()
    told(ways, "first_name", "{next_step|x}")
    told(ways, "next_step", "no")
    assert said(ways.browse(NOON_MS)).startswith("{next_step|x}, ")


def test_markup_in_a_customers_words_is_left_to_the_channel_to_escape() -> None:
    """As the field `message` of the schema says: plain text, escaped for no channel."""
    ways = shop()
    told(ways, "first_name", "<b>Ada</b> & 'Co'")
    assert said(ways.browse(NOON_MS)) == "<b>Ada</b> & 'Co', something: look around."


def test_what_was_too_long_to_be_kept_is_not_shown_in_parts() -> None:
    ways = shop()
    told(ways, "next_step", "x" * (MAX_TEXT_BYTES + 1))
    told(ways, "first_name", "y" * MAX_TEXT_BYTES)
    carted(ways, "p" * (MAX_PRODUCT_BYTES + 1), NOON_MS, "tea")
    assert said(ways.browse(NOON_MS)) == f"{'y' * MAX_TEXT_BYTES}, something: look around."
    answer = ways.search(NOON_MS)
    assert answer.action is not None
    assert answer.action.items == []


def test_the_usual_is_what_was_bought_on_several_days_the_surest_first() -> None:
    ways = shop()
    weekly = [OrderLine("milk", None, 1, 100), OrderLine("bread", "coffee", 1, 100)]
    for day in range(3):
        once = OrderLine(f"once_{day}", "tea", 1, 100)
        lines = weekly[: 2 if day else 1]
        event = ways.feed.order(ADA, NOON_MS + day * DAY_MS, once, *lines)
        (answer,) = ways.write(event)
    assert answer.action is not None
    assert answer.action.items == ["milk", "bread"]
    assert answer.action.quantities == [1.0, 1.0]


def test_the_cart_of_an_action_about_a_family_is_that_familys() -> None:
    ways = shop()
    carted(ways, "cup", NOON_MS, "tea")
    carted(ways, "pot", NOON_MS + 1, "tea")
    carted(ways, "filter", NOON_MS + 2, "coffee")
    answer = ways.search(NOON_MS + 3)
    assert answer.action is not None
    assert answer.action.items == ["pot", "cup"]
    assert answer.action.message == "Your fine teas: pot"


def test_an_employee_reads_what_the_customer_did_worries_first() -> None:
    ways = shop()
    told(ways, "first_name", "Ada")
    ways.write(ways.feed.profile(ADA, NOON_MS, "preference", subject="tea", weight=0.9))
    ways.order(NOON_MS)
    carted(ways, "pot", NOON_MS + 1, "tea")
    ways.ticket(NOON_MS + 2, "rated", satisfaction=2)
    (answer,) = ways.ticket(
        NOON_MS + DAY_MS, severity="high", family="tea", topic="delivery", product="earl_grey"
    )
    assert answer.action is not None
    assert answer.action.message == "Call Ada."
    assert answer.action.history == [
        "open ticket about delivery, earl grey, high, for less than a day",
        "last rated our support 2 of 5",
        "1 order, the latest 1 day ago",
        "told us: likes tea",
        "1 product in the cart",
    ]


def test_without_consent_an_employee_reads_what_concerns_the_contract_only() -> None:
    ways = shop()
    told(ways, "first_name", "Ada")
    ways.write(ways.feed.profile(ADA, NOON_MS, "preference", subject="tea", weight=0.9))
    carted(ways, "pot", NOON_MS, "tea")
    ways.write(ways.feed.consent(ADA, NOON_MS + 1, "personalization", granted=False))
    (answer,) = ways.ticket(NOON_MS + 2)
    assert answer.action is not None
    assert answer.action.message == "Call them."
    assert answer.action.history == [
        "open ticket, normal, for less than a day",
        "has not ordered yet",
    ]


def test_a_channel_without_people_carries_no_history() -> None:
    answer = shop().browse(NOON_MS)
    assert answer.action is not None
    assert answer.action.history == []


@pytest.mark.parametrize("between", ["\r\n", "\x00", "\u2028", "\u202e"])
def test_a_customers_words_add_no_line_to_what_people_read(between: str) -> None:
    ways = shop()
    told(ways, "first_name", f"Ada{between}Bcc: eve")
    assert said(ways.browse(NOON_MS)) == "You, something: look around."
    liked = ways.feed.profile(ADA, NOON_MS, "preference", subject=f"tea{between}x", weight=1.0)
    ways.write(liked)
    ways.write(ways.feed.support(ADA, NOON_MS, "opened", family=f"tea{between}x"))
    lines = customer_brief(ways.state, NOON_MS, True, 30 * DAY_MS)
    assert lines[0].startswith("open ticket, ")
    assert not [line for line in lines if "tea" in line]
