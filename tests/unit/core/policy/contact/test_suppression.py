"""What makes an action rest: being ignored or refused, an objection, a purchase."""

from __future__ import annotations

from streams.analysis.state_view import view
from streams.core.catalogue.contact_rules import Suppression
from streams.core.folds.contacts import AnswerSubject, record_response
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    MAX_SUPPRESSION_COUNTS,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
)
from tests.support.contacts import ADA, SHOP, Ways
from tests.support.events import NOON_MS

# The window of the shop's rewards is an hour; it settles at the first tick five minutes later.
LATER_MS = 2 * HOUR_MS


def ignore(ways: Ways, at_ms: int) -> None:
    """Show tea, and let its window pass without an answer."""
    assert ways.browse(at_ms).chosen == "tea_shelf"
    ways.tick(at_ms + LATER_MS)


IGNORED = "suppression: [{id: gave_up, after: ignored, times: 3, for_days: 10}]"


def test_what_is_ignored_so_often_rests_for_its_term() -> None:
    ways = Ways(IGNORED)
    for day in range(3):
        ignore(ways, NOON_MS + day * DAY_MS)
    silent_ms = NOON_MS + 2 * DAY_MS + LATER_MS
    assert ways.browse(silent_ms + 1).fate("tea_shelf") == "contact:gave_up"
    assert ways.search(silent_ms + 1).chosen == "coffee_shelf"
    assert ways.browse(silent_ms + 10 * DAY_MS - 1).fate("tea_shelf") == "contact:gave_up"
    assert ways.browse(silent_ms + 10 * DAY_MS).chosen == "tea_shelf"


def test_an_answer_in_between_starts_the_count_anew() -> None:
    ways = Ways(IGNORED)
    for day in range(2):
        ignore(ways, NOON_MS + day * DAY_MS)
    answer = ways.browse(NOON_MS + 2 * DAY_MS)
    ways.answers(answer, "accept", NOON_MS + 2 * DAY_MS + 1)
    ways.tick(NOON_MS + 2 * DAY_MS + LATER_MS)
    for day in range(3, 6):
        ignore(ways, NOON_MS + day * DAY_MS)
    assert ways.browse(NOON_MS + 6 * DAY_MS).fate("tea_shelf") == "contact:gave_up"


def test_a_refused_action_rests_at_once_and_others_go_on() -> None:
    ways = Ways("suppression: [{id: said_no, after: rejected, for_days: 5}]")
    ways.answers(ways.browse(NOON_MS), "reject", NOON_MS + 1)
    assert view(ways.state, NOON_MS)["resting"] == [{"until": "2024-01-20T12:00:00.001Z"}]
    assert ways.browse(NOON_MS + 2).fate("tea_shelf") == "contact:said_no"
    assert ways.search(NOON_MS + 3).chosen == "coffee_shelf"
    assert ways.browse(NOON_MS + 1 + 5 * DAY_MS).chosen == "tea_shelf"


def test_a_reward_forgives_earlier_refusals_and_ends_no_term_that_was_asked_for() -> None:
    ways = Ways("suppression: [{id: said_no, after: rejected, times: 2, for_days: 5}]")
    for kind in ("reject", "accept", "reject"):
        answer = ways.browse(NOON_MS)
        ways.answers(answer, kind, NOON_MS)
        ways.tick(NOON_MS + LATER_MS)
    assert ways.browse(NOON_MS).chosen == "tea_shelf"
    rewarded = ways.browse(NOON_MS)
    ways.answers(rewarded, "reject", NOON_MS + 1)
    assert ways.browse(NOON_MS + 2).fate("tea_shelf") == "contact:said_no"
    ways.answers(rewarded, "accept", NOON_MS + 2)
    ways.tick(NOON_MS + 2 * LATER_MS)
    assert ways.browse(NOON_MS + 2 * LATER_MS).fate("tea_shelf") == "contact:said_no"


def test_an_objection_silences_the_family_for_half_a_year_whatever_the_catalogue_says() -> None:
    more_tea = SHOP.replace(
        "          - {id: tea_shelf,",
        "          - {id: more_tea, moments: [refunded], value: 9,\n"
        "             treatments: [{id: note, channel: app, message: Tea}]}\n"
        "          - {id: tea_shelf,",
    )
    for rules in ("", IGNORED):
        ways = Ways(rules, more_tea)
        ways.answers(ways.browse(NOON_MS), "objection", NOON_MS + 1)
        later = NOON_MS + 181 * DAY_MS
        assert ways.search(later).fate("tea_shelf") == "contact:objected"
        assert ways.refund(later).fate("more_tea") == "contact:objected"
        assert ways.search(later).fate("coffee_shelf") == "candidate"
        assert ways.browse(NOON_MS + 1 + 182 * DAY_MS).chosen == "tea_shelf"


def test_an_objection_outlives_an_erasure_and_counts_do_not() -> None:
    ways = Ways("suppression: [{id: said_no, after: rejected, times: 2, for_days: 5}]")
    tea, coffee = ways.browse(NOON_MS), ways.search(NOON_MS)
    ways.answers(tea, "objection", NOON_MS + 1)
    coffee = ways.search(NOON_MS + 2)
    assert coffee.chosen == "coffee_shelf"
    ways.answers(coffee, "reject", NOON_MS + 3)
    assert len(ways.state.suppression_counts) == 2
    ways.write(ways.feed.profile(ADA, NOON_MS + 4, "erasure"))
    assert len(ways.state.suppression_counts) == 1
    assert ways.browse(NOON_MS + 5).fate("tea_shelf") == "contact:objected"


def test_a_service_message_needs_no_answer_and_a_no_to_it_counts() -> None:
    rules = (
        "suppression: [{id: gave_up, after: ignored, for_days: 10},"
        " {id: said_no, after: rejected, for_days: 10}]"
    )
    ways = Ways(rules)
    (answer,) = ways.ticket(NOON_MS, ticket_id="one")
    ways.tick(NOON_MS + LATER_MS)
    (answer,) = ways.ticket(NOON_MS + DAY_MS, ticket_id="two")
    assert answer.chosen == "answer"
    ways.answers(answer, "reject", NOON_MS + DAY_MS + 1)
    (answer,) = ways.ticket(NOON_MS + 2 * DAY_MS, ticket_id="three")
    assert answer.fate("answer") == "contact:said_no"


def test_of_too_many_silences_those_that_are_over_and_the_shortest_counts_go_first() -> None:
    state = CustomerState()
    once = Suppression("no", "action", "rejected", 1, DAY_MS)
    often = Suppression("bored", "action", "ignored", 9, DAY_MS)
    record_response(state, [once], "rejected", AnswerSubject("kept", None), NOON_MS)
    record_response(state, [once], "rejected", AnswerSubject("over", None), NOON_MS - 2 * DAY_MS)
    for _ in range(2):
        record_response(state, [often], "ignored", AnswerSubject("twice", None), NOON_MS)
    kept = set(state.suppression_counts)
    for number in range(3 * MAX_SUPPRESSION_COUNTS):
        record_response(state, [often], "ignored", AnswerSubject(f"a{number}", None), NOON_MS)
    assert len(state.suppression_counts) == MAX_SUPPRESSION_COUNTS
    assert len(kept & set(state.suppression_counts)) == 2


def test_what_was_just_bought_rests_and_other_families_do_not() -> None:
    ways = Ways("after_purchase: [{id: enjoy_it, issues: [offers], for_days: 7}]")
    ways.order(NOON_MS)
    assert ways.search(NOON_MS + 1).fate("tea_shelf") == "contact:enjoy_it"
    assert ways.search(NOON_MS + 1).chosen == "coffee_shelf"
    assert ways.browse(NOON_MS + 7 * DAY_MS).chosen == "tea_shelf"


def test_a_rest_holds_for_the_issues_it_names_only() -> None:
    ways = Ways("after_purchase: [{id: enjoy_it, issues: [reaching_out], for_days: 7}]")
    ways.order(NOON_MS)
    assert ways.browse(NOON_MS + 1).chosen == "tea_shelf"


def test_counting_what_is_ignored_never_ends_what_was_asked_for() -> None:
    state = CustomerState()
    said_no = Suppression("no", "action", "objected", 1, 100 * DAY_MS)
    often = Suppression("bored", "action", "ignored", 2, DAY_MS)
    for number in range(MAX_SUPPRESSION_COUNTS):
        record_response(state, [said_no], "objected", AnswerSubject(f"a{number}", None), NOON_MS)
    asked = set(state.suppression_counts)
    record_response(state, [often], "ignored", AnswerSubject("other", None), NOON_MS)
    assert set(state.suppression_counts) == asked
    # They are over: what counts now may take their place.
    record_response(state, [often], "ignored", AnswerSubject("other", None), NOON_MS + 100 * DAY_MS)
    assert len(set(state.suppression_counts) - asked) == 1


def test_an_objection_holds_even_when_its_window_is_over() -> None:
    ways = Ways()
    answer = ways.browse(NOON_MS)
    ways.tick(NOON_MS + 2 * HOUR_MS)
    assert not ways.state.pending
    ways.answers(answer, "objection", NOON_MS + 3 * HOUR_MS)
    assert ways.browse(NOON_MS + 4 * HOUR_MS).fate("tea_shelf") == "contact:objected"
    assert ways.browse(NOON_MS + 181 * DAY_MS).fate("tea_shelf") == "contact:objected"
