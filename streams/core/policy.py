"""Engagement policy: consent and the three tiers of rules, for a whole wave at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.core.catalogue import TIERS, Action, Rule
from streams.core.funnel import Funnel
from streams.core.moments import WATCHED_MOMENTS
from streams.core.wave import Floats


class EngagementPolicy:
    """The rules of a catalogue's actions, each text evaluated once per wave."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._rules: list[tuple[Rule, NDArray[np.bool_]]] = []
        for tier in TIERS:
            users: dict[tuple[str, str], tuple[Rule, NDArray[np.bool_]]] = {}
            for number, action in enumerate(actions):
                for rule in action.rules:
                    if rule.tier == tier:
                        fresh = (rule, np.zeros(len(actions), bool))
                        users.setdefault((rule.id, rule.text), fresh)[1][number] = True
            self._rules.extend(users.values())
        self._moments = {
            moment: np.array([moment in action.moments for action in actions])
            for moment in {moment for action in actions for moment in action.moments}
        }
        self._purposes = {
            purpose: np.array([action.purpose == purpose for action in actions])
            for purpose in {action.purpose for action in actions}
        }

    def apply(
        self,
        moments: Sequence[str],
        columns: dict[str, Floats],
        consents: dict[str, NDArray[np.bool_]],
        funnel: Funnel,
    ) -> None:
        """Drop what the policy forbids, tier after tier.

        `columns` hold customer features as (n,) and action features as (n, a); `consents` say
        per purpose who may be served, (n,).
        """
        here = np.array([self._moments[moment] for moment in moments])
        funnel.drop(~here, "applicability:moment")
        watched = np.array([moment in WATCHED_MOMENTS for moment in moments])
        unwatched = (watched & ~consents["personalization"])[:, None]
        funnel.drop(unwatched, "eligibility:consent_personalization")
        for purpose, actions in self._purposes.items():
            funnel.drop(actions & ~consents[purpose][:, None], f"eligibility:consent_{purpose}")
        grid = {
            name: column[:, None] if column.ndim == 1 else column
            for name, column in columns.items()
        }
        for rule, actions in self._rules:
            funnel.drop(actions & ~rule.test.tree.holds(grid), f"{rule.tier}:{rule.id}")
