"""Logged decisions whose outcome is known: what a value is estimated from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.evaluation.policy_value import Row
from schemas.records import Lesson
from streams.core.folds.attribution import SETTLE_GRACE_MS


class UnsettledDecision(NamedTuple):
    """A decision whose reward is looked for; `worth` is the value of a reward."""

    at_ms: int
    published: bool
    worth: float
    row: Row


class Outcomes:
    """The rewards of settled decisions, and from when until when they tell all."""

    def __init__(self) -> None:
        self.labels: dict[str, float] = {}
        self.first_decided_ms = 0
        self.last_settled_ms = 0

    def note(self, lesson: Lesson, wanted: bool) -> None:
        """Note a lesson; its label is kept when `wanted`."""
        first = self.first_decided_ms or lesson.decided_at_ms
        self.first_decided_ms = min(first, lesson.decided_at_ms)
        self.last_settled_ms = max(self.last_settled_ms, lesson.settled_at_ms)
        if wanted:
            self.labels[lesson.decision_id] = lesson.label


class Settlement(NamedTuple):
    """Rows with their rewards, and how many decisions had none.

    `not_settled` are outside the time that is completely settled, `lost` were published and never
    settled.
    """

    rows: list[Row]
    not_settled: int
    lost: int


def settled_rows(
    waiting: Mapping[str, UnsettledDecision], outcomes: Outcomes, longest_window_ms: int
) -> Settlement:
    """Return the decisions whose outcome is known, `no_action` with a reward of 0.

    Only from the period for which everything is settled: otherwise `no_action`, whose outcome is
    known at once, would have too much weight.
    """
    from_ms = outcomes.first_decided_ms
    until_ms = outcomes.last_settled_ms - longest_window_ms - SETTLE_GRACE_MS
    rows = []
    not_settled = lost = 0
    for decision_id, each in waiting.items():
        label = outcomes.labels.get(decision_id)
        if not from_ms <= each.at_ms <= until_ms:
            not_settled += 1
        elif each.published and label is None:
            lost += 1
        else:
            rows.append(each.row._replace(reward=(label or 0.0) * each.worth))
    return Settlement(rows, not_settled, lost)
