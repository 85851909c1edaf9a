"""What a customer's state remembers of contacts and of the answers to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.records import Outcome
from schemas.symbols import CHANNELS
from streams.core.catalogue.contact_rules import After, Suppression
from streams.core.catalogue.service import is_service
from streams.core.catalogue.values import Action
from streams.core.channels import AUTOMATED, BY_PEOPLE
from streams.core.hashing import name_number, text_number
from streams.core.state.customer import CustomerState, Pending, SuppressionCount
from streams.core.state.layout import (
    CONTACT,
    CONTACT_WIDTH,
    HEAD,
    MAX_CONTACTS,
    MAX_SUPPRESSION_COUNTS,
)

# What an outcome says of the action it answers.
_SAYS: dict[str, After] = {"reject": "rejected", "objection": "objected"}
_IN_A_ROW = HEAD["automated_in_a_row"]


class AnswerSubject(NamedTuple):
    """What an answer is about: an action, its family, and whether it was owed."""

    action: str
    family: str | None
    service: bool = False

    @classmethod
    def of(cls, action: Action) -> AnswerSubject:
        """Return what an answer to a declared action is about."""
        return cls(action.id, action.family, is_service(action))

    @classmethod
    def by(cls, pending: Pending) -> AnswerSubject:
        """Return what an answer to a pending decision is about."""
        return cls(pending.action, pending.family, pending.service)


def suppression_number(rule: Suppression, action: str, family: str | None) -> int:
    """Return under which number a rule counts the answers to an action, or to its family."""
    about = f"action/{action}" if rule.scope == "action" or family is None else f"family/{family}"
    return int(name_number(f"{rule.id}/{about}"))


def suppression_number_for(rule: Suppression, action: Action) -> int:
    """Return the number under which a rule counts the answers to an action.

    A refusal of offers about a family says nothing about service, so service is suppressed
    separately.
    """
    return suppression_number(rule, action.id, None if is_service(action) else action.family)


def record_response(
    state: CustomerState,
    rules: Iterable[Suppression],
    what: After | None,
    about: AnswerSubject,
    at_ms: int,
) -> None:
    """Count an answer to an action, and suppress its subject if a rule says so.

    A no to a service action suppresses that action, and the offers of its family as any no does.

    None is a reward: all counts in a row are reset, and a suppression because of ignored actions
    ends. A suppression that the customer asked for lasts its term.
    """
    for rule in rules:
        numbers = {suppression_number(rule, about.action, about.family): None}
        if about.service:
            numbers[suppression_number(rule, about.action, None)] = None
        for number in numbers:
            if what is None:
                _reward(state, number, rule.after)
            elif what == rule.after:
                _refusal(state, number, rule, at_ms)


def record_refusal(
    state: CustomerState,
    rules: Iterable[Suppression],
    event: Outcome,
    pending: Pending | None,
    declared: Mapping[float, AnswerSubject],
) -> None:
    """Count a reject or an objection; nothing of other outcomes.

    `pending` is the decision that it names. If that is settled, the stored contact gives the
    subject, among the `declared` actions: a refusal counts however late it arrives.
    """
    if (says := _SAYS.get(event.kind)) is None:
        return
    about = None
    if pending is not None:
        about = AnswerSubject.by(pending)
    elif (contact := contacted_about(state, event.decision_id)) is not None:
        about = declared.get(contact.action)
    if about is not None:
        record_response(state, rules, says, about, event.at_ms)


def _refusal(state: CustomerState, number: int, rule: Suppression, at_ms: int) -> None:
    known = state.suppression_counts.pop(number, None) or SuppressionCount(0, 0)
    known.count += 1
    if known.count >= rule.times:
        known.count, known.until_ms = 0, max(known.until_ms, at_ms + rule.term_ms)
    if len(state.suppression_counts) < MAX_SUPPRESSION_COUNTS or _make_room(
        state.suppression_counts, known, at_ms
    ):
        state.suppression_counts[number] = known


def _reward(state: CustomerState, number: int, after: After) -> None:
    known = state.suppression_counts.get(number)
    if known is not None:
        known.count = 0
        if after == "ignored" or known.until_ms == 0:
            del state.suppression_counts[number]


def _make_room(counts: dict[int, SuppressionCount], new: SuppressionCount, at_ms: int) -> bool:
    """Drop what says least: one that is over, then the lowest count, then what ends first.

    False, and nothing is dropped, if a mere count would replace a suppression.
    """

    def rank(number: int) -> tuple[int, int]:
        known = counts[number]
        return known.until_ms if known.until_ms > at_ms else 0, known.count

    least = min(counts, key=rank)
    if new.until_ms <= at_ms < counts[least].until_ms:
        return False
    del counts[least]
    return True


def record_contact(
    state: CustomerState,
    at_ms: int,
    action: str,
    family: str | None,
    issue: str,
    channel: str,
    decision_id: str | None = None,
    *,
    service: bool = False,
) -> None:
    """Remember that an action was published; of too many contacts the earliest is forgotten.

    `service` is no automated message that the customer could have left unanswered.
    """
    contacts = state.contacts
    contacts.extend(
        (
            at_ms,
            name_number(action),
            name_number(family),
            name_number(issue),
            float(CHANNELS.index(channel)),
            text_number(decision_id),
        )
    )
    if channel in AUTOMATED:
        state.head[_IN_A_ROW] += not service
    elif channel in BY_PEOPLE:
        state.head[_IN_A_ROW] = 0.0
    if len(contacts) > MAX_CONTACTS * CONTACT_WIDTH:
        # Not the first in the ring: contacts of late events are stored behind younger ones.
        times = contacts[CONTACT["at_ms"] :: CONTACT_WIDTH]
        earliest = times.index(min(times)) * CONTACT_WIDTH
        del contacts[earliest : earliest + CONTACT_WIDTH]


class Contacted(NamedTuple):
    """A remembered contact: the number of its action, and when it was decided."""

    action: float
    at_ms: int


def contacted_about(state: CustomerState, decision_id: str) -> Contacted | None:
    """Return the contact that a decision made, None where it is forgotten."""
    contacts, number = state.contacts, text_number(decision_id)
    for start in range(0, len(contacts), CONTACT_WIDTH):
        if contacts[start + CONTACT["decision"]] == number:
            at_ms = int(contacts[start + CONTACT["at_ms"]])
            return Contacted(contacts[start + CONTACT["action"]], at_ms)
    return None
