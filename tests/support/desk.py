"""A support desk with two answers to a ticket, and everything that could keep one back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.protocol import ActionKey, Evidence, Scorer, no_evidence
from models.scoring import PriorScorer
from schemas.records import Decision, NextBestAction, TimelineRecord
from tests.support.events import Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

# Two answers to a ticket, an offer by the same moment, and everything that could drop one of them.
DESK = """
name: Desk
currency: EUR
exploration: {gamma: 5, floor: 0.05, discovery: 0.4}
no_action: {priority: 50}
cool_down_seconds: 0
tickets: {silence: false}
consent: {marketing: opt_out, personalization: opt_out}
ramp: {from: 0.01, full_after: 100}
slates: {browsing: 3}
families: [tea, coffee]
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [click], window_hours: 1}
    valid_hours: 1
    families:
      - each: all
        actions:
          - {id: "offer_{family}", moments: [ticket_opened, browsing, searching], value: 900,
             treatments: [{id: shelf, channel: web, message: "Buy"}]}
  - id: care
    purpose: service
    reward: {outcomes: [click, accept], window_hours: 1}
    valid_hours: 1
    actions:
      - {id: we_have_it, moments: [ticket_opened, browsing], value: 1, ramp: true,
         treatments: [{id: call, channel: call_center, message: "Call."},
                      {id: note, channel: app, message: "We have it."}]}
      - {id: read_this, moments: [ticket_opened], value: 3, ramp: true,
         rules: {applicability: [again: tickets_30d > 1.5]},
         treatments: [{id: letter, channel: email, message: "Read this."}]}
"""
FOUR_ARMS = "holdout_ratio: 0.4\narms: {random: 0.2, model_only: 0.2}\n"


class SettledScorer(PriorScorer):
    """A model that settled long before its newest actions, and drifts."""

    @property
    def version(self) -> str:
        return "000000009000"

    @property
    def evidence(self) -> Evidence:
        count = len(self.actions)
        return no_evidence(count)._replace(
            overall=9_000, began_at=np.full(count, 8_000.0), drift_boost=np.full(count, 4.0)
        )


class Settled(MemoryVersions):
    """Versions whose one model has settled."""

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        return SettledScorer(actions, 0.02)


class Desk:
    """A log under the desk's catalogue."""

    def __init__(self, more: str = "") -> None:
        catalogue = load(DESK.replace("name: Desk\n", f"name: Desk\n{more}"))
        self.feed, self.log, self.end = Feed(), Log(Settled(catalogue)), 0
        self.write(use(catalogue))

    def write(self, *records: TimelineRecord) -> list[tuple[Decision, NextBestAction | None]]:
        out = self.log.play(numbered(records, self.end))
        self.end += len(records)
        actions = {action.decision_id: action for action in out.actions}
        self.lessons = out.lessons
        return [(d, actions.get(d.decision_id)) for d in out.decisions]

    def ticket(self, who: str, at_ms: int) -> tuple[Decision, NextBestAction]:
        (pair,) = self.write(self.feed.support(who, at_ms, ticket_id=f"t{at_ms}"))
        decision, action = pair
        assert action is not None
        return decision, action


def fates(decision: Decision) -> dict[str, str]:
    return dict(zip(decision.actions, decision.fates, strict=True))


def chances(decision: Decision) -> dict[str, float]:
    return dict(zip(decision.actions, decision.probabilities, strict=True))
