"""What closes a way to the customer: tickets, machines in a row, a window of their calendar."""

from __future__ import annotations

import pytest

from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.contacts import Ways, ms
from tests.support.events import NOON_MS

# The window of the shop's rewards is an hour; it settles at the first tick five minutes later.
LATER_MS = 2 * HOUR_MS


def test_an_open_ticket_silences_marketing_and_not_service() -> None:
    ways = Ways()
    (answer,) = ways.ticket(NOON_MS, severity="low")
    assert answer.chosen == "answer"
    assert ways.browse(NOON_MS + 1).fate("tea_shelf") == "contact:ticket"
    ways.ticket(NOON_MS + 2, "resolved")
    assert ways.browse(NOON_MS + 3).chosen == "tea_shelf"


def test_a_ticket_that_is_reopened_silences_again() -> None:
    ways = Ways()
    ways.ticket(NOON_MS)
    ways.ticket(NOON_MS + 1, "resolved")
    ways.ticket(NOON_MS + 2, "reopened")
    assert ways.browse(NOON_MS + 3).fate("tea_shelf") == "contact:ticket"


def test_only_tickets_as_severe_as_the_catalogue_says_silence() -> None:
    ways = Ways("tickets: {least_severity: high}")
    ways.ticket(NOON_MS, severity="normal")
    assert ways.browse(NOON_MS + 1).chosen == "tea_shelf"
    ways.ticket(NOON_MS + 2, "escalated", severity="urgent")
    assert ways.browse(NOON_MS + 3).fate("tea_shelf") == "contact:ticket"
    ways.ticket(NOON_MS + 4, "resolved")
    assert ways.browse(NOON_MS + 5).chosen == "tea_shelf"


def test_a_ticket_that_comes_back_worse_silences() -> None:
    ways = Ways("tickets: {least_severity: high}")
    ways.ticket(NOON_MS, severity="low")
    ways.ticket(NOON_MS + 1, "resolved", severity="low")
    ways.ticket(NOON_MS + 2, "reopened", severity="high")
    assert ways.browse(NOON_MS + 3).fate("tea_shelf") == "contact:ticket"


def test_marketing_stays_silent_for_a_while_after_a_ticket_was_resolved() -> None:
    ways = Ways("tickets: {after_resolved_hours: 6}")
    ways.ticket(NOON_MS)
    ways.ticket(NOON_MS + HOUR_MS, "resolved")
    assert ways.browse(NOON_MS + 7 * HOUR_MS - 1).fate("tea_shelf") == "contact:ticket"
    assert ways.browse(NOON_MS + 7 * HOUR_MS).chosen == "tea_shelf"


def test_tickets_silence_nothing_where_the_catalogue_says_so() -> None:
    ways = Ways("tickets: {silence: false}")
    ways.ticket(NOON_MS)
    assert ways.browse(NOON_MS + 1).chosen == "tea_shelf"


def test_after_so_many_machines_in_a_row_only_people_reach_out() -> None:
    ways = Ways("automated_in_a_row: 2")
    for day in range(2):
        assert ways.order(NOON_MS + day * DAY_MS).chosen == "letter"
        ways.tick(NOON_MS + day * DAY_MS + LATER_MS)
    # Two letters after two orders, each of which was a sign of life: only the last one counts.
    assert ways.refund(NOON_MS + 2 * DAY_MS).action is not None
    assert ways.refund(NOON_MS + 2 * DAY_MS + 1).decision.treatment == "note"
    signed_up = ways.sign_up(NOON_MS + 2 * DAY_MS + 2)
    assert signed_up.action is not None
    assert signed_up.action.channel == "call_center"
    # A person spoke with her: the machine may write again.
    assert ways.sign_up(NOON_MS + 2 * DAY_MS + 3).decision.treatment == "text"


@pytest.mark.parametrize("sign_of_life", ["click", "accept", "reject", "order", "ticket"])
def test_an_answer_lets_the_machine_write_again(sign_of_life: str) -> None:
    ways = Ways("automated_in_a_row: 1")
    letter = ways.refund(NOON_MS)
    assert letter.decision.treatment == "letter"
    assert ways.refund(NOON_MS + 1).decision.treatment == "note"
    at_ms = NOON_MS + MINUTE_MS
    if sign_of_life == "order":
        assert ways.order(at_ms).chosen == "letter"
        return
    if sign_of_life == "ticket":
        (answer,) = ways.ticket(at_ms)
        assert answer.chosen == "answer"
        return
    ways.answers(letter, sign_of_life, at_ms)
    assert ways.refund(at_ms + 1).decision.treatment == "letter"


@pytest.mark.parametrize(
    ("key", "fate"),
    [
        ("", "candidate"),
        ("service_after_unsubscribe: true", "candidate"),
        ("service_after_unsubscribe: false", "contact:no_open_channel"),
    ],
)
def test_an_unsubscribe_closes_marketing_and_what_is_owed_only_where_the_catalogue_says_so(
    key: str, fate: str
) -> None:
    ways = Ways(key)
    ways.answers(ways.order(NOON_MS), "unsubscribe", NOON_MS + 1, channel="email")
    assert ways.order(NOON_MS + 2).fate("letter") == "contact:no_open_channel"
    (answer,) = ways.ticket(NOON_MS + 3)
    assert answer.fate("answer") == fate
    assert (answer.action is None) == (fate != "candidate")


def test_offers_leave_room_for_service_to_be_remembered() -> None:
    ways = Ways()
    chosen = [ways.browse(NOON_MS + n).chosen for n in range(9)]
    assert chosen == ["tea_shelf"] * 6 + ["no_action"] * 3
    (answer,) = ways.ticket(NOON_MS + 10)
    assert answer.chosen == "answer"


def test_calendar_windows_begin_by_the_customers_own_calendar() -> None:
    """The day, the week from Monday and the month of Tokyo, nine hours before UTC."""
    for calendar, last, first in (
        ("day", "2024-01-15T23:59", "2024-01-16T00:00"),
        ("week", "2024-01-21T23:59", "2024-01-22T00:00"),
        ("month", "2024-02-29T23:59", "2024-03-01T00:00"),
    ):
        ways = Ways(
            f"contact_limits: [{{id: one, scope: action, max_contacts: 1, calendar: {calendar}}}]"
        )
        ways.lives_in("Asia/Tokyo")
        assert ways.browse(ms(last, "Asia/Tokyo") - HOUR_MS).chosen == "tea_shelf"
        assert ways.browse(ms(last, "Asia/Tokyo")).fate("tea_shelf") == "contact:one"
        assert ways.browse(ms(first, "Asia/Tokyo")).chosen == "tea_shelf"


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)], ids=["shorter", "longer"]
)
def test_a_day_on_which_clocks_change_is_one_day(day: str, hours: int) -> None:
    ways = Ways("contact_limits: [{id: one, scope: action, max_contacts: 1, calendar: day}]")
    ways.lives_in("Europe/Berlin")
    start = ms(f"{day}T00:00", "Europe/Berlin")
    assert ways.browse(start).chosen == "tea_shelf"
    assert ways.browse(start + hours * HOUR_MS - 1).fate("tea_shelf") == "contact:one"
    assert ways.browse(start + hours * HOUR_MS).chosen == "tea_shelf"


def test_for_whom_no_zone_is_assumed_a_calendar_day_is_as_long_as_a_day_can_be() -> None:
    ways = Ways(
        "quiet_hours: {unknown_zone: always_quiet}\n"
        "contact_limits: [{id: one, scope: action, max_contacts: 1, calendar: day}]"
    )
    assert ways.browse(NOON_MS).chosen == "tea_shelf"
    assert ways.browse(NOON_MS + 25 * HOUR_MS - 1).fate("tea_shelf") == "contact:one"
    assert ways.browse(NOON_MS + 25 * HOUR_MS + 1).chosen == "tea_shelf"


@pytest.mark.parametrize("unknown", ["always_quiet", "Asia/Tokyo"])
def test_a_calendar_is_that_of_the_catalogues_zone_for_whom_none_is_known(unknown: str) -> None:
    """Midnight in Tokyo, whether or not customers without a zone are left in peace."""
    ways = Ways(
        f"time_zone: Asia/Tokyo\nquiet_hours: {{unknown_zone: {unknown}}}\n"
        "contact_limits: [{id: one, scope: action, max_contacts: 1, calendar: month}]"
    )
    first = ms("2024-02-01T00:00", "Asia/Tokyo")
    assert ways.browse(first - HOUR_MS).chosen == "tea_shelf"
    assert ways.browse(first - 1).fate("tea_shelf") == "contact:one"
    assert ways.browse(first).chosen == "tea_shelf"
