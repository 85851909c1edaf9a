"""Events that much newer ones overtook: service still answers them, offers do not."""

from __future__ import annotations

import msgspec
import pytest

from streams.core.decision.plan import OUT_OF_ORDER
from streams.core.moments import FRESH_MS
from streams.core.units import HOUR_MS, MINUTE_MS
from tests.support.contacts import ADA, Ways
from tests.support.desk import Desk, fates
from tests.support.events import NOON_MS

# In the desk's catalogue all actions are valid for an hour.
VALID_MS = HOUR_MS


@pytest.mark.parametrize("late_ms", [FRESH_MS + 1, 6 * MINUTE_MS, VALID_MS - 1])
def test_a_ticket_heard_of_late_is_answered_by_service_alone(late_ms: int) -> None:
    desk = Desk()
    desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
    decision, action = desk.ticket(ADA, NOON_MS - late_ms)
    assert (action.action, action.channel) == ("we_have_it", "call_center")
    # With what is known by now, so at the time of it.
    assert decision.decided_at_ms == NOON_MS
    said = fates(decision)
    assert {said["offer_tea"], said["offer_coffee"]} == {OUT_OF_ORDER}
    assert said["no_action"] == "service:first"


def test_a_ticket_heard_of_when_the_answer_is_no_longer_valid_is_not_answered() -> None:
    desk = Desk()
    desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
    assert desk.write(desk.feed.support(ADA, NOON_MS - VALID_MS)) == []
    # It counts all the same.
    assert len(desk.log.store.states[ADA].tickets) == 1


def test_what_was_admitted_late_as_well_is_as_late_as_the_later_of_both() -> None:
    for late_ms, answers in ((VALID_MS - 1, 1), (VALID_MS, 0)):
        desk = Desk()
        desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
        event = desk.feed.support(ADA, NOON_MS - 6 * MINUTE_MS)
        event.origin = msgspec.structs.replace(event.origin, late_ms=late_ms)
        assert len(desk.write(event)) == answers


def test_history_is_not_answered_by_service_either() -> None:
    desk = Desk()
    desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
    event = desk.feed.support(ADA, NOON_MS - 6 * MINUTE_MS)
    event.origin = msgspec.structs.replace(event.origin, stale=True)
    assert desk.write(event) == []


def test_a_moment_for_offers_alone_stays_undecided() -> None:
    desk = Desk()
    desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
    assert desk.write(desk.feed.click(ADA, NOON_MS - 6 * MINUTE_MS, "search")) == []


def test_offers_do_not_fill_a_slate_of_an_overtaken_view() -> None:
    desk = Desk()
    desk.write(desk.feed.click(ADA, NOON_MS, "page_leave"))
    (pair,) = desk.write(desk.feed.click(ADA, NOON_MS - 6 * MINUTE_MS))
    assert pair[0].chosen == "we_have_it"


def test_a_late_answer_is_never_dated_before_a_contact_that_was_made() -> None:
    ways = Ways("timers: {cart_left_minutes: 30}")
    ways.write(ways.feed.click(ADA, NOON_MS, "add_to_cart", product="pot"))
    (reminder,) = ways.tick(NOON_MS + 40 * MINUTE_MS)
    assert reminder.chosen == "letter"
    (answer,) = ways.ticket(NOON_MS - 6 * MINUTE_MS)
    assert answer.chosen == "answer"
    assert answer.decision.decided_at_ms == NOON_MS + 40 * MINUTE_MS


@pytest.mark.parametrize(("first", "late"), [("resolved", "opened"), ("reopened", "resolved")])
def test_a_word_that_a_later_one_took_back_is_not_answered(first: str, late: str) -> None:
    ways = Ways()
    assert len(ways.ticket(NOON_MS, first)) == 1
    assert ways.ticket(NOON_MS - 6 * MINUTE_MS, late) == []
    # Another ticket is another matter.
    (answer,) = ways.ticket(NOON_MS - 6 * MINUTE_MS, late, ticket_id="another")
    assert answer.chosen == "answer"
