"""Subscriptions: whether one is active, on what plan, since when, and what it is worth."""

from __future__ import annotations

from itertools import permutations

import pytest

from schemas.records import OrderLine, Purchase, Tick
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold
from streams.core.folds.merge import merge
from streams.core.state.codec import decode_customer, encode_customer
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    MAX_SUBSCRIPTIONS,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
)
from tests.support.contacts import ADA, Ways
from tests.support.events import NOON_MS, Feed

FEED = Feed()


def told(what: str, day: float, plan: str = "basic", number: str = "s1") -> Purchase:
    line = OrderLine(plan, "plans", 1, 900)
    at_ms = NOON_MS + int(day * DAY_MS)
    return FEED.order("ada", at_ms, line, kind=f"subscription_{what}", order_id=number)


def folded(*events: Purchase) -> CustomerState:
    state = CustomerState()
    for event in events:
        fold(state, event, Timers())
    return state


def summed_up(state: CustomerState) -> tuple[float, float | None, float | None]:
    """Return whether any is active, and the days on which it began and ended."""
    days = [
        (state.number(f"subscription_{name}_ms") - NOON_MS) / DAY_MS
        if state.number(f"subscription_{name}_ms")
        else None
        for name in ("start", "end")
    ]
    return state.number("subscribed"), days[0], days[1]


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ((), (0, None, None)),
        ((told("start", 1),), (1, 1, None)),
        ((told("start", 1), told("change", 31), told("start", 61)), (1, 1, None)),
        ((told("start", 1), told("end", 61)), (0, 1, 61)),
        ((told("start", 1), told("end", 61), told("start", 90)), (1, 90, None)),
        ((told("change", 31),), (1, 31, None)),
        ((told("end", 61),), (0, None, 61)),
        ((told("start", 1), told("start", 5, "music", "s2"), told("end", 9)), (1, 5, None)),
        ((told("start", 1), told("start", 1, "music", "s2")), (1, 1, None)),
        ((told("start", 9), told("end", 9)), (0, 9, 9)),
    ],
)
def test_whether_a_customer_subscribes_and_since_when(
    events: tuple[Purchase, ...], wanted: tuple[float, float | None, float | None]
) -> None:
    assert summed_up(folded(*events)) == wanted


@pytest.mark.parametrize("arrival", list(permutations(range(4))))
def test_it_does_not_depend_on_the_order_of_arrival(arrival: tuple[int, ...]) -> None:
    events = [told("start", 1), told("change", 31, "pro"), told("end", 61), told("start", 90)]
    state = folded(*(events[place] for place in arrival))
    assert summed_up(state) == (1, 90, None)
    (known,) = state.subscriptions.values()
    assert known.plan == "basic"


def test_the_plan_is_the_latest_that_was_told() -> None:
    state = folded(told("start", 1), told("change", 31, "pro"), told("end", 61, "pro"))
    assert [each.plan for each in state.subscriptions.values()] == ["pro"]


def test_a_subscription_that_ended_makes_room_before_an_active_one() -> None:
    numbers = range(MAX_SUBSCRIPTIONS)
    events = [told("start", number, f"plan{number}", f"s{number}") for number in numbers]
    state = folded(*events, told("end", 9, "plan2", "s2"), told("start", 10, "new", "s9"))
    plans = {each.plan for each in state.subscriptions.values()}
    assert plans == {"plan0", "plan1", "plan3", "new"}
    assert decode_customer(encode_customer(state)) == state


def test_a_renewal_and_an_end_are_no_sign_of_life() -> None:
    state = folded(told("start", 1), told("change", 31), told("end", 61))
    assert state.number("latest_seen") == NOON_MS + DAY_MS


def test_subscriptions_of_two_identities_are_those_of_one_person() -> None:
    a = folded(told("start", 1), told("change", 31, "pro"))
    b = folded(told("end", 61, "pro"), told("start", 40, "music", "s2"))
    one, other = merge(a, b), merge(b, a)
    assert one == other
    assert summed_up(one) == (1, 40, None)
    assert {each.plan: each.is_active for each in one.subscriptions.values()} == {
        "pro": False,
        "music": True,
    }


def test_erasure_forgets_a_subscription() -> None:
    state = folded(told("start", 1))
    fold(state, FEED.profile("ada", NOON_MS + 2 * DAY_MS, "erasure"), Timers())
    assert (state.subscriptions, state.number("subscribed")) == ({}, 0)


SHOP = """
name: Plans
currency: EUR
holdout_ratio: HOLDOUT
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: [plans, films]
issues:
  - id: selling
    purpose: marketing
    valid_hours: 1
    actions:
      - {id: try_it, moments: [browsing], value: 1, reward: {REWARD, window_hours: 5},
         rules: {eligibility: [is_new: "not subscribed and not subscription_ended"]},
         treatments: [{id: card, channel: web, message: "Try it"}]}
      - {id: welcome_back, moments: [browsing], value: 1, reward: {REWARD, window_hours: 5},
         rules: {eligibility: [left: subscription_ended and days_since_subscription_end < 30]},
         treatments: [{id: card, channel: web, message: "Back?"}]}
      - {id: longer, moments: [browsing], value: 1, reward: {REWARD, window_hours: 5},
         rules: {eligibility: [stays: subscribed and days_since_subscription_start >= 10]},
         treatments: [{id: card, channel: web, message: "By the year?"}]}
"""


def ways(reward: str = "subscription: true", holdout: str = "0") -> Ways:
    return Ways("", SHOP.replace("REWARD", reward).replace("HOLDOUT", holdout))


def test_rules_may_ask_for_the_status_and_since_when() -> None:
    shop = ways()
    assert shop.browse(NOON_MS).chosen == "try_it"
    shop.write(told("start", 1))
    assert shop.browse(NOON_MS + 2 * DAY_MS).chosen == "no_action"
    assert shop.browse(NOON_MS + 12 * DAY_MS).chosen == "longer"
    shop.write(told("end", 13))
    assert shop.browse(NOON_MS + 14 * DAY_MS).chosen == "welcome_back"
    assert shop.browse(NOON_MS + 44 * DAY_MS).chosen == "no_action"


@pytest.mark.parametrize(
    ("what", "reward", "label", "converted"),
    [
        ("subscription_start", "subscription: true", 1.0, True),
        ("subscription_change", "subscription: true", 1.0, True),
        ("subscription_end", "subscription: true", 0.0, False),
        ("order", "subscription: true", 0.0, True),
        ("subscription_start", "family_purchase: true", 0.0, False),
        ("order", "family_purchase: true, subscription: true", 1.0, True),
    ],
)
@pytest.mark.parametrize("holdout", ["0", "0.5"])
def test_a_start_and_a_renewal_are_rewards_where_they_are_named_in_every_arm(
    what: str, reward: str, label: float, converted: bool, holdout: str
) -> None:
    shop = ways(reward, holdout)
    shop.browse(NOON_MS)
    line = OrderLine("basic", "plans", 1, 900)
    shop.write(shop.feed.order(ADA, NOON_MS + HOUR_MS, line, kind=what))
    out = shop.log.play([(10_000, Tick(NOON_MS + 6 * HOUR_MS))])
    (lesson,) = out.lessons
    assert (lesson.label, lesson.converted) == (label, converted)
    assert lesson.spent_minor == (900 if converted else 0)


def test_a_renewal_about_another_family_is_no_reward() -> None:
    of_films = """    families:
      - id: films
        actions:
          - {id: try_it, moments: [browsing], value: 1,
             reward: {subscription: true, window_hours: 5},
             treatments: [{id: card, channel: web, message: "Try it"}]}
"""
    head = SHOP.replace("HOLDOUT", "0").split("    actions:")[0]
    shop = Ways("", head + of_films)
    shop.browse(NOON_MS)
    line = OrderLine("basic", "plans", 1, 900)
    shop.write(shop.feed.order(ADA, NOON_MS + HOUR_MS, line, kind="subscription_start"))
    (lesson,) = shop.log.play([(10_000, Tick(NOON_MS + 6 * HOUR_MS))]).lessons
    assert (lesson.label, lesson.converted) == (0.0, False)
