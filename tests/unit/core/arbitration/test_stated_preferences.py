"""What a customer told us counts before they did anything, and shows in the why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from schemas.records import NextBestAction
from streams.core.catalogue.values import Action
from streams.core.state.customer import CustomerState
from streams.core.state.customer import StatedValue as Stated
from tests.bench.decisions.town import Town, shop
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, load

# One action a decision, and no chance in it but ties.
SURE = SHOP.replace("gamma: 2}", "gamma: 1000000}").replace(
    "holdout_ratio: 0.2", "holdout_ratio: 0"
)
ANSWERS = (
    'answers: {drink: {"a dark one": {coffee: 0.8, tea: -0.5}}, morning: {yes please: {tea: 1}}}\n'
)
QUIZ = load(SURE.replace("families: [tea", f"{ANSWERS}families: [tea", 1))


Told = tuple[str, str, dict[str, float | str]]


def published(*told: Told) -> NextBestAction:
    """Return what somebody who told us this gets when they first browse."""
    log, feed = Log(MemoryVersions(QUIZ)), Feed()
    words = [
        feed.profile("ada", NOON_MS + n, kind, subject=subject, **more)
        for n, (kind, subject, more) in enumerate(told)
    ]
    click = feed.click("ada", NOON_MS + 1_000, kind="search")
    out = log.play(numbered([use(QUIZ), *words, click]))
    return out.actions[-1]


def propensity(family: str, *told: Told) -> float:
    log, feed = Log(MemoryVersions(QUIZ)), Feed()
    words = [
        feed.profile("ada", NOON_MS + n, kind, subject=subject, **more)
        for n, (kind, subject, more) in enumerate(told)
    ]
    click = feed.click("ada", NOON_MS + 1_000, kind="search")
    decision = log.play(numbered([use(QUIZ), *words, click])).decisions[-1]
    return decision.propensities[decision.actions.index(f"show_{family}")]


LIKES_TEA: Told = ("preference", "tea", {"weight": 1.0})
DARK: Told = ("survey_answer", "drink", {"value": "a dark one"})


def test_a_stated_liking_decides_before_any_behaviour() -> None:
    action = published(LIKES_TEA)
    assert action.action == "show_tea"
    # Odds of one in twenty, times e.
    assert action.propensity == pytest.approx(0.05 * 2.71828 / (0.95 + 0.05 * 2.71828), abs=1e-5)
    assert action.propensity * 2**20 == round(action.propensity * 2**20)
    assert action.priority == pytest.approx(action.propensity * 1.5 * 2)
    assert action.why[1] == "you told us that you like tea"


def test_a_survey_answer_tells_of_families() -> None:
    another: Told = ("survey_answer", "drink", {"value": "another"})
    assert published(DARK).action == "show_coffee"
    assert propensity("coffee", DARK) > 0.09
    assert propensity("tea", DARK) < 0.04
    assert propensity("coffee", another) < 0.051


def test_what_was_said_of_a_family_itself_stands_before_answers() -> None:
    assert propensity("tea", DARK, LIKES_TEA) == propensity("tea", LIKES_TEA)
    indifferent: Told = ("preference", "coffee", {"weight": 0.0})
    assert propensity("coffee", DARK, indifferent) == propensity("coffee")


def test_answers_add_up_whichever_came_first() -> None:
    morning: Told = ("survey_answer", "morning", {"value": "yes please"})
    assert propensity("tea", DARK, morning) == propensity("tea", morning, DARK)
    assert propensity("tea", DARK) < propensity("tea", DARK, morning) < propensity("tea", morning)


def always(rate: float) -> Callable[[Action], float]:
    return lambda action: rate


def said_of_newcomer(lessons: int, worth: float) -> float:
    """Return the mean propensity of a new action for those who like its family."""
    rng = np.random.default_rng(1)
    families = ["tea", "cups", "books", "toys", "jam"]
    states = [CustomerState() for _ in range(600)]
    for state in states[::2]:
        state.preferences[str(rng.choice(families))] = Stated(NOON_MS - 1, 1.0, None)
    town, old = Town(states, 1), shop([(f"{family}_a", family) for family in families[:-1]])
    while town.bank.overall.lessons < lessons:
        for each in town.decide(town.decider(old), town.some(400)):
            liked = each.action is not None and each.action.family in each.due.state.preferences
            rate = 1 / (1 + np.exp(2.2 - worth * liked))
            town.answer([each], always(float(rate)))
    new = town.decider(shop([(f"{family}_a", family) for family in families]))
    place = [action.id for action in new.actions].index("jam_a")
    fans = [number for number, state in enumerate(states) if "jam" in state.preferences]
    return float(np.mean([d.decision.propensities[place] for d in town.decide(new, fans)]))


def test_what_the_model_learned_of_likings_is_not_counted_twice() -> None:
    assert said_of_newcomer(0, 1.0) == pytest.approx(0.125, abs=0.001)
    assert said_of_newcomer(4_000, 1.0) == pytest.approx(1 / (1 + np.exp(1.2)), abs=0.06)
    assert said_of_newcomer(4_000, 0.0) == pytest.approx(1 / (1 + np.exp(2.2)), abs=0.06)
