"""Turns: one customer's way through a segment of the log, up to their next moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.records import CustomerEvent, Outcome, Profile, Purchase, Support, Trigger
from streams.core.catalogue.contact_rules import After, ContactRules
from streams.core.catalogue.values import Timers
from streams.core.decision.decider import Decider
from streams.core.decision.decision_records import DecidedWave
from streams.core.decision.due import DecisionDue, Slate, trigger_of
from streams.core.folds.attribution import (
    credit_outcome,
    credit_purchase,
    is_ignored,
    settle,
    shows_response,
)
from streams.core.folds.contacts import AnswerSubject, record_refusal, record_response
from streams.core.folds.fold import (
    fold,
    keep_refusal,
    keep_refusal_of_a_repeat,
    record_duplicate,
    record_origin,
    repeat_of,
)
from streams.core.folds.outcome_time import dated_at_decision
from streams.core.folds.purchases import without_money
from streams.core.folds.support import is_superseded
from streams.core.moments import FRESH_MS, MOMENT_OF_EVENT, QUIET_OVER, SESSION_MOMENTS
from streams.core.state.customer import CustomerState, Pending
from streams.core.state.layout import HEAD
from streams.core.state.timers import (
    drop_past_timers,
    fire,
    is_due,
    is_over,
    moment_of,
    pending_timers,
)

_LAST_DECISION = HEAD["last_decision_ms"]
_NEWEST = HEAD["newest_event_ms"]
_NO_CATALOGUE_TIMERS = Timers()
_NO_CATALOGUE_CONTACT = ContactRules()


@dataclass(slots=True)
class CustomerRun:
    """One customer in a segment: the events and timers to be applied, and how many are done.

    `next_place` of a slate is decided before anything else. `timers` are due at the tick with
    offset `tick_offset` and time `tick_ms`; `brought` are the moments that they have fired so far.
    """

    customer: str
    state: CustomerState
    events: list[tuple[int, CustomerEvent]] = field(default_factory=list)
    timers: Sequence[tuple[int, str]] = ()
    tick_offset: int = -1
    tick_ms: int = 0
    next_place: DecisionDue | None = None
    brought: frozenset[str] = frozenset()
    timers_done: int = 0
    events_done: int = 0


class Segment:
    """A stretch of the log between two barriers, with the versions in use throughout it."""

    def __init__(
        self,
        partition: int,
        decider: Decider | None,
        notes: Counter[str],
        closed: frozenset[str] = frozenset(),
    ) -> None:
        self.partition = partition
        self.decider = decider
        self.timers = decider.catalogue.timers if decider else _NO_CATALOGUE_TIMERS
        self._contact = decider.catalogue.contact if decider else _NO_CATALOGUE_CONTACT
        self._about: Mapping[float, AnswerSubject] = decider.about if decider else {}
        # Before the first catalogue every order is taken to be in the currency that is to come.
        self._currency = decider.catalogue.currency if decider else ""
        self.notes = notes
        self.closed = closed
        self.decided: list[DecidedWave] = []

    def next_due(self, turn: CustomerRun) -> DecisionDue | None:
        """Apply what is waiting up to and including the next moment; None at the end."""
        if turn.next_place is not None:
            place, turn.next_place = turn.next_place, None
            return place
        while turn.timers_done < len(turn.timers):
            due_ms, name = turn.timers[turn.timers_done]
            turn.timers_done += 1
            if not is_due(turn.state, name, due_ms):
                continue
            moment = moment_of(turn.state, name)
            fire(turn.state, name)
            # After an outage one tick may bring a moment and the same one held back by quiet hours.
            over = name == QUIET_OVER and is_over(turn.state, moment, turn.tick_ms)
            if over or moment in turn.brought:
                continue
            turn.brought |= {moment}
            if self._decides(moment):
                self.notes[f"moment:{moment}"] += 1
                trigger = Trigger(
                    id=f"timer:{name}:{due_ms}",
                    topic="timeline",
                    partition=self.partition,
                    offset=turn.tick_offset,
                    seen_at_ms=turn.tick_ms,
                )
                return self._due(turn, moment, turn.tick_ms, turn.tick_offset, trigger)
        while turn.events_done < len(turn.events):
            offset, event = turn.events[turn.events_done]
            turn.events_done += 1
            if (due := self._apply(turn, offset, event)) is not None:
                return due
        return None

    def _decides(self, moment: str | None) -> bool:
        return self.decider is not None and moment in self.decider.moments

    def _apply(self, turn: CustomerRun, offset: int, event: CustomerEvent) -> DecisionDue | None:
        state = turn.state
        if offset <= state.applied_offset:
            self.notes["already_applied"] += 1
            return None
        state.applied_offset = offset
        if isinstance(event, Outcome):
            event = dated_at_decision(state, event)
        if (repeat := repeat_of(state, event)) is not None:
            self.notes[repeat] += 1
            if repeat == "duplicate":
                record_duplicate(state, event)
                keep_refusal_of_a_repeat(state, event)
                if isinstance(event, Outcome):
                    self._credit_repeat(state, event)
            elif repeat == "erased":
                # So that its own replay is known even if it is dated later (on topics that
                # producers stamp) than the erasure.
                record_origin(state, event.origin)
                keep_refusal(state, event)
            return None
        newest_ms = state.head[_NEWEST]
        fate = "folded"
        if isinstance(event, Purchase) and event.currency != self._currency and self._currency:
            event, fate = without_money(event), "folded_without_money"
        self._credit(state, event)
        before = pending_timers(state) if event.origin.stale else None
        fold(state, event, self.timers)
        if before is not None:
            drop_past_timers(state, before, event.origin.seen_at_ms)
        self.notes[fate] += 1
        moment = MOMENT_OF_EVENT.get((type(event).__name__, event.kind))
        if moment is None or not self._decides(moment):
            return None
        self.notes[f"moment:{moment}"] += 1
        if event.origin.stale:
            return None
        if event.at_ms < newest_ms - FRESH_MS:
            return self._owed_late(turn, offset, event, moment, newest_ms)
        if moment in SESSION_MOMENTS and self._cooling_down(state, event.at_ms):
            return None
        due = self._due(turn, moment, event.at_ms, offset, trigger_of(event))
        # A profile tells what a customer wants of a channel, not where they are.
        channel = due.channel if isinstance(event, Profile) else event.channel
        late_ms = event.origin.late_ms
        if late_ms or channel != due.channel:
            return due._replace(late_ms=late_ms, channel=channel)
        return due

    def _owed_late(
        self, turn: CustomerRun, offset: int, event: CustomerEvent, moment: str, newest_ms: float
    ) -> DecisionDue | None:
        """Return what service still owes for an event that much newer ones overtook.

        It is decided with what is known by now, so at the latest time there is, and never before a
        contact that was made. Where the customer is now, the event does not tell.
        """
        assert self.decider is not None
        state = turn.state
        at_ms = int(max(newest_ms, state.head[_LAST_DECISION]))
        late_ms = max(event.origin.late_ms, at_ms - event.at_ms)
        if late_ms >= self.decider.owed_ms.get(moment, 0):
            return None
        if moment in SESSION_MOMENTS and self._cooling_down(state, at_ms):
            return None
        if isinstance(event, Support) and is_superseded(state, event):
            return None
        due = self._due(turn, moment, at_ms, offset, trigger_of(event))
        return due._replace(late_ms=late_ms, out_of_order=True)

    def _due(
        self, turn: CustomerRun, moment: str, at_ms: int, offset: int, trigger: Trigger
    ) -> DecisionDue:
        return DecisionDue(
            turn.customer, turn.state, moment, at_ms, self.partition, offset, trigger
        )

    def _credit(self, state: CustomerState, event: CustomerEvent) -> None:
        if isinstance(event, Purchase):
            credit_purchase(state, event)
        elif isinstance(event, Outcome):
            pending = credit_outcome(state, event)
            self.notes[f"{'unmatched' if pending is None else 'outcome'}:{event.kind}"] += 1
            record_refusal(state, self._contact.suppressions, event, pending, self._about)

    def _credit_repeat(self, state: CustomerState, event: Outcome) -> None:
        """Credit what may have counted before as far as that changes nothing if it did.

        A no under a rule that counts several in a row is left out: it must not count twice.
        """
        once = [rule for rule in self._contact.suppressions if rule.times == 1]
        record_refusal(state, once, event, credit_outcome(state, event), self._about)

    def settle(self, state: CustomerState, at_ms: int) -> list[Pending]:
        """Take the decisions whose window is over; what was ignored too often is suppressed."""
        settled = settle(state, at_ms)
        for pending in settled:
            if shows_response(pending) and (pending.rewarded or is_ignored(pending)):
                says: After | None = None if pending.rewarded else "ignored"
                about = AnswerSubject.by(pending)
                record_response(state, self._contact.suppressions, says, about, at_ms)
        return settled

    def go_on(self, turn: CustomerRun, decided: DecidedWave) -> None:
        """Ask for the next position of a slate, unless it is full or `no_action` was chosen."""
        assert self.decider is not None
        due, action = decided.due, decided.action
        places = self.decider.catalogue.slates.get(due.moment, 1)
        if action is None or due.out_of_order or due.slate.position >= places:
            return
        slate = Slate(
            due.slate.position + 1,
            due.slate.first_id or decided.decision.decision_id,
            (*due.slate.actions, action.id),
            (*due.slate.families, *([action.family] if action.family else [])),
        )
        turn.next_place = due._replace(slate=slate)

    def _cooling_down(self, state: CustomerState, at_ms: int) -> bool:
        assert self.decider is not None
        return at_ms - state.head[_LAST_DECISION] < self.decider.catalogue.cool_down_ms
