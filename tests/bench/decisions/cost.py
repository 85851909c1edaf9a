"""What a decision costs: processor time by number of actions and width of the wave."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from models.learning.bank import Bank
from models.learning.capture import take
from models.scoring import linear_scorer
from schemas.records import Trigger
from streams.core.decision.decider import Decider
from streams.core.decision.due import DecisionDue
from streams.core.decision.plan import Plan
from streams.core.features.definitions import FEATURE_VERSION
from streams.core.state.customer import CustomerState
from streams.shell.versions.catalogue_file import parse_catalogue
from tests.bench.road.catalogue import catalogue
from tests.bench.road.stages import Budget

_AFTER_MS = 1_705_320_000_000 + 6 * 86_400_000
_MOMENTS = ("browsing", "searching", "browsing", "order_placed")


class Cost(NamedTuple):
    """Microseconds of processor time a decision, records included, the best of some rounds."""

    actions: int
    wave: int
    us: float


def costs(
    actions: Sequence[int], waves: Sequence[int], customers: int, rounds: int = 3
) -> list[Cost]:
    """Decide for customers with a history under catalogues of a shop's rules and limits."""
    lived = Budget(customers * 12, customers)
    lived.measure()
    states = list(lived.states.values())[:customers]
    found = []
    for count in actions:
        decider = _decider(count, lived.bank)
        for wave in waves:
            # A thousand actions cost fifty times as much as twenty.
            some = states[: max(min(wave * 2, len(states)), 40_000 // count // 4)]
            dues = [_due(number, state) for number, state in enumerate(some)]
            found.append(Cost(count, wave, min(_measure(decider, dues, wave, rounds))))
    return found


def _decider(actions: int, bank: Bank) -> Decider:
    made = parse_catalogue(catalogue(actions).encode(), "bench catalogue")
    snapshot = take(bank)
    plan = Plan(made)
    return Decider(plan, linear_scorer(snapshot, plan.keys, FEATURE_VERSION), "bench")


def _due(number: int, state: CustomerState) -> DecisionDue:
    trigger = Trigger(
        id=str(number), topic="clickstream", partition=0, offset=number, seen_at_ms=_AFTER_MS
    )
    moment = _MOMENTS[number % len(_MOMENTS)]
    return DecisionDue(f"customer-{number}", state, moment, _AFTER_MS, 0, number, trigger)


def _measure(decider: Decider, dues: Sequence[DecisionDue], wave: int, rounds: int) -> list[float]:
    spent = []
    for _ in range(rounds):
        begun_s = time.thread_time()
        for start in range(0, len(dues), wave):
            decider.decide(dues[start : start + wave])
        spent.append((time.thread_time() - begun_s) / len(dues) * 1e6)
    return spent
