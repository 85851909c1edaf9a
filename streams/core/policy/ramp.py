"""Ramp: a new action begins with few customers, and one on trial has none.

Service has no ramp, whatever the catalogue says: it is owed.

An action is *new* if the model had settled before the action's first lesson. It then reaches a
share of customers that grows with its lessons. Assignment is a salted hash of customer and action,
so it is the same in a replay, and it is sticky: shares only grow from one version of a model to the
next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.protocol import Evidence
from streams.core.arrays import Mask
from streams.core.catalogue.service import SERVICE_FIRST, Flags, is_owed, is_service
from streams.core.catalogue.values import Action, Ramp
from streams.core.features.wave import Floats
from streams.core.hashing import id_hash, uniforms
from streams.core.policy.funnel import Funnel

RAMP, TRIAL = "reach:ramp", "reach:shadow"


def ramp_ratios(ramp: Ramp, evidence: Evidence) -> Floats:
    """Return the share of customers that each action may reach, in (0, 1], shape (a,)."""
    settled = evidence.overall >= ramp.settled_lessons
    new = settled & (evidence.began_at >= ramp.settled_lessons)
    grown = np.minimum(evidence.lessons / ramp.full_after_lessons, 1.0)
    ratios: Floats = np.where(new, ramp.start_ratio + (1.0 - ramp.start_ratio) * grown, 1.0)
    return ratios


class RampPolicy:
    """Who may get which of a catalogue's actions, under one model version."""

    def __init__(
        self, actions: Sequence[Action], ramp: Ramp | None, evidence: Evidence, salt: str
    ) -> None:
        self._trial = np.array([action.shadow for action in actions])
        self._service = np.array([is_service(action) for action in actions])
        self._limited: list[tuple[int, int, float]] = []
        if ramp is not None:
            for place, ratio in enumerate(ramp_ratios(ramp, evidence).tolist()):
                action = actions[place]
                if ratio < 1.0 and action.ramped and not (action.shadow or is_service(action)):
                    self._limited.append((place, id_hash(f"{salt}/ramp/{action.id}"), ratio))

    def apply(self, customers: NDArray[np.uint64], funnel: Funnel) -> tuple[Mask | None, Flags]:
        """Drop actions for customers outside their ramp; `customers` are id hashes, (n,).

        Returns the candidates if actions on trial took part, (n, a), None without any; and for
        which customers service is owed, (n,).
        """
        if self._limited:
            beyond = np.zeros((len(customers), len(self._trial)), bool)
            for place, salt, ratio in self._limited:
                beyond[:, place] = uniforms(customers, salt) >= ratio
            funnel.drop(beyond, RAMP)
        owed = is_owed(funnel.candidates & ~self._trial, self._service)
        funnel.drop(owed[:, None] & ~self._service, SERVICE_FIRST)
        if not self._trial.any():
            return None, owed
        taking_part = funnel.candidates
        funnel.drop(self._trial[None], TRIAL)
        return taking_part, owed

    def on_trial(self, taking_part: Mask) -> NDArray[np.bool_]:
        """Tell for which customers any action on trial takes part, (n,)."""
        some: NDArray[np.bool_] = taking_part[:, self._trial].sum(axis=1) > 0
        return some
