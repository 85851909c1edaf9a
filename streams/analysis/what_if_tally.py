"""What a changed catalogue does to a log of decisions, counted wave after wave."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.evaluation.policy_value import Row
from schemas.records import Decision
from schemas.symbols import ARMS
from streams.analysis.logged_matrix import unasked_rules
from streams.analysis.redecide import ContactHistory, Redecided, Redecider
from streams.analysis.settled_decisions import Outcomes, UnsettledDecision, settled_rows
from streams.core.arbitration.arms import HOLDOUT, TREATED
from streams.core.catalogue.values import NO_ACTION, Catalogue
from streams.core.features.definitions import FEATURE_VERSION
from streams.core.hashing import id_hash

# The arms that the policy itself decides for; other arms have another one.
_BY_POLICY = {ARMS[TREATED], ARMS[HOLDOUT]}


@dataclass(frozen=True, slots=True)
class Example:
    """A customer who would have got another choice."""

    customer: str
    at_ms: int
    moment: str
    before: str
    after: str
    why_not: str


class Tally:
    """Decides waves again and counts what differs.

    `old_of` returns the catalogue of a version, or why there is none. Decisions before `since_ms`
    count as contacts only.
    """

    def __init__(
        self,
        new: Catalogue,
        old_of: Callable[[str], Catalogue | str],
        since_ms: int,
        examples: int,
    ) -> None:
        self.new = new
        self.decisions = self.by_policy = self.switched = 0
        self.moved = 0.0
        self.skipped: Counter[str] = Counter()
        self.drops_before: Counter[str] = Counter()
        self.drops_after: Counter[str] = Counter()
        self.changes: Counter[tuple[str, str]] = Counter()
        self.unsupported: Counter[str] = Counter()
        self.unasked: set[str] = set()
        self.examples: list[Example] = []
        self.longest_window_ms = 0
        self.not_settled = self.lost = 0
        self._old_of, self._since_ms, self._most = old_of, since_ms, examples
        self._redecider = Redecider(new)
        self._history = ContactHistory()
        self._waiting: dict[str, UnsettledDecision] = {}

    def waits_for(self, decision_id: str) -> bool:
        """Tell whether the reward of a decision is looked for."""
        return decision_id in self._waiting

    def add(self, wave: Sequence[Decision]) -> None:
        """Count decisions; those of a customer come in order."""
        alike: dict[str, list[tuple[Decision, array[float]]]] = defaultdict(list)
        for decision in wave:
            old = self._old_of(decision.catalogue_version)
            if isinstance(old, str):
                self.skipped[old] += 1
            elif decision.feature_version != FEATURE_VERSION:
                self.skipped["decided on the features of another release"] += 1
            elif old.currency != self.new.currency:
                # Its priorities are amounts, and those of two currencies cannot be compared.
                self.skipped[f"decided in {old.currency}, and this is in {self.new.currency}"] += 1
            else:
                before = self._history.before(decision)
                self._history.record(decision, old)
                if decision.decided_at_ms >= self._since_ms:
                    alike[decision.catalogue_version].append((decision, before))
        for version, members in alike.items():
            old = self._old_of(version)
            if isinstance(old, Catalogue):
                self._count([d for d, _ in members], [c for _, c in members], old)

    def _count(
        self, decisions: list[Decision], contacts: list[array[float]], old: Catalogue
    ) -> None:
        self.unasked.update(unasked_rules(old, self.new))
        windows = [action.reward.window_ms for action in old.actions]
        self.longest_window_ms = max([self.longest_window_ms, *windows])
        again = self._redecider.decide(decisions, old, contacts)
        self.decisions += len(decisions)
        self.drops_before.update(fate for d in decisions for fate in d.fates[:-1])
        self.drops_after.update(fate for fates in again.fates for fate in fates)
        new_mass = np.where(again.logged <= 0, again.probabilities, 0.0).sum(axis=0)
        for name, mass in zip(again.names, new_mass.tolist(), strict=True):
            if mass > 0:
                self.unsupported[name] += mass
        worth = self._worth(old)
        for row, decision in enumerate(decisions):
            if decision.arm in _BY_POLICY:
                self._compare(decision, again, row)
            if decision.arm == ARMS[TREATED]:
                self._waiting[decision.decision_id] = _waiting(decision, again, row, worth)

    def _worth(self, old: Catalogue) -> Mapping[str, float]:
        """The value of a reward, by the new catalogue; by the old one if it has no such action."""
        worth = {action.id: action.value for action in old.actions}
        return {**worth, **{a.id: a.value for a in self.new.actions}, NO_ACTION: 0.0}

    def _compare(self, decision: Decision, again: Redecided, row: int) -> None:
        self.by_policy += 1
        self.moved += float(again.moved[row])
        after = again.names[int(again.chosen[row])]
        if after == decision.chosen:
            return
        self.switched += 1
        self.changes[decision.chosen, after] += 1
        if len(self.examples) < self._most:
            fates = dict(zip(again.names, [*again.fates[row], "candidate"], strict=True))
            why_not = fates.get(decision.chosen, "no longer in the catalogue")
            self.examples.append(
                Example(
                    decision.customer,
                    decision.decided_at_ms,
                    decision.moment,
                    decision.chosen,
                    after,
                    why_not,
                )
            )

    def rows(self, outcomes: Outcomes) -> list[Row]:
        """Return the decisions whose outcome is known, `no_action` with a reward of 0."""
        found = settled_rows(self._waiting, outcomes, self.longest_window_ms)
        self.not_settled, self.lost = found.not_settled, found.lost
        return found.rows


def _waiting(
    decision: Decision, again: Redecided, row: int, worth: Mapping[str, float]
) -> UnsettledDecision:
    values = np.array([worth[name] for name in again.names[:-1]])
    expected = again.probabilities[row, :-1] * again.propensities[row] * values
    chosen = decision.actions.index(decision.chosen)
    value = worth[decision.chosen]
    found = Row(
        customer=id_hash(decision.customer),
        logged=decision.action_probability,
        target=float(again.target[row]),
        unsupported=float(again.unsupported[row]),
        reward=0.0,
        predicted=decision.propensities[chosen] * value,
        expected=float(expected.sum()),
    )
    return UnsettledDecision(decision.decided_at_ms, decision.published, value, found)
