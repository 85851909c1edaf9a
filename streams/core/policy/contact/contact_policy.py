"""The contact policy of a catalogue, for a whole wave at once.

It answers two questions: which treatment of each action may be used now (the first open one, see
`streams.core.policy.contact.open_treatments`), and which actions are suppressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask
from streams.core.catalogue.contact_rules import ContactRules, Suppression, TicketSilence
from streams.core.catalogue.service import is_service
from streams.core.catalogue.values import Action
from streams.core.features.wave import Floats, Wave
from streams.core.folds.contacts import suppression_number_for
from streams.core.policy.contact.contact_limits import Locals, Windows, limited, over_limit
from streams.core.policy.contact.open_treatments import QUIET, OpenTreatments
from streams.core.policy.contact.quiet_hours import QuietPlan
from streams.core.policy.funnel import Funnel
from streams.core.state.customer import Ticket
from streams.core.state.layout import MAX_PENDING, PENDING_FOR_SERVICE
from streams.core.state.open_tickets import still_open
from streams.core.time_zones import zone

NO_TREATMENT = -1
# More than there is room for: service never waits for room.
_ALWAYS_ROOM = MAX_PENDING + 1


def consented(wave: Wave, purpose: str, consent: str) -> NDArray[np.bool_]:
    """Tell which customers allow a purpose, shape (n,): opt_in needs consent, opt_out no
    withdrawal.

    Service is owed to everybody and asks for no consent.
    """
    if purpose == "service":
        return np.ones(len(wave), bool)
    given = wave.number(f"consent_{purpose}")
    return given > 0 if consent == "opt_in" else given >= 0


@dataclass(frozen=True, slots=True)
class Contactable:
    """How each action could reach each customer of a wave.

    `treatments` (n, a) is the index of the treatment to use, `NO_TREATMENT` without one.
    `quiet_until_ms` (n,) is when the quiet hours that delay an action end, 0 without a delay.
    """

    treatments: NDArray[np.intp]
    quiet_until_ms: Floats


class ContactPolicy:
    """The contact rules of a catalogue over its actions (a), in their order."""

    def __init__(self, rules: ContactRules, actions: Sequence[Action]) -> None:
        self._rules = rules
        self._service = np.array([is_service(action) for action in actions])
        # Nobody waits for what is on trial: it must not make a decision due.
        self._live = np.array([not action.shadow for action in actions])
        self._ways = OpenTreatments(rules, actions)
        self._limits = [
            (limit, limited(limit, actions)) for limit in rules.limits if limit.scope != "channel"
        ]
        # Service is published even without room to await its outcome: see
        # `streams.core.decision.effects`.
        most = MAX_PENDING - PENDING_FOR_SERVICE
        self._most_pending = np.where(self._service, _ALWAYS_ROOM, most)
        self._silences = [(rule, _silence_places(rule, actions)) for rule in rules.suppressions]
        self._resting = [
            (
                rule,
                np.array(
                    [
                        action.family is not None
                        and (rule.issues is None or action.issue in rule.issues)
                        for action in actions
                    ]
                ),
            )
            for rule in rules.after_purchase
        ]
        self._by_calendar = any(limit.calendar for limit in rules.limits)
        self._quiet = QuietPlan(rules.quiet)

    def apply(
        self, wave: Wave, funnel: Funnel, used_up: Sequence[tuple[str, Mask]] = ()
    ) -> Contactable:
        """Drop what is suppressed or has no open treatment; return the treatments that are left.

        `used_up` has the fate of each closed budget and the treatments it is about, (a, most).
        """
        windows = Windows(wave, self._local_times(wave))
        self._silence(wave, funnel)
        waiting = np.array([len(state.pending) for state in wave.states])[:, None]
        funnel.drop(waiting >= self._most_pending, "contact:awaiting_outcomes")
        for limit, about in self._limits:
            funnel.drop(over_limit(wave, windows, limit, about), f"contact:{limit.id}")
        return self._treatments(wave, windows, used_up, funnel)

    def _local_times(self, wave: Wave) -> Locals:
        """Return each customer's local time, where a limit asks for it.

        None is for a customer whose zone is neither known nor assumed.
        """
        if not self._by_calendar:
            return [None] * len(wave)
        names = [state.time_zone or self._rules.calendar_zone for state in wave.states]
        return [
            None if name is None else datetime.fromtimestamp(at_ms / 1000, zone(name))
            for name, at_ms in zip(names, wave.at_ms.tolist(), strict=True)
        ]

    def _silence(self, wave: Wave, funnel: Funnel) -> None:
        tickets = self._rules.tickets
        if tickets is not None and any(state.tickets for state in wave.states):
            closes_ms = wave.axis.ticket_closes_ms
            troubled = np.array(
                [
                    any(_silences(t, at_ms, tickets, closes_ms) for t in state.tickets.values())
                    for state, at_ms in zip(wave.states, wave.at_ms.tolist(), strict=True)
                ]
            )
            funnel.drop(troubled[:, None] & ~self._service, "contact:ticket")
        # Most entries are counts that suppress nothing yet.
        silenced = [
            (row, number)
            for row, (state, at_ms) in enumerate(zip(wave.states, wave.at_ms.tolist(), strict=True))
            for number, silence in state.suppression_counts.items()
            if silence.until_ms > at_ms
        ]
        for rule, places in self._silences if silenced else ():
            silent = np.zeros((len(wave), len(self._service)), bool)
            for row, number in silenced:
                if number in places:
                    silent[row, places[number]] = True
            if rule.after == "ignored":
                # A message that is owed needs no answer.
                silent &= ~self._service
            funnel.drop(silent, f"contact:{rule.id}")
        for resting, about in self._resting:
            bought_ms = wave.of_action(wave.family("last_order_ms"))
            rests = (bought_ms > 0) & (wave.at_ms[:, None] < bought_ms + resting.term_ms)
            funnel.drop(about & ~self._service & rests, f"contact:{resting.id}")

    def _treatments(
        self,
        wave: Wave,
        windows: Windows,
        used_up: Sequence[tuple[str, Mask]],
        funnel: Funnel,
    ) -> Contactable:
        rule = self._rules.quiet
        quiet = self._quiet.quiet(wave)
        ways = self._ways.closed(wave, windows, quiet, used_up)
        place = self._ways.first_here(ways)
        first = np.take_along_axis(ways, place[:, :, None], axis=2)[:, :, 0]
        usable = ways == 0
        if rule.then != "other_channel":
            usable &= first[:, :, None] != QUIET
        preferred = self._ways.preferred(wave, usable)
        chosen = np.where(usable.any(axis=2), preferred.argmax(axis=2), NO_TREATMENT)
        until_ms = np.zeros(len(wave))
        if rule.then == "wait" and quiet is not None and quiet.any():
            # What waits is the first treatment, or, where that is closed for another reason, each
            # one that quiet hours alone close.
            held = ways == QUIET
            held &= (first != QUIET)[:, :, None] | (np.arange(ways.shape[2]) == place[:, :, None])
            waiting = (chosen == NO_TREATMENT) & held.any(axis=2)
            first = np.where(waiting, QUIET, first)
            waiting &= self._live & funnel.candidates
            for row in np.flatnonzero(waiting.any(axis=1)).tolist():
                of_row = self._ways.channels[held[row] & waiting[row][:, None]]
                at_ms, channels = float(wave.at_ms[row]), sorted(set(of_row.tolist()))
                until_ms[row] = self._quiet.over_ms(wave.states[row], at_ms, channels)
        fates = (*self._ways.fates, *(fate for fate, _ in used_up))
        funnel.drop_each(np.where(chosen == NO_TREATMENT, first, 0), fates)
        return Contactable(chosen, until_ms)


def _silence_places(rule: Suppression, actions: Sequence[Action]) -> dict[int, list[int]]:
    """Return which actions a rule silences under each number."""
    places: dict[int, list[int]] = {}
    for place, action in enumerate(actions):
        places.setdefault(suppression_number_for(rule, action), []).append(place)
    return places


def _silences(ticket: Ticket, at_ms: float, rule: TicketSilence, closes_ms: int) -> bool:
    if ticket.severity < rule.least_severity:
        return False
    if ticket.is_open:
        return still_open(ticket, at_ms, closes_ms)
    return at_ms < ticket.changed_at_ms + rule.after_resolved_ms
