"""Uplift where only an answer is a reward, and what is ignored rests: the arms stay comparable."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np

from models.evaluation.experiment import Comparison, Experiment, intended_split, settled_of
from models.evaluation.ledger import OVERALL, Ledger, Settled
from models.evaluation.srm import ShareTest
from models.evaluation.uplift_estimate import Uplift, uplift_of
from schemas.records import Lesson
from schemas.symbols import FIRST_OF_ACTION, FIRST_OF_ALL
from streams.core.state.customer import CustomerState
from streams.core.state.enrolment import enrol
from tests.support.answers_only import HOLDOUT, lessons_of

EVERY_SCOPE = 7
SPLIT = intended_split(HOLDOUT, 1 - HOLDOUT)


def _counted(lessons: list[Lesson]) -> tuple[Experiment, Uplift]:
    """Return the experiment, and what counting every decision would have said."""
    experiment, every = Experiment(SPLIT), Ledger()
    for lesson in lessons:
        experiment.see(lesson)
        every.add(settled_of(lesson)._replace(first=EVERY_SCOPE))
    return experiment, uplift_of(every, OVERALL)


def _standard_error(found: Uplift) -> float:
    """Of the ratio of two rates (delta method)."""
    each = (found.treated, found.without)
    return math.sqrt(sum(rate.variance / rate.mean**2 for rate in each))


def test_equal_arms_look_equal_though_whoever_ignores_an_offer_is_rested_from_it() -> None:
    experiment, every_decision = _counted(list(lessons_of(1, customers=3_000, days=14)))
    found = experiment.uplifts(Comparison())
    overall = found[0]
    # The bias is there to be found: the held-out cannot ignore.
    assert every_decision.relative.low > 0.05
    assert abs(overall.relative.value) < 2 * _standard_error(overall)
    assert not any(each.relative.excludes_zero for each in found)
    assert overall.treated.decisions + overall.without.decisions == 3_000
    assert experiment.split is not None
    assert not experiment.split.alarm


def test_a_planted_uplift_is_found_with_its_size() -> None:
    experiment, _ = _counted(list(lessons_of(2, customers=6_000, days=3, lift=1.6)))
    overall = experiment.uplifts(Comparison())[0]
    assert overall.relative.low > 0.0
    assert overall.relative.low < 0.6 < overall.relative.high


def test_what_one_arm_comes_to_more_often_or_chooses_otherwise_is_not_claimed() -> None:
    chance, experiment = np.random.default_rng(3), Experiment(intended_split(0.3, 0.35))
    template = next(lessons_of(3, customers=40, days=1))
    for number in range(20_000):
        arm = "holdout" if chance.random() < HOLDOUT else ("treated", "random")[number % 2]
        # The held-out meet the second action half as often.
        meets = number % 3 > 0 or (arm == "holdout" and chance.random() < 0.5)
        settled = msgspec.structs.replace(
            template,
            decision_id=f"{number * 7_919_000_003:024x}",
            place=None,
            arm=arm,
            action="one" if meets else "other",
            family=None,
            converted=bool(chance.random() < 0.2),
            first=EVERY_SCOPE,
        )
        experiment.see(settled)
    found = {each.name: each for each in experiment.uplifts(Comparison())}
    assert found[""].evaluable
    assert "come to it more often" in found["other"].reason
    assert not found["other"].relative.excludes_zero
    against = {each.name: each for each in experiment.uplifts(Comparison(without="random"))}
    assert against[""].evaluable
    assert "other customers" in against["one"].reason


RUNS, CUSTOMERS, VISITS, LOOK_EVERY = 150, 800, 12, 60
ACTIONS = ("one", "other")


def _visits(seed: int) -> Iterator[Settled]:
    """A cheap shop of the same kind: two actions, an ignored one is never shown again."""
    chance = np.random.default_rng(seed)
    held = chance.random(CUSTOMERS) < HOLDOUT
    keen = chance.random(CUSTOMERS) < 0.3
    hashes = chance.integers(0, 2**63, CUSTOMERS).tolist()
    states = [CustomerState() for _ in range(CUSTOMERS)]
    rested: list[set[str]] = [set() for _ in range(CUSTOMERS)]
    for at_ms in range(VISITS):
        draws = chance.random((CUSTOMERS, 4))
        for who in chance.permutation(CUSTOMERS).tolist():
            visits, picks, clicks, buys = draws[who].tolist()
            left = [action for action in ACTIONS if action not in rested[who]]
            if visits > 0.5 or not left:
                continue
            action = left[int(picks * len(left))]
            if not held[who] and clicks > (0.9 if keen[who] else 0.1):
                rested[who].add(action)
            bought = buys < (0.5 if keen[who] else 0.1)
            yield Settled(
                "holdout" if held[who] else "treated",
                action,
                None,
                bought,
                5.0 * bought,
                hashes[who],
                at_ms,
                enrol(states[who], action, None),
            )


def _alarms(seed: int) -> tuple[bool, bool, bool]:
    """Look all the time: does the whole, any action, or counting every decision ever claim much?"""
    ledger, every = Ledger(), Ledger()
    splits = {("action", action): ShareTest(SPLIT or {}) for action in ACTIONS}
    alarmed = [False, False, False]
    for number, settled in enumerate(_visits(seed)):
        ledger.add(settled)
        every.add(settled._replace(first=FIRST_OF_ALL))
        if settled.first & FIRST_OF_ACTION:
            splits["action", settled.action].see(settled.arm)
        if number % LOOK_EVERY:
            continue
        alarmed[0] |= uplift_of(ledger, OVERALL).relative.excludes_zero
        alarmed[2] |= uplift_of(every, OVERALL).relative.excludes_zero
        for scope, split in splits.items():
            alarmed[1] |= not split.alarm and uplift_of(ledger, scope).relative.excludes_zero
    return alarmed[0], alarmed[1], alarmed[2]


def test_watched_all_the_time_equal_arms_raise_few_alarms_and_counting_all_raises_many() -> None:
    overall, actions, every = np.mean([_alarms(seed) for seed in range(RUNS)], axis=0)
    assert overall <= 0.05
    # Two actions, each at its own level.
    assert actions <= 0.10
    assert every > 0.5
