"""What customers answer to service, and what their silence and their no mean for it."""

from __future__ import annotations

from streams.core.decision.customer_brief import customer_brief
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.contacts import Ways
from tests.support.events import NOON_MS


def test_an_unanswered_service_message_is_not_ignored() -> None:
    rules = (
        "automated_in_a_row: 2\n"
        "suppression: [{id: gave_up, after: ignored, times: 1, for_days: 30}]\n"
        "no_action: {per_ignored: 1}"
    )
    ways = Ways(rules)
    for day in range(4):
        (answer,) = ways.ticket(NOON_MS + day * DAY_MS, ticket_id=f"t{day}")
        assert answer.decision.treatment == "letter"
        ways.ticket(NOON_MS + day * DAY_MS + 1, "resolved", ticket_id=f"t{day}")
        ways.tick(NOON_MS + day * DAY_MS + 2 * HOUR_MS)
    state = ways.state
    assert state.number("ignored_in_a_row") == 0
    assert state.number("automated_in_a_row") == 0
    assert not state.suppression_counts
    assert not [
        line for line in customer_brief(state, NOON_MS, True, DAY_MS) if "did not answer" in line
    ]
    # An offer that was ignored is counted, and does not keep back what is owed.
    at_ms = NOON_MS + 5 * DAY_MS
    assert ways.order(at_ms).chosen == "letter"
    ways.tick(at_ms + 2 * HOUR_MS)
    assert ways.state.number("ignored_in_a_row") == 1
    (answer,) = ways.ticket(at_ms + 3 * HOUR_MS, ticket_id="last")
    assert answer.decision.priorities[-1] == 1
    assert answer.chosen == "answer"


def test_too_many_automated_messages_in_a_row_do_not_keep_back_what_is_owed() -> None:
    ways = Ways("automated_in_a_row: 1")
    assert ways.sign_up(NOON_MS).decision.treatment == "text"
    assert ways.refund(NOON_MS + 1).decision.treatment == "note"
    (answer,) = ways.ticket(NOON_MS + MINUTE_MS)
    assert (answer.chosen, answer.decision.treatment) == ("answer", "letter")


FAMILY_SERVICE = """
name: Recalls
currency: EUR
holdout_ratio: 0
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: [tea]
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: offer, moments: [searching], value: 1,
             treatments: [{id: shelf, channel: web, message: "Tea"}]}
  - id: care
    purpose: service
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: recall, moments: [refunded], value: 1,
             treatments: [{id: letter, channel: email, message: "Do not drink it"}]}
          - {id: sorry, moments: [ticket_opened], value: 1,
             treatments: [{id: letter, channel: email, message: "Sorry"}]}
"""


def test_a_no_to_offers_of_a_family_does_not_silence_what_is_owed_about_it() -> None:
    ways = Ways("", FAMILY_SERVICE)
    ways.answers(ways.search(NOON_MS), "objection", NOON_MS + 1)
    assert ways.search(NOON_MS + 2).fate("offer") == "contact:objected"
    assert ways.refund(NOON_MS + 3).chosen == "recall"


def test_a_no_to_a_service_action_silences_that_one_and_the_offers_of_its_family() -> None:
    ways = Ways("", FAMILY_SERVICE)
    ways.answers(ways.refund(NOON_MS), "objection", NOON_MS + 1)
    assert ways.refund(NOON_MS + 2).fate("recall") == "contact:objected"
    assert ways.search(NOON_MS + 3).fate("offer") == "contact:objected"
    (answer,) = ways.ticket(NOON_MS + 4)
    assert answer.chosen == "sorry"
