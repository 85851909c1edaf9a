"""Logged probabilities are exact: how often each action is drawn, against what was logged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.protocol import no_evidence
from schemas.records import Click, Origin
from streams.core.catalogue.values import NO_ACTION, Timers
from streams.core.decision.decider import Decider
from streams.core.decision.plan import Plan
from streams.core.folds.fold import fold
from streams.core.state.customer import CustomerState
from tests.bench.decisions.town import NOON_MS, HabitScorer, Town, scored_by, shop

FAMILIES = ("tea", "coffee", "cups", "jam", "books", "lamps", "soap", "toys")
# Everything that bends odds, at once; and a shop that keeps to what it believes.
_MIX = "{gamma: 40, floor: 0.01, discovery: 0.2}"
_SURE = "{gamma: 2000, discovery: DISCOVERY}"


class Matched(NamedTuple):
    """`draws` decisions; the statistic's distance from its mean in standard deviations; the least
    probability that any candidate had; and whether each logged `action_probability` was the one
    of the chosen action.
    """

    draws: int
    deviations: float
    least: float
    consistent: bool


def regulars(count: int) -> list[CustomerState]:
    """Return customers who looked at two families, and at one of them mostly."""
    states = []
    for number in range(count):
        state = CustomerState()
        for step in range(10):
            family = FAMILIES[(number + (step > 7)) % len(FAMILIES)]
            click = Click(
                event_id=f"{number}/{step}",
                customer="",
                at_ms=NOON_MS - 60_000 * (60 - step),
                origin=Origin("clickstream", 0, 10 * number + step, NOON_MS),
                kind="view",
                family=family,
            )
            fold(state, click, Timers())
        states.append(state)
    return states


def decider_of(exploration: str) -> Decider:
    """Return a decider with new actions on a ramp and others in drift_boost."""
    actions = [(f"{family}_{n}", family) for family in FAMILIES for n in "ab"]
    catalogue = shop(
        actions,
        exploration,
        "no_action: {priority: 0.02}\nramp: {from: 0.3, full_after: 200}\n",
    )
    count = len(actions)
    began_at, drift_boost = np.zeros(count), np.ones(count)
    began_at[::5], drift_boost[1::7] = 5_000.0, 3.0
    evidence = no_evidence(count)._replace(
        lessons=np.full(count, 60.0), overall=9_000, began_at=began_at, drift_boost=drift_boost
    )
    rates = np.linspace(0.02, 0.1, count)
    plan = Plan(catalogue)
    return Decider(plan, scored_by(HabitScorer(rates, evidence))(plan.keys), "town")


def match(customers: int, repeats: int) -> Matched:
    """Decide again and again for the same customers and compare (Pearson's chi-square)."""
    town, decider = Town(regulars(customers), 1), decider_of(_MIX)
    names = [*(action.id for action in decider.actions), NO_ACTION]
    counts = np.zeros((customers, len(names)))
    logged = np.zeros_like(counts)
    consistent, least = True, 1.0
    for _ in range(repeats):
        for row, each in enumerate(town.decide(decider, range(customers))):
            decision = each.decision
            place = names.index(decision.chosen)
            counts[row, place] += 1
            logged[row] = decision.probabilities
            consistent &= decision.action_probability == decision.probabilities[place]
            consistent &= decision.fates[place] == "candidate"
    eligible = logged > 0
    least = float(logged[eligible].min())
    expected = logged[eligible] * repeats
    statistic = float(((counts[eligible] - expected) ** 2 / expected).sum())
    # Cells of a few draws only widen it: Var = 2 k + (sum 1/p - ...) / n, taken in full.
    freedom = int(eligible.sum()) - customers
    cells = eligible.sum(axis=1)
    extra = (1.0 / logged[eligible]).sum() - float((cells**2 + 2 * cells - 2).sum())
    spread = np.sqrt(2.0 * freedom + extra / repeats)
    return Matched(customers * repeats, float((statistic - freedom) / spread), least, consistent)


def family_entropy(discovery: float, customers: int) -> float:
    """Return the mean entropy, in bits, of the families that a customer is shown."""
    decider = decider_of(_SURE.replace("DISCOVERY", str(discovery)))
    town = Town(regulars(customers), 1)
    places = [FAMILIES.index(str(action.family)) for action in decider.actions]
    entropies = []
    for each in town.decide(decider, range(customers)):
        shown = np.array(each.decision.probabilities)[:-1]
        by_family = np.bincount(places, shown / shown.sum(), len(FAMILIES))
        some = by_family[by_family > 0]
        entropies.append(-float((some * np.log2(some)).sum()))
    return float(np.mean(entropies))
