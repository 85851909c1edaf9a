"""What a challenger would have done, counted beside what was done; and how well it foresaw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.evaluation.confidence_sequences import Interval, mean
from models.evaluation.policy_value import PolicyValue, Row, evaluate
from models.quality import LEAST_PROBABILITY, Quality
from schemas.records import Challenge, Decision
from schemas.symbols import ARMS
from streams.analysis.settled_decisions import Outcomes, UnsettledDecision, settled_rows
from streams.core.arbitration.arms import HOLDOUT, TREATED
from streams.core.catalogue.values import NO_ACTION, Catalogue
from streams.core.hashing import id_hash

# The arms that the policy itself decides for; other arms have another one.
_BY_POLICY = {ARMS[TREATED], ARMS[HOLDOUT]}


class Forecast(NamedTuple):
    """What both models said of one published action, and whose decision it was."""

    customer: int
    at_ms: int
    in_use: float
    challenger: float


@dataclass(frozen=True, slots=True)
class ForecastQuality:
    """How well both foresaw the same settled outcomes, each asked before it learned them.

    `gain` is by how much the challenger's log-loss is lower, per outcome, in nats.
    """

    in_use: Quality
    challenger: Quality
    gain: Interval


class ChallengerComparison:
    """One challenger's decisions beside those of the model in use."""

    def __init__(self) -> None:
        self.decisions = self.same = 0
        self.moved = 0.0
        self.first_ms = self.last_ms = 0
        # Of the values; that of the first decision.
        self.currency = ""
        self.changes: Counter[tuple[str, str]] = Counter()
        self.longest_window_ms = 0
        self.not_settled = self.lost = 0
        self._waiting: dict[str, UnsettledDecision] = {}
        self._foreseen: dict[str, Forecast] = {}

    def waits_for(self, decision_id: str) -> bool:
        """Tell whether the outcome of a decision is looked for."""
        return decision_id in self._waiting

    def add(self, decision: Decision, rival: Challenge, catalogue: Catalogue) -> None:
        """Count a decision made under a catalogue."""
        at_ms = decision.decided_at_ms
        self.currency = self.currency or catalogue.currency
        self.first_ms = min(self.first_ms or at_ms, at_ms)
        self.last_ms = max(self.last_ms, at_ms)
        self.decisions += 1
        self.same += rival.chosen == decision.chosen
        difference = np.abs(np.array(rival.probabilities) - np.array(decision.probabilities))
        self.moved += float(difference.sum()) / 2
        if rival.chosen != decision.chosen:
            self.changes[decision.chosen, rival.chosen] += 1
        windows = [action.reward.window_ms for action in catalogue.actions]
        self.longest_window_ms = max([self.longest_window_ms, *windows])
        if decision.arm == ARMS[TREATED]:
            chosen = decision.actions.index(decision.chosen)
            who = id_hash(decision.customer)
            self._waiting[decision.decision_id] = _waiting(decision, rival, catalogue, chosen)
            if decision.published:
                self._foreseen[decision.decision_id] = Forecast(
                    who, at_ms, decision.propensities[chosen], rival.propensities[chosen]
                )

    def worth(self, outcomes: Outcomes) -> PolicyValue | None:
        """Estimate what its choices would have earned; None before anything is settled."""
        found = settled_rows(self._waiting, outcomes, self.longest_window_ms)
        self.not_settled, self.lost = found.not_settled, found.lost
        return evaluate(found.rows)

    def foresight(self, outcomes: Outcomes) -> ForecastQuality | None:
        """Compare both models on the outcomes that are known; None before the first."""
        in_use, challenger = Quality(), Quality()
        gains: list[float] = []
        customers: list[int] = []
        for decision_id, said in self._foreseen.items():
            label = outcomes.labels.get(decision_id)
            if label is None:
                continue
            in_use.update(said.in_use, label > 0)
            challenger.update(said.challenger, label > 0)
            gains.append(_loss(said.in_use, label > 0) - _loss(said.challenger, label > 0))
            customers.append(said.customer)
        if not gains:
            return None
        clusters = np.array(customers, np.uint64).astype(np.int64)
        return ForecastQuality(in_use, challenger, mean(np.array(gains), clusters=clusters))


class ChallengerComparisons:
    """The bout of every challenger in a log, by its name.

    `catalogue_of` returns the catalogue of a version, or why there is none.
    """

    def __init__(self, catalogue_of: Callable[[str], Catalogue | str]) -> None:
        self.by_name: dict[str, ChallengerComparison] = {}
        self.in_use: dict[str, str] = {}
        self.skipped: Counter[str] = Counter()
        self.unchallenged = 0
        self._catalogue_of = catalogue_of

    def add(self, decision: Decision) -> None:
        """Count a decision with a challenger, if it is of an arm that the policy decides for."""
        rival = decision.challenger
        if rival is None:
            self.unchallenged += 1
            return
        catalogue = self._catalogue_of(decision.catalogue_version)
        if isinstance(catalogue, str):
            self.skipped[catalogue] += 1
        elif decision.arm in _BY_POLICY:
            bout = self.by_name.setdefault(rival.model, ChallengerComparison())
            if bout.currency not in ("", catalogue.currency):
                # Values in two currencies cannot be added.
                self.skipped[f"in {catalogue.currency}, others are in {bout.currency}"] += 1
                return
            bout.add(decision, rival, catalogue)
            self.in_use[rival.model] = catalogue.scored_by

    def waits_for(self, decision_id: str) -> bool:
        """Tell whether the outcome of a decision is looked for."""
        return any(bout.waits_for(decision_id) for bout in self.by_name.values())


def _waiting(
    decision: Decision, rival: Challenge, catalogue: Catalogue, chosen: int
) -> UnsettledDecision:
    value_of = {action.id: action.value for action in catalogue.actions} | {NO_ACTION: 0.0}
    values = np.array([value_of.get(name, 0.0) for name in decision.actions])
    logged, target = np.array(decision.probabilities), np.array(rival.probabilities)
    # Silence last: it has a propensity in the record, and no value.
    expected = target * np.array(decision.propensities) * values
    row = Row(
        customer=id_hash(decision.customer),
        logged=decision.action_probability,
        target=float(target[chosen]),
        unsupported=float(target[logged <= 0].sum()),
        reward=0.0,
        predicted=decision.propensities[chosen] * float(values[chosen]),
        expected=float(expected.sum()),
    )
    return UnsettledDecision(decision.decided_at_ms, decision.published, float(values[chosen]), row)


def _loss(propensity: float, label: bool) -> float:
    p = min(max(propensity, LEAST_PROBABILITY), 1.0 - LEAST_PROBABILITY)
    return -float(np.log(p if label else 1.0 - p))
