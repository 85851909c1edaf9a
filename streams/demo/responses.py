"""Simulated answers to next-best-actions.

The probability that a customer who sees an action clicks it is a logistic of hidden variables:
taste for the family, taste for the kind of action (issue), the appeal of the action itself, how the
moment suits the issue, whether they looked at that family lately, whether it came on their channel,
and the cost of last week's contacts. Untargeted this is 5 to 10 %; well targeted, above 30 %.
"""

from __future__ import annotations

from math import exp
from random import Random
from typing import NamedTuple

from schemas.records import NextBestAction
from streams.demo.event_builders import outcome
from streams.demo.seeded import chance, normal
from streams.demo.tastes import Tastes
from streams.feed.sent_event import Event

MINUTE_MS = 60_000
# Log-odds of a click by a customer who neither likes nor dislikes anything about the action.
_BASE = -3.2
_TASTE_WEIGHT = 1.5
_ISSUE_SPREAD = 0.4
_ACTION_SPREAD = 0.8
_FIT_SPREAD = 0.4
_ON_CHANNEL, _OFF_CHANNEL = 0.3, -0.1
_FRESH_INTEREST = 1.2
_ACCEPTS_SHARE = 0.6
_MOMENT_PULL = {
    "browsing": 0.1,
    "searching": 0.2,
    "cart_left": 0.3,
    "signed_up": -0.3,
    "refunded": -0.6,
    "ticket_opened": -0.6,
    "gone_quiet": -0.4,
    "replenishment_due": 0.3,
}
# How likely the message is seen at all, and how long that takes on average.
_SEEN = {
    "web": (0.9, MINUTE_MS // 4),
    "app": (0.85, 5 * MINUTE_MS),
    "email": (0.8, 90 * MINUTE_MS),
    "sms": (0.95, 10 * MINUTE_MS),
    "call_center": (0.75, 60 * MINUTE_MS),
}
_SEEN_ELSEWHERE = (0.7, 60 * MINUTE_MS)


class Context(NamedTuple):
    """What surrounds an action: contacts of the last week, and a recent look at its family."""

    recent_contacts: int
    interested: bool


def click_probability(seed: int, action: NextBestAction, tastes: Tastes, context: Context) -> float:
    """Return P(click | seen) in 0..1: the hidden truth that learning tries to find."""
    log_odds = (
        _BASE
        + _TASTE_WEIGHT * tastes.liking(action.family)
        + _ISSUE_SPREAD * normal(seed, "issue", action.customer, action.issue)
        + _ACTION_SPREAD * normal(seed, "action", action.action)
        + _FIT_SPREAD * normal(seed, "fit", action.moment, action.issue)
        + _MOMENT_PULL.get(action.moment, 0.0)
        + (_ON_CHANNEL if action.channel == tastes.channel else _OFF_CHANNEL)
        + (_FRESH_INTEREST if context.interested else 0.0)
        - tastes.bother * context.recent_contacts
    )
    return 1.0 / (1.0 + exp(-log_odds))


def answer(seed: int, action: NextBestAction, tastes: Tastes, context: Context) -> list[Event]:
    """Return the outcomes of an action in order of time, all later than the decision.

    The same seed, action and context give the same outcomes. An action that is seen too late
    (`valid_until_ms`) gets no answer.
    """
    rng = chance(seed, "answer", action.decision_id)
    written = _Written(action)
    at_ms = action.decided_at_ms + rng.randrange(200, 3_000)
    written.add("delivered", at_ms)
    seen_share, wait_ms = _SEEN.get(action.channel, _SEEN_ELSEWHERE)
    seen, at_ms = rng.random() < seen_share, at_ms + 1 + int(rng.expovariate(1.0 / wait_ms))
    if not seen or at_ms > action.valid_until_ms:
        return written.events
    written.add("impression", at_ms)
    at_ms += rng.randrange(2_000, 60_000)
    if rng.random() < click_probability(seed, action, tastes, context):
        written.add("click", at_ms)
        if rng.random() < _ACCEPTS_SHARE:
            written.add("accept", at_ms + rng.randrange(5_000, 20 * MINUTE_MS))
    elif refusal := _refusal(rng, tastes, context):
        written.add(refusal, at_ms)
    return written.events


def _refusal(rng: Random, tastes: Tastes, context: Context) -> str | None:
    annoyance = tastes.bother * (1 + context.recent_contacts)
    draw = rng.random()
    if draw < 0.004 * annoyance:
        return "unsubscribe"
    return "reject" if draw < 0.03 + 0.05 * annoyance else None


class _Written:
    def __init__(self, action: NextBestAction) -> None:
        self._action = action
        self.events: list[Event] = []

    def add(self, kind: str, at_ms: int) -> None:
        action = self._action
        self.events.append(
            outcome(
                f"sim-{kind}-{action.decision_id}",
                action.customer,
                at_ms,
                kind,
                decision_id=action.decision_id,
                channel=action.channel,
            )
        )
