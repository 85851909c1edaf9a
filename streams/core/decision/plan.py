"""A catalogue made ready for waves: everything that does not depend on a model, built once."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask
from streams.core.catalogue.service import is_service
from streams.core.catalogue.values import Catalogue
from streams.core.features.action_axis import ActionAxis
from streams.core.folds.contacts import (
    AnswerSubject,
)
from streams.core.hashing import name_number
from streams.core.policy.budgets import is_in
from streams.core.policy.contact.contact_policy import (
    ContactPolicy,
)
from streams.core.policy.engagement import EngagementPolicy
from streams.core.policy.funnel import Funnel

# The fate of an action that comes too late to be carried out.
OUTDATED = "time:outdated"
# The fate of marketing if much newer events were processed before the one that is answered.
OUT_OF_ORDER = "time:out_of_order"


class Plan:
    """The actions of a catalogue (a), by id, and what is asked of them as arrays and programs."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        # By id, so that moving an action within the file changes no draw and no record.
        self.actions = tuple(sorted(catalogue.actions, key=lambda action: action.id))
        self.about = {name_number(each.id): AnswerSubject.of(each) for each in self.actions}
        self.keys = [action.key for action in self.actions]
        # What is on trial changes nothing, so it makes no decision due.
        live = [action for action in self.actions if not action.shadow]
        self.moments = frozenset(moment for action in live for moment in action.moments)
        # For how long at most service is still owed by a moment.
        self.owed_ms: dict[str, int] = {}
        for action in filter(is_service, live):
            for moment in action.moments:
                self.owed_ms[moment] = max(self.owed_ms.get(moment, 0), action.valid_ms)
        self.axis = ActionAxis.of(
            catalogue.families, self.keys, catalogue.answers, catalogue.timers.ticket_closes_ms
        )
        self.policy = EngagementPolicy(self.actions)
        self.service = np.array([is_service(action) for action in self.actions])
        self.contact = ContactPolicy(catalogue.contact, self.actions)
        self.values = np.array([action.value * action.lever for action in self.actions])
        self.weights = {
            moment: np.array([action.weight(moment) for action in self.actions])
            for moment in self.moments
        }
        self._valid_ms = np.array([action.valid_ms for action in self.actions])
        most = max(len(action.treatments) for action in self.actions)
        self._budgets = {
            budget.id: np.array(
                [
                    [is_in(budget, action, t.channel) for t in action.treatments]
                    + [False] * (most - len(action.treatments))
                    for action in self.actions
                ]
            )
            for budget in catalogue.budgets
        }

    def drop_outdated(self, late_ms: Sequence[int], funnel: Funnel) -> None:
        """Drop the actions whose time would be over before a channel could hear of them."""
        if any(late_ms):
            funnel.drop(np.array(late_ms)[:, None] >= self._valid_ms, OUTDATED)

    def drop_out_of_order(self, out_of_order: Sequence[bool], funnel: Funnel) -> None:
        """Leave only service to answer an event that much newer ones overtook."""
        if any(out_of_order):
            funnel.drop(np.array(out_of_order)[:, None] & ~self.service, OUT_OF_ORDER)

    def used_up(self, closed: AbstractSet[str]) -> list[tuple[str, Mask]]:
        """Return for each closed budget its fate and the treatments it is about, (a, most)."""
        return [
            (f"volume:{each}", self._budgets[each])
            for each in sorted(closed & self._budgets.keys())
        ]

    def within_budget(self, budget_id: str, treatments: NDArray[np.intp]) -> Mask:
        """Tell what a budget is about, (n, a); nothing when this catalogue has no such budget."""
        by_treatment = self._budgets.get(budget_id)
        if by_treatment is None:
            return np.zeros(treatments.shape, bool)
        of_treatment: Mask = by_treatment[np.arange(len(self.actions)), treatments]
        return of_treatment
