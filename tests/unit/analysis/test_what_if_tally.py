"""What a changed catalogue is worth: estimates from a log against a truth that is known."""

from __future__ import annotations

from array import array

import msgspec
import numpy as np
import pytest

from models.evaluation.policy_value import PolicyValue, evaluate
from schemas.records import Decision, Lesson, Trigger
from streams.analysis.redecide import Redecider
from streams.analysis.settled_decisions import Outcomes
from streams.analysis.what_if_tally import Tally
from streams.cli.reports.what_if_report import as_json, not_evaluated
from streams.core.arbitration.inverse_gap import choose
from streams.core.catalogue.values import NO_ACTION, Catalogue
from streams.core.features.definitions import (
    ACTION_FEATURES,
    CUSTOMER_FEATURES,
    FEATURE_VERSION,
)
from tests.support.events import NOON_MS
from tests.support.shops import SHOP, load

OLD = load()
HOUR_MS = 3_600_000
WANTED = ("show_coffee", "show_tea", "tea_again")


def _undecided(count: int, seed: int) -> list[Decision]:
    """Decisions of as many customers who browse, whose propensities are the truth."""
    chance = np.random.default_rng(seed)
    names = [*sorted(action.id for action in OLD.actions), NO_ACTION]
    made = []
    for number in range(count):
        rates = np.where(np.isin(names, WANTED), chance.uniform(0.02, 0.4, len(names)), 0.0)
        made.append(
            Decision(
                decision_id=f"{number:024x}",
                customer=f"customer-{number}",
                moment="browsing",
                decided_at_ms=NOON_MS + number,
                arm="treated",
                chosen=NO_ACTION,
                treatment=None,
                published=False,
                action_probability=1.0,
                draw=float(chance.random()),
                actions=names,
                fates=["candidate" if n in WANTED else "applicability:moment" for n in names[:-1]]
                + ["candidate"],
                propensities=rates.tolist(),
                priorities=[0.0] * (len(names) - 1) + [0.02],
                probabilities=[0.0] * len(names),
                features=[0.0] * len(CUSTOMER_FEATURES),
                action_features=[0.0] * len(ACTION_FEATURES) * (len(names) - 1),
                why=[],
                model_version="m",
                catalogue_version=OLD.version,
                feature_version=FEATURE_VERSION,
                trigger=Trigger(id="t", topic="clickstream", partition=0, offset=0, seen_at_ms=0),
            )
        )
    return made


def _value(decisions: list[Decision], catalogue: Catalogue, worth: Catalogue) -> float:
    """The true value per decision of a catalogue's policy, at the values of `worth`."""
    nothing = [array("d") for _ in decisions]
    again = Redecider(catalogue).decide(decisions, OLD, nothing)
    values = np.array([{a.id: a.value for a in worth.actions}[n] for n in again.names[:-1]])
    return float((again.probabilities[:, :-1] * again.propensities * values).sum(axis=1).mean())


def _logged(count: int, seed: int) -> list[Decision]:
    """The same, decided by the old catalogue."""
    made = _undecided(count, seed)
    again = Redecider(OLD).decide(made, OLD, [array("d") for _ in made])
    places = choose(again.probabilities, np.array([d.draw for d in made]))
    treatments = {action.id: action.treatments[0].id for action in OLD.actions}
    return [
        msgspec.structs.replace(
            decision,
            chosen=again.names[place],
            treatment=treatments.get(again.names[place]),
            published=again.names[place] != NO_ACTION,
            probabilities=again.probabilities[row].tolist(),
            action_probability=float(again.probabilities[row, place]),
        )
        for row, (decision, place) in enumerate(zip(made, places.tolist(), strict=True))
    ]


def _outcomes(decisions: list[Decision], tally: Tally, seed: int) -> Outcomes:
    chance = np.random.default_rng(seed + 1_000)
    outcomes = Outcomes()
    late = decisions[-1].decided_at_ms + 48 * HOUR_MS
    for decision in decisions:
        if decision.published:
            rate = decision.propensities[decision.actions.index(decision.chosen)]
            lesson = Lesson(
                model="main",
                action=decision.chosen,
                family=None,
                issue="i",
                decision_id=decision.decision_id,
                feature_version=FEATURE_VERSION,
                features=[],
                label=float(chance.random() < rate),
                action_probability=decision.action_probability,
                decided_at_ms=NOON_MS,
                settled_at_ms=late,
            )
            outcomes.note(lesson, tally.waits_for(lesson.decision_id))
    return outcomes


def _what_if(text: str, count: int = 3_000, seed: int = 1) -> tuple[Tally, PolicyValue]:
    decisions = _logged(count, seed)
    tally = Tally(load(text), lambda version: OLD, 0, examples=3)
    for start in range(0, count, 500):
        tally.add(decisions[start : start + 500])
    worth = evaluate(tally.rows(_outcomes(decisions, tally, seed)))
    assert worth is not None
    return tally, worth


CHANGED = SHOP.replace("value: 3", "value: 3\n            lever: 4")


def test_the_same_catalogue_gains_nothing_and_changes_nobody() -> None:
    tally, worth = _what_if(SHOP)
    assert tally.switched == 0
    assert tally.moved == pytest.approx(0.0, abs=1e-9)
    assert tally.drops_before == tally.drops_after
    for name in ("ips", "snips"):
        assert worth.gains[name].value == pytest.approx(0.0, abs=1e-12)
    assert worth.without_support == 0
    assert not_evaluated(tally, worth) == []


def test_the_gain_of_a_lever_lies_in_its_interval_for_nearly_every_log() -> None:
    new = load(CHANGED)
    missed = dict.fromkeys(("ips", "snips", "dr"), 0)
    for seed in range(12):
        tally, worth = _what_if(CHANGED, 1_000, seed)
        decisions = _undecided(1_000, seed)
        truth = _value(decisions, new, new) - _value(decisions, OLD, new)
        assert tally.switched > 50
        for name in missed:
            gain = worth.gains[name]
            assert gain.evaluable
            missed[name] += not gain.low <= truth <= gain.high
    assert max(missed.values()) <= 1


def test_doubly_robust_is_the_surest_where_the_model_is_right() -> None:
    _, worth = _what_if(CHANGED)
    widths = {name: each.high - each.low for name, each in worth.values.items()}
    assert widths["dr"] < widths["ips"]
    new = load(CHANGED)
    assert worth.values["dm"].value == pytest.approx(_value(_undecided(3_000, 1), new, new))


def test_a_new_action_is_left_to_the_sentence_that_nothing_is_known() -> None:
    text = SHOP.replace(
        "          - id: tea_again",
        "          - id: tea_tasting\n            moments: [browsing]\n            value: 4\n"
        '            treatments: [{id: s, channel: web, message: "Taste"}]\n'
        "          - id: tea_again",
    )
    tally, worth = _what_if(text)
    assert worth.without_support == worth.settled
    assert worth.gains["ips"].reason == "the log is empty"
    assert any(
        line.startswith("tea_tasting where it was no candidate")
        for line in not_evaluated(tally, worth)
    )
    assert as_json(tally, worth)["value"]["policies"]["dm"]["evaluable"]


def test_a_catalogue_that_is_gone_leaves_its_decisions_out() -> None:
    tally = Tally(load(CHANGED), lambda version: "it is gone", 0, examples=3)
    tally.add(_logged(20, 1))
    assert (tally.decisions, tally.skipped["it is gone"]) == (0, 20)
    assert evaluate(tally.rows(Outcomes())) is None


def test_only_time_that_is_wholly_settled_is_valued() -> None:
    decisions = _logged(400, 2)
    tally = Tally(load(SHOP), lambda version: OLD, 0, examples=0)
    tally.add(decisions)
    outcomes = _outcomes(decisions, tally, 2)
    # The longest window of the catalogue is 20 hours, and five minutes of grace.
    outcomes.last_settled_ms = NOON_MS + 199 + 20 * HOUR_MS + 5 * 60_000
    rows = tally.rows(outcomes)
    assert (len(rows), tally.not_settled, tally.lost) == (200, 200, 0)
