"""What a customer's state remembers of contacts and of the answers to them."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.symbols import CHANNELS
from streams.core.chance import name_number, text_number
from streams.core.channels import AUTOMATED, BY_PEOPLE
from streams.core.contact_rules import After, Suppression
from streams.core.layout import CONTACT, CONTACT_WIDTH, HEAD, MAX_CONTACTS, MAX_SILENCES
from streams.core.state import CustomerState, Silence

_IN_A_ROW = HEAD["automated_in_a_row"]


def silence_number(rule: Suppression, action: str, family: str | None) -> int:
    """Return under which number a rule counts the answers to an action, or to its family."""
    about = f"action/{action}" if rule.scope == "action" or family is None else f"family/{family}"
    return int(name_number(f"{rule.id}/{about}"))


def note_response(
    state: CustomerState,
    rules: Iterable[Suppression],
    what: After | None,
    about: tuple[str, str | None],
    at_ms: int,
) -> None:
    """Count an answer to an action (`about` = action, family), and silence it where it is due.

    None is a reward: every count in a row starts anew, and a silence that being ignored began
    ends. One that the customer asked for lasts its term.
    """
    for rule in rules:
        number = silence_number(rule, *about)
        if what is None:
            _reward(state, number, rule.after)
        elif what == rule.after:
            known = state.silences.pop(number, None) or Silence(0, 0)
            known.count += 1
            if known.count >= rule.times:
                known.count, known.until_ms = 0, max(known.until_ms, at_ms + rule.term_ms)
            if len(state.silences) < MAX_SILENCES or _make_room(state.silences, known, at_ms):
                state.silences[number] = known


def _reward(state: CustomerState, number: int, after: After) -> None:
    known = state.silences.get(number)
    if known is not None:
        known.count = 0
        if after == "ignored" or known.until_ms == 0:
            del state.silences[number]


def _make_room(silences: dict[int, Silence], new: Silence, at_ms: int) -> bool:
    """Drop what says least: one that is over, then the lowest count, then what ends first.

    False, and nothing is dropped, where a mere count would take the place of a silence.
    """

    def worth(number: int) -> tuple[int, int]:
        known = silences[number]
        return known.until_ms if known.until_ms > at_ms else 0, known.count

    least = min(silences, key=worth)
    if new.until_ms <= at_ms < silences[least].until_ms:
        return False
    del silences[least]
    return True


def record_contact(
    state: CustomerState,
    at_ms: int,
    action: str,
    family: str | None,
    issue: str,
    channel: str,
    decision_id: str | None = None,
) -> None:
    """Remember that an action was published; of too many contacts the earliest is forgotten."""
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
        state.head[_IN_A_ROW] += 1
    elif channel in BY_PEOPLE:
        state.head[_IN_A_ROW] = 0.0
    if len(contacts) > MAX_CONTACTS * CONTACT_WIDTH:
        # Not the first in the ring: contacts of late events stand behind younger ones.
        times = contacts[CONTACT["at_ms"] :: CONTACT_WIDTH]
        earliest = times.index(min(times)) * CONTACT_WIDTH
        del contacts[earliest : earliest + CONTACT_WIDTH]


def contacted_about(state: CustomerState, decision_id: str) -> float | None:
    """Return the number of the action that a decision published, None where it is forgotten."""
    contacts, number = state.contacts, text_number(decision_id)
    for start in range(0, len(contacts), CONTACT_WIDTH):
        if contacts[start + CONTACT["decision"]] == number:
            return contacts[start + CONTACT["action"]]
    return None
