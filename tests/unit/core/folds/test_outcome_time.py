"""Outcomes that are dated before the decision they name count as at the decision."""

from __future__ import annotations

import pytest

from schemas.records import Tick
from streams.core.units import DAY_MS, HOUR_MS
from tests.support.contacts import ADA, Ways
from tests.support.events import NOON_MS

_LONG_AGO_MS = 400 * DAY_MS


@pytest.mark.parametrize("early_ms", [-1, 0, 1, 2_000, HOUR_MS, _LONG_AGO_MS])
def test_an_answer_dated_before_its_question_is_an_answer(early_ms: int) -> None:
    ways = Ways()
    answer = ways.search(NOON_MS)
    ways.answers(answer, "accept", NOON_MS - early_ms)
    # Folded at the decision too: no answer of last year, no customer known for longer.
    assert ways.state.number("latest_responded") == max(NOON_MS, NOON_MS - early_ms)
    assert ways.state.number("first_seen_ms") == NOON_MS
    assert ways.state.number("accepts_1h") > 0
    out = ways.log.play([(1_000, Tick(NOON_MS + DAY_MS))])
    assert [lesson.label for lesson in out.lessons] == [1.0]
    assert ways.state.number("ignored_in_a_row") == 0


def test_a_no_that_is_dated_before_its_offer_rests_it_for_the_whole_term() -> None:
    ways = Ways("suppression: [{id: said_no, after: rejected, for_days: 10}]")
    ways.answers(ways.search(NOON_MS), "reject", NOON_MS - 9 * DAY_MS)
    (silence,) = ways.state.suppression_counts.values()
    assert silence.until_ms == NOON_MS + 10 * DAY_MS


def test_a_no_to_what_is_settled_already_counts_as_at_its_contact() -> None:
    ways = Ways("suppression: [{id: said_no, after: rejected, for_days: 10}]")
    answer = ways.search(NOON_MS)
    ways.tick(NOON_MS + DAY_MS)
    assert not ways.state.pending
    ways.answers(answer, "reject", NOON_MS - 30 * DAY_MS)
    (silence,) = ways.state.suppression_counts.values()
    assert silence.until_ms == NOON_MS + 10 * DAY_MS


def test_an_unsubscribe_dated_before_its_letter_holds_against_an_older_yes() -> None:
    ways = Ways()
    ways.write(ways.feed.consent(ADA, NOON_MS - 10, "marketing", granted=True))
    ways.answers(ways.order(NOON_MS), "unsubscribe", NOON_MS - 1_000, channel="email")
    assert ways.order(NOON_MS + 1).fate("letter") == "contact:no_open_channel"


def test_an_outcome_of_no_known_decision_keeps_its_date() -> None:
    ways = Ways()
    ways.search(NOON_MS)
    ways.write(ways.feed.outcome(ADA, NOON_MS - HOUR_MS, "click", "0" * 24))
    assert ways.state.number("first_seen_ms") == NOON_MS - HOUR_MS


def test_an_answer_to_what_was_decided_after_an_erasure_is_not_forgotten_with_the_past() -> None:
    ways = Ways()
    ways.write(ways.feed.profile(ADA, NOON_MS, "erasure"))
    answer = ways.search(NOON_MS + HOUR_MS)
    ways.answers(answer, "accept", NOON_MS - 1)
    out = ways.log.play([(1_000, Tick(NOON_MS + DAY_MS))])
    assert [lesson.label for lesson in out.lessons] == [1.0]
