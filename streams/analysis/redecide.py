"""Deciding again what was decided, from the decisions log, under another catalogue.

A decision record holds what the model saw, what it said and what became of each action, but not
the customer's whole state. So rules that changed are evaluated again on the recorded features,
priorities are formed again from the recorded propensities, and what the record cannot tell stays
as logged:

- *rules that are the same* said what they said;
- *consent* is what the fates show;
- *contact rules, volume, slates, ramps*: a drop by a rule that both catalogues have stays. Limits
  that changed, and all limits for an action that reached them for the first time, are counted over
  the contacts of the log itself. That is the path that was taken: each decision is changed by
  itself, as if those before it had gone as they did. Changed suppressions, quiet hours, silences
  and budgets cannot be asked again; `unasked_rules` names them;
- *drift*: the extra exploration that a model version asked for is in no record and left out;
- a *new action* is seen through the features of its family, and its response is taken for the
  mean of its family's. It never was a candidate, so its value has no support in the log.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from schemas.records import Decision
from schemas.symbols import CHANNELS
from streams.analysis.logged_matrix import CONTACT, LoggedMatrix, is_late, keeps_fate, rules_of
from streams.core.arbitration.arms import TREATED
from streams.core.arbitration.inverse_gap import choose, priorities_of
from streams.core.arbitration.probabilities import ArbitrationInput, probabilities_of_wave
from streams.core.arrays import Mask
from streams.core.catalogue.service import SERVICE_FIRST, is_owed, is_service
from streams.core.catalogue.values import NO_ACTION, Action, Catalogue
from streams.core.features.action_axis import ActionAxis
from streams.core.features.wave import Floats, Wave
from streams.core.folds.contacts import record_contact
from streams.core.policy.contact.contact_limits import (
    Windows,
    channels_over_limit,
    limited,
    over_limit,
)
from streams.core.policy.engagement import EngagementPolicy
from streams.core.policy.funnel import CANDIDATE, Funnel
from streams.core.policy.ramp import TRIAL
from streams.core.state.customer import CustomerState


class ContactHistory:
    """The contacts of each customer as the log has them, decision after decision."""

    def __init__(self) -> None:
        self._contacts: dict[str, array[float]] = {}
        self._scratch = CustomerState()

    def before(self, decision: Decision) -> array[float]:
        """Return the customer's contacts before a decision; a copy."""
        known = self._contacts.get(decision.customer)
        return array("d") if known is None else array("d", known)

    def record(self, decision: Decision, catalogue: Catalogue) -> None:
        """Note what a decision did (or, held out, would have done) under its catalogue."""
        action = next((a for a in catalogue.actions if a.id == decision.chosen), None)
        if action is None:
            return
        used = next((t for t in action.treatments if t.id == decision.treatment), None)
        if used is None:
            return
        self._scratch.contacts = self._contacts.setdefault(decision.customer, array("d"))
        record_contact(
            self._scratch,
            decision.decided_at_ms,
            action.id,
            action.family,
            action.issue,
            used.channel,
            service=is_service(action),
        )


@dataclass(frozen=True, slots=True)
class Redecided:
    """n decisions decided again over the a actions of another catalogue and, last, `no_action`.

    `probabilities`, `logged` (the logged ones, 0 for a new action) are (n, a + 1); `propensities`
    (n, a) are those of the record; `target` (n,) is the new probability of the logged choice,
    `unsupported` (n,) that of actions which could not be chosen, `moved` (n,) the share of
    probability that moved to other actions; `chosen` (n,) the choice under the recorded draw.
    """

    names: tuple[str, ...]
    fates: list[list[str]]
    probabilities: Floats
    logged: Floats
    propensities: Floats
    target: Floats
    unsupported: Floats
    moved: Floats
    chosen: NDArray[np.intp]


class Redecider:
    """Decides recorded decisions again under one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.actions: tuple[Action, ...] = tuple(sorted(catalogue.actions, key=lambda a: a.id))
        self.names = (*(action.id for action in self.actions), NO_ACTION)
        self._axis = ActionAxis.of(catalogue.families, [action.key for action in self.actions])
        self._policy = EngagementPolicy(self.actions)
        self._rules = rules_of(catalogue)
        self._moments = sorted({m for action in self.actions for m in action.moments})
        self._values = np.array([action.value * action.lever for action in self.actions])
        self._shadow = np.array([action.shadow for action in self.actions])
        self._service = np.array([is_service(action) for action in self.actions])
        self._uses = np.array(
            [[c in {t.channel for t in a.treatments} for c in CHANNELS] for a in self.actions]
        )

    def decide(
        self, decisions: Sequence[Decision], old: Catalogue, contacts: Sequence[array[float]]
    ) -> Redecided:
        """Decide again what was decided under `old`, with this release's features.

        All decisions name the same actions; `contacts` are the customers' before each.
        """
        seen = LoggedMatrix(decisions, old, self.actions)
        funnel = Funnel(len(decisions), len(self.actions))
        self._engage(seen, old, funnel)
        wave = self._wave(seen, contacts)
        self._contact(seen, old, wave, funnel)
        weights = np.array([[a.weight(m) for a in self.actions] for m in seen.moments])
        silence = seen.silence_worth(old.bothering, self.catalogue.bothering)
        priorities = priorities_of(seen.propensities, weights, self._values, silence)
        probabilities = self._odds(seen, wave, priorities, funnel)
        owed = is_owed(funnel.candidates, self._service)
        funnel.drop(owed[:, None] & ~self._service, SERVICE_FIRST)
        logged, gone = seen.logged_probabilities()
        target = np.where(
            seen.chosen >= 0, probabilities[np.arange(len(decisions)), seen.chosen], 0.0
        )
        return Redecided(
            names=self.names,
            fates=[funnel.fates_of(row) for row in range(len(decisions))],
            probabilities=probabilities,
            logged=logged,
            propensities=seen.propensities,
            target=target,
            unsupported=np.where(logged <= 0, probabilities, 0.0).sum(axis=1),
            moved=(np.abs(probabilities - logged).sum(axis=1) + gone) / 2,
            chosen=choose(probabilities, seen.draws),
        )

    def _engage(self, seen: LoggedMatrix, old: Catalogue, funnel: Funnel) -> None:
        """Drop by consent and rules: as logged where nothing changed, else asked again.

        What is logged was asked of exact numbers; a record holds them to seven digits.
        """
        before = rules_of(old)
        same = np.array([self._rules[a.id] == before.get(a.id) for a in self.actions])
        for fate in seen.fate_names:
            if fate != CANDIDATE and not is_late(fate):
                funnel.drop(seen.has_fate(fate) & same, fate)
        if same.all():
            return
        known = [moment in self._moments for moment in seen.moments]
        funnel.drop(~np.array(known)[:, None] & ~same, "applicability:moment")
        stand_in = self._moments[0]
        moments = [m if k else stand_in for m, k in zip(seen.moments, known, strict=True)]
        asked = Funnel(len(moments), len(self.actions))
        self._policy.apply(moments, seen.natural, seen.consents, asked)
        fates = np.array([asked.fates_of(row) for row in range(len(moments))])
        for name in np.unique(fates).tolist():
            if name != CANDIDATE:
                funnel.drop((fates == name) & ~same, name)

    def _contact(
        self,
        seen: LoggedMatrix,
        old: Catalogue,
        wave: Wave,
        funnel: Funnel,
    ) -> None:
        """Drop what was dropped by rules that stay, and what is over a limit to be asked again."""
        freed = np.ones((len(seen.moments), len(self.actions)), bool)
        for fate in seen.fate_names:
            cells = seen.has_fate(fate)
            # Who is on trial, and whether service goes first, is said by the new catalogue alone.
            late = is_late(fate) and fate not in (TRIAL, SERVICE_FIRST)
            kept = late and keeps_fate(fate, old, self.catalogue)
            if kept:
                funnel.drop(cells, fate)
            if kept or fate in (CANDIDATE, SERVICE_FIRST):
                freed &= ~cells
        funnel.drop(self._shadow[None], TRIAL)
        local = [datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in seen.at_ms]
        windows = Windows(wave, local)
        same = set(old.contact.limits)
        for limit in self.catalogue.contact.limits:
            asked = freed | (limit not in same)
            if not asked.any():
                continue
            if limit.scope == "channel":
                closed = channels_over_limit(wave, windows, limit)
                over: Mask = ~((~closed)[:, None, :] & self._uses[None]).any(axis=2)
            else:
                over = over_limit(wave, windows, limit, limited(limit, self.actions))
            funnel.drop(over & asked, f"{CONTACT}{limit.id}")

    def _odds(self, seen: LoggedMatrix, wave: Wave, priorities: Floats, funnel: Funnel) -> Floats:
        """Return the probabilities of the treated, (n, a + 1), as `deciding` gives them."""
        arms, share = np.full(len(wave), TREATED), seen.natural["family_share"]
        standing = ArbitrationInput(wave, priorities, seen.propensities, share, arms, self._service)
        exploration = self.catalogue.exploration
        return probabilities_of_wave(standing, funnel.candidates, exploration, lessons=seen.lessons)

    def _wave(self, seen: LoggedMatrix, contacts: Sequence[array[float]]) -> Wave:
        states = []
        for each in contacts:
            state = CustomerState()
            state.contacts = each
            states.append(state)
        return Wave(states, seen.at_ms, seen.moments, self._axis)
