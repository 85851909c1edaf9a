"""Products that go with an action, with how many of each; and what is said of a subscription."""

from __future__ import annotations

import pytest

from schemas.records import OrderLine
from streams.core.catalogue.values import ITEMS, PERSONAL_SLOTS
from streams.core.decision import personalisation
from streams.core.decision.customer_brief import customer_brief
from streams.core.units import DAY_MS
from tests.support.contacts import ADA, Ways
from tests.support.events import NOON_MS
from tests.unit.core.decision.test_treatments import SHOP, said, shop


@pytest.mark.parametrize(
    ("items", "rows"),
    [
        ("usual", 5),
        ("{from: usual}", 5),
        ("{from: usual, rows: 40}", 40),
        ("{from: last_order, rows: 12}", 12),
    ],
)
def test_an_action_has_as_many_products_as_its_treatment_asks_for(items: str, rows: int) -> None:
    ways = Ways("", SHOP.replace("items: usual", f"items: {items}"))
    for day in range(2):
        lines = [OrderLine(f"p{n}", "tea", n + 1, 100) for n in range(45)]
        (answer,) = ways.write(ways.feed.order(ADA, NOON_MS + day * DAY_MS, *lines))
    assert answer.action is not None
    assert len(answer.action.items) == rows
    wanted = [1.0 + int(product[1:]) for product in answer.action.items]
    assert answer.action.quantities == wanted


def test_what_was_bought_twice_long_ago_is_not_usual_beside_what_is_bought_every_week() -> None:
    ways = shop()
    for week in range(20):
        lines = [OrderLine("milk", None, 1, 100)]
        if week < 2:
            lines.append(OrderLine("paint", None, 1, 100))
        if week > 16:
            lines.append(OrderLine("oats", None, 1, 100))
        ways.tick(NOON_MS + week * 7 * DAY_MS - 1)
        (answer,) = ways.write(ways.feed.order(ADA, NOON_MS + week * 7 * DAY_MS, *lines))
    assert answer.action is not None
    assert answer.action.items == ["milk", "oats"]


def test_an_employee_reads_of_a_subscription_and_not_of_a_ticket_long_silent_as_open() -> None:
    ways = shop()
    plan = OrderLine("team_plan", None, 1, 4_900)
    ways.write(ways.feed.order(ADA, NOON_MS, plan, kind="subscription_start", order_id="s"))
    ways.write(ways.feed.support(ADA, NOON_MS, "message", family="tea"))
    lines = customer_brief(ways.state, NOON_MS + 30 * DAY_MS, False, 30 * DAY_MS)
    assert lines == [
        "ticket about tea, last heard of 30 days ago",
        "subscription to team plan, for 30 days",
        "has not ordered yet",
    ]
    ways.write(ways.feed.order(ADA, NOON_MS + DAY_MS, plan, kind="subscription_end", order_id="s"))
    lines = customer_brief(ways.state, NOON_MS + 3 * DAY_MS, False, 30 * DAY_MS)
    assert lines[1] == "subscription to team plan ended 2 days ago"


def test_a_message_may_name_the_plan_of_an_active_subscription() -> None:
    ways = Ways("", SHOP.replace("{name|You}, ", "{plan|Free}: "))
    assert said(ways.browse(NOON_MS)).startswith("Free: ")
    plan = OrderLine("team_plan", None, 1, 4_900)
    ways.write(ways.feed.order(ADA, NOON_MS + 1, plan, kind="subscription_start", order_id="s"))
    assert said(ways.browse(NOON_MS + 2)).startswith("team plan: ")
    ways.write(ways.feed.order(ADA, NOON_MS + 3, plan, kind="subscription_end", order_id="s"))
    assert said(ways.browse(NOON_MS + 4)).startswith("Free: ")


def test_every_slot_and_every_kind_of_items_that_a_catalogue_may_name_is_filled() -> None:
    assert tuple(personalisation.SLOT_SOURCES) == PERSONAL_SLOTS
    assert tuple(personalisation.ITEM_SOURCES) == ITEMS
