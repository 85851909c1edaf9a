"""A new action is added late: it reaches its fair share, and never more customers than its ramp."""

from __future__ import annotations

from typing import NamedTuple

from streams.core.catalogue.values import Action
from streams.core.policy.ramp import ramp_ratios
from streams.core.state.customer import CustomerState
from tests.bench.decisions.town import Town, shop

CUSTOMERS, WAVE = 2_000, 400
RAMP = "ramp: {from: 0.02, full_after: 200}\n"
_OLD = [("tea_a", "tea"), ("tea_b", "tea"), ("cup_a", "cups"), ("cup_b", "cups")]
_NEW = ("jam_a", "jam")
# What customers truly respond with: the newcomer is the best.
RATES = {"tea_a": 0.10, "tea_b": 0.06, "cup_a": 0.12, "cup_b": 0.05, "jam_a": 0.25}


class Step(NamedTuple):
    """One wave after the newcomer came.

    `lessons` it had, the `ratio` of customers its ramp lets in, the share of all customers
    `reached` so far, its share of what was `shown`, and whether anybody got it who had not been
    let in (`beyond`) or who was let in is now out (`expelled`).
    """

    lessons: int
    ratio: float
    reached: float
    shown: float
    beyond: bool
    expelled: bool


def arrive(seed: int, before: int, after: int, ramp: str = RAMP) -> list[Step]:
    """Let the model learn for `before` waves, add the action, and go on for `after` waves."""
    town = Town([CustomerState() for _ in range(CUSTOMERS)], seed)
    old = shop(_OLD, more=ramp)
    for _ in range(before):
        town.answer(town.decide(town.decider(old), town.some(WAVE)), _rate)
    new = shop([*_OLD, _NEW], more=ramp)
    reached = set[str]()
    let_in = set[str]()
    steps = []
    for _ in range(after):
        decider = town.decider(new)
        decided = town.decide(decider, town.some(WAVE))
        place = [action.id for action in decider.actions].index(_NEW[0])
        shown = [d for d in decided if d.action is not None and d.action.id == _NEW[0]]
        candidates = {d.due.customer for d in decided if d.decision.fates[place] == "candidate"}
        dropped = {d.due.customer for d in decided} - candidates
        expelled = bool(dropped & let_in)
        let_in |= candidates
        got = {d.due.customer for d in shown}
        reached |= got
        known = town.evidence(decider)
        ratio = 1.0 if new.ramp is None else float(ramp_ratios(new.ramp, known)[place])
        steps.append(
            Step(
                lessons=int(known.lessons[place]),
                ratio=ratio,
                reached=len(reached) / CUSTOMERS,
                shown=len(shown) / max(sum(d.action is not None for d in decided), 1),
                beyond=not got <= candidates,
                expelled=expelled,
            )
        )
        town.answer(decided, _rate)
    return steps


def _rate(action: Action) -> float:
    return RATES[action.id]
