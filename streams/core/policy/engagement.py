"""Engagement policy: consent and the three tiers of rules, for a whole wave at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from streams.core.catalogue.values import TIERS, Action
from streams.core.features.definitions import ACTION_FEATURES
from streams.core.moments import WATCHED_MOMENTS
from streams.core.policy.funnel import Funnel
from streams.core.rules.program import TRUE, Columns, Program

# What one pass over customers may hold at once: about a processor's nearest large cache, beyond
# which a wider wave only costs more per customer.
_PASS_BYTES = 2 * 1024 * 1024

_ACTION_FEATURES = frozenset(feature.name for feature in ACTION_FEATURES)


class EngagementPolicy:
    """The rules of a catalogue's actions as one program."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._compile(actions)
        self._close_gates(actions)

    def _compile(self, actions: Sequence[Action]) -> None:
        ranks: dict[tuple[int, str, str], int] = {}
        for tier, name in enumerate(TIERS):
            for action in actions:
                for rule in action.rules:
                    if rule.tier == name:
                        ranks.setdefault((tier, rule.id, rule.text), len(ranks))
        uses = [
            (ranks[TIERS.index(rule.tier), rule.id, rule.text], number, rule.test)
            for number, action in enumerate(actions)
            for rule in action.rules
        ]
        self._program = Program([(test.tree, n) for _, n, test in uses], _ACTION_FEATURES)
        most = max((len(action.rules) for action in actions), default=0)
        # Per action and its k-th rule: the slot that must be true and the reason when it is not.
        # The earlier a rule is asked, the higher its reason, so that a maximum finds the first.
        self._slots = np.full((most, len(actions)), TRUE, np.intp)
        self._reasons = np.zeros((most, len(actions), 1), np.int16)
        filled = [0] * len(actions)
        for (rank, number, _), slot in zip(uses, self._program.slots, strict=True):
            self._slots[filled[number], number] = slot
            self._reasons[filled[number], number] = len(ranks) - rank
            filled[number] += 1
        self._fates = [f"{TIERS[tier]}:{rule_id}" for tier, rule_id, _ in reversed(ranks)]

    def _close_gates(self, actions: Sequence[Action]) -> None:
        """Tabulate what is asked before the rules: the moment, then each consent.

        `_gates` has a row for each moment and each answer to the consents, and the reason against
        each action in it, or 0.
        """
        moments = sorted({moment for action in actions for moment in action.moments})
        self._moments = {moment: number for number, moment in enumerate(moments)}
        purposes = sorted({action.purpose for action in actions})
        self._consents = ("personalization", *purposes)
        reasons = ["applicability:moment", *(f"eligibility:consent_{p}" for p in self._consents)]
        first = len(self._fates) + len(reasons)
        self._fates += reversed(reasons)
        elsewhere = [[moment not in action.moments for action in actions] for moment in moments]
        watched = [moment in WATCHED_MOMENTS for moment in moments]
        served = np.array([[a.purpose == purpose for a in actions] for purpose in purposes])
        answers = list(product((False, True), repeat=len(self._consents)))
        gates = np.zeros((len(moments), len(answers), len(actions)), np.int16)
        for answer, (watchable, *given) in enumerate(answers):
            # From the last asked to the first, so that the first stays.
            for place in reversed(range(len(purposes))):
                if not given[place]:
                    gates[:, answer, served[place]] = first - 2 - place
            if not watchable:
                gates[watched, answer] = first - 1
        gates[np.broadcast_to(np.array(elsewhere)[:, None], gates.shape)] = first
        self._gates = gates.reshape(-1, len(actions))

    def apply(
        self,
        moments: Sequence[str],
        columns: Columns,
        consents: Mapping[str, NDArray[np.bool_]],
        funnel: Funnel,
    ) -> None:
        """Drop what the policy forbids: moment and consent first, then tier after tier.

        `columns` hold customer features as (n,) and action features as (n, a); `consents` are by
        purpose, (n,).
        """
        gate = np.array([self._moments[moment] for moment in moments], np.intp)
        for purpose in self._consents:
            gate = 2 * gate + consents[purpose]
        reasons = self._gates.take(gate, axis=0)
        if len(self._slots) and len(moments):
            # The earlier a reason is asked, the higher its number.
            reasons = np.maximum(reasons, self._first_reasons(columns, len(moments)))
        funnel.drop_each(reasons, self._fates)

    def _first_reasons(self, columns: Columns, customers: int) -> NDArray[np.int16]:
        """Return which rule each action fails first, counted from 1, or 0; shape (n, a)."""
        per_customer = self._program.bytes_per_row + 3 * self._slots.size
        step = max(1, _PASS_BYTES // per_customer)
        parts = [
            self._pass(columns, slice(start, min(start + step, customers)))
            for start in range(0, customers, step)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _pass(self, columns: Columns, rows: slice) -> NDArray[np.int16]:
        truths = self._program.run(columns, rows).take(self._slots, axis=0)
        failed = np.logical_not(truths, out=truths)
        # A product: `where` costs ten times as much with numbers this narrow.
        reasons: NDArray[np.int16] = np.multiply(failed, self._reasons, dtype=np.int16)
        first: NDArray[np.int16] = reasons.max(axis=0).T
        return first
