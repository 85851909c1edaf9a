"""What each kind of event changes in a customer's state."""

from __future__ import annotations

from itertools import permutations
from struct import pack

import pytest

from schemas.records import CustomerEvent, OrderLine
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold, repeat_of
from streams.core.state.customer import CustomerState
from streams.core.state.decay import (
    ERA_MS,
    FAMILY_SUM_SLOTS,
    SUM_SLOTS,
    decayed_value,
    landmark_weights,
)
from streams.core.state.layout import (
    ERA_HALF_LIVES,
    FAMILY,
    HALF_LIVES_MS,
    HEAD,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
)
from tests.support.events import NOON_MS, Feed

TIMERS = Timers(cart_left_ms=30 * MINUTE_MS, gone_quiet_ms=10 * DAY_MS)


def folded(*events: CustomerEvent, state: CustomerState | None = None) -> CustomerState:
    state = state or CustomerState()
    for event in events:
        fold(state, event, TIMERS)
    return state


def sum_of(state: CustomerState, name: str, number: int, at_ms: int) -> float:
    half_life = ("1h", "1d", "30d")[number]
    era = state.number(f"era_{half_life}")
    return decayed_value(state.number(f"{name}_{half_life}"), era, number, at_ms)


def test_a_sum_halves_with_each_half_life() -> None:
    state = folded(Feed().click("ada", NOON_MS))
    for number, half_life_ms in enumerate(HALF_LIVES_MS):
        assert sum_of(state, "views", number, NOON_MS) == pytest.approx(1.0)
        assert sum_of(state, "views", number, NOON_MS + half_life_ms) == pytest.approx(0.5)


def test_what_just_happened_is_worth_a_whole_number_at_any_time() -> None:
    """A rule may ask for one view, or for money of a round amount."""
    for ms in range(0, 70 * DAY_MS, 70 * DAY_MS // 997):
        at_ms, feed = NOON_MS + ms, Feed()
        state = folded(
            feed.click("ada", at_ms), feed.order("ada", at_ms, OrderLine("p", None, 5, 999))
        )
        for number in range(len(HALF_LIVES_MS)):
            assert sum_of(state, "views", number, at_ms) == 1.0
            assert sum_of(state, "spend", number, at_ms) == 4_995.0


def test_moving_a_landmark_keeps_sums_exactly() -> None:
    state = folded(Feed().click("ada", NOON_MS, family="tea"))
    before = [row[:] for row in (state.head, state.families["tea"])]
    later_ms = NOON_MS + ERA_MS[0]
    weights = landmark_weights(state.head, state.families.values(), later_ms)
    assert state.number("era_1h") == before[0][HEAD["era_1h"]] + 1
    # A power of two only changes the exponent.
    scale = 2.0**-ERA_HALF_LIVES
    assert state.number("views_1h") == before[0][HEAD["views_1h"]] * scale
    interest = FAMILY["interest_1h"]
    assert state.families["tea"][interest] == before[1][interest] * scale
    assert max(weights) < 2.0**ERA_HALF_LIVES


def test_the_lower_half_of_every_sum_is_zeros_however_often_it_was_added_to() -> None:
    feed = Feed()
    spread_ms = range(0, 40 * DAY_MS, 17 * DAY_MS // 13)
    state = folded(
        *(feed.click("ada", NOON_MS + ms, family="tea", dwell_ms=1_234) for ms in spread_ms),
        *(feed.order("ada", NOON_MS + ms, OrderLine("p", "tea", 3, 199)) for ms in spread_ms),
        feed.click("ada", NOON_MS - 400 * DAY_MS, family="tea"),
    )
    rows = (state.head, SUM_SLOTS), (state.families["tea"], FAMILY_SUM_SLOTS)
    sums = [row[slot] for row, kinds in rows for slots in kinds for slot in slots]
    assert sum(total > 0 for total in sums) > 15
    for total in sums:
        assert pack("<d", total)[:4] == bytes(4)


def test_after_many_eras_a_sum_is_nothing_and_no_error() -> None:
    feed = Feed()
    state = folded(feed.click("ada", NOON_MS), feed.click("ada", NOON_MS + 4_000 * DAY_MS))
    assert sum_of(state, "views", 0, NOON_MS + 4_000 * DAY_MS) == pytest.approx(1.0)
    late = folded(feed.click("ada", NOON_MS + 1), state=state)
    assert sum_of(late, "views", 0, NOON_MS + 4_000 * DAY_MS) == pytest.approx(1.0)


def test_an_order_counts_money_families_and_days() -> None:
    feed = Feed()
    state = folded(
        feed.order(
            "ada",
            NOON_MS,
            OrderLine("pot", "tea", 2.0, 1_000, 500),
            OrderLine("cup", "tea", 1.0, 300),
            OrderLine("bag", None, 1.0, 100, 900),
        )
    )
    assert state.number("total_spend") == 1_500 + 300
    assert state.number("total_lines") == 3
    assert list(state.families) == ["tea"]
    tea = state.families["tea"]
    assert tea[FAMILY["order_days"]] == 1
    assert sum_of(state, "spend", 2, NOON_MS) == pytest.approx(1_800)
    assert state.products["cup"].days == 1


def test_a_refund_is_no_order() -> None:
    state = folded(Feed().order("ada", NOON_MS, kind="refund"))
    assert (state.number("total_orders"), state.number("total_refunds")) == (0, 1)
    assert state.products == {}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_order_days_do_not_depend_on_the_order_of_arrival(order: tuple[int, ...]) -> None:
    feed = Feed()
    days = [NOON_MS, NOON_MS + 7 * DAY_MS, NOON_MS + 14 * DAY_MS, NOON_MS + 14 * DAY_MS + HOUR_MS]
    tea = folded(*(feed.order("ada", days[place]) for place in order)).families["tea"]
    span = tea[FAMILY["last_order_day"]] - tea[FAMILY["first_order_day"]]
    assert (tea[FAMILY["order_days"]], span) == (3, 14)


def test_an_order_empties_the_cart_of_what_was_in_it_before() -> None:
    feed = Feed()
    state = folded(
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
        feed.click("ada", NOON_MS + 10, "add_to_cart", product="cup"),
        feed.order("ada", NOON_MS + 5),
    )
    assert list(state.cart) == ["cup"]
    late = feed.click("ada", NOON_MS + 4, "add_to_cart", product="tin")
    assert list(folded(late, state=state).cart) == ["cup"]


def test_a_removal_holds_against_an_earlier_add_that_comes_later() -> None:
    feed = Feed()
    state = folded(
        feed.click("ada", NOON_MS + 10, "remove_from_cart", product="pot"),
        feed.click("ada", NOON_MS, "add_to_cart", product="pot"),
    )
    assert state.cart["pot"].quantity_milli == 0
    assert state.number("due_cart_left_ms") == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_ticket_is_as_its_latest_word_says(order: tuple[int, ...]) -> None:
    feed = Feed()
    events = [
        feed.support("ada", NOON_MS, "opened", severity="high"),
        feed.support("ada", NOON_MS + 10, "resolved"),
        feed.support("ada", NOON_MS + 20, "message"),
    ]
    ticket = folded(*(events[place] for place in order)).tickets["ticket"]
    assert (ticket.is_open, ticket.opened_at_ms, ticket.changed_at_ms) == (
        False,
        NOON_MS,
        NOON_MS + 10,
    )


def test_satisfaction_is_the_latest() -> None:
    feed = Feed()
    state = folded(
        feed.support("ada", NOON_MS + 10, "rated", satisfaction=5),
        feed.support("ada", NOON_MS, "rated", satisfaction=1),
    )
    assert state.number("satisfaction") == 5


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_consent_is_the_latest_word_and_at_a_tie_a_no(order: tuple[int, ...]) -> None:
    feed = Feed()
    events = [
        feed.consent("ada", NOON_MS - 5, "marketing", granted=True),
        feed.consent("ada", NOON_MS, "marketing", granted=True),
        feed.consent("ada", NOON_MS, "marketing", granted=False),
    ]
    state = folded(*(events[place] for place in order))
    assert state.number("consent_marketing") == -1


def test_erasure_keeps_a_no_and_nothing_else() -> None:
    feed = Feed()
    state = folded(
        feed.consent("ada", NOON_MS, "marketing", granted=False),
        feed.consent("ada", NOON_MS, "personalization", granted=True),
        feed.profile("ada", NOON_MS, "preference", subject="tea", weight=1.0),
        feed.profile("ada", NOON_MS + 1, "erasure"),
    )
    assert state.number("consent_marketing") == -1
    assert state.number("consent_personalization") == 0
    assert state.preferences == {}
    assert repeat_of(state, feed.click("ada", NOON_MS)) == "erased"
