"""A customer's state as support and the command line read it."""

from __future__ import annotations

from schemas.records import OrderLine
from streams.analysis.state_view import view
from streams.core.catalogue.values import Timers
from streams.core.folds.contacts import record_contact
from streams.core.folds.fold import fold
from streams.core.state.customer import CustomerState
from streams.core.units import DAY_MS, HOUR_MS
from tests.support.events import NOON_MS, Feed


def test_of_a_stranger_there_is_nothing_to_show() -> None:
    assert view(CustomerState(), NOON_MS) == {}


def test_what_is_known_is_shown_by_name_decayed_to_now() -> None:
    feed, state = Feed(), CustomerState()
    for event in (
        feed.click("ada", NOON_MS, "add_to_cart", product="pot", family="tea"),
        feed.order("ada", NOON_MS - HOUR_MS, OrderLine("cup", "tea", 2.0, 450)),
        feed.support("ada", NOON_MS, severity="high"),
        feed.consent("ada", NOON_MS, "marketing", granted=False),
        feed.profile("ada", NOON_MS, "preference", subject="tea", weight=0.5),
        feed.profile(
            "ada",
            NOON_MS,
            "contact_setting",
            time_zone="Europe/Paris",
            quiet_from_minute=22 * 60,
            quiet_until_minute=7 * 60 + 30,
        ),
    ):
        fold(state, event, Timers())
    record_contact(state, NOON_MS, "hello", None, "issue", "sms")
    shown = view(state, NOON_MS + HOUR_MS)
    assert shown["first_seen"] == "2024-01-15T11:00:00.000Z"
    assert shown["totals"] == {"orders": 1, "lines": 1, "spend": 900, "tickets": 1}
    assert shown["currency"] == "EUR"
    assert shown["sums"]["cart_adds"]["1h"] == 0.5
    assert shown["sums"]["orders"]["1h"] == 0.25
    assert shown["families"]["tea"]["order_days"] == 1
    assert shown["cart"] == {
        "pot": {"quantity": 1.0, "family": "tea", "since": "2024-01-15T12:00:00.000Z"}
    }
    assert shown["tickets"]["ticket"]["is"] == "open"
    assert shown["tickets"]["ticket"]["severity"] == "high"
    assert shown["consent"] == {
        "marketing": {"is": "withdrawn", "since": "2024-01-15T12:00:00.000Z"}
    }
    assert shown["quiet_hours"] == "22:00 to 07:30"
    assert shown["contacts"] == [{"at": "2024-01-15T12:00:00.000Z", "channel": "sms"}]
    assert shown["usual_products"]["cup"] == {
        "days": 1,
        "last": "2024-01-15",
        "quantity": 2.0,
        "in_latest_order": 2,
        "family": "tea",
    }
    assert shown["timers"]["gone_quiet"] == "2024-02-29T12:00:00.000Z"
    assert "refunds" not in shown["sums"]


def test_what_has_faded_away_is_not_shown() -> None:
    state = CustomerState()
    fold(state, Feed().click("ada", NOON_MS), Timers())
    assert view(state, NOON_MS + 2 * DAY_MS)["sums"]["views"] == {"1d": 0.25, "30d": 0.955}
    assert "sums" not in view(state, NOON_MS + 9_000 * DAY_MS)


def test_channels_that_were_closed_and_opened_again_are_shown_with_their_times() -> None:
    feed, state = Feed(), CustomerState()
    for at_ms, channel, granted in (
        (NOON_MS, "sms", False),
        (NOON_MS, "email", False),
        (NOON_MS + HOUR_MS, "sms", True),
    ):
        setting = feed.profile("ada", at_ms, "channel_setting", channel=channel, granted=granted)
        fold(state, setting, Timers())
    shown = view(state, NOON_MS + HOUR_MS)
    assert shown["unsubscribed"] == {"email": "2024-01-15T12:00:00.000Z"}
    assert shown["opened_again"] == {"sms": "2024-01-15T13:00:00.000Z"}
