"""Who asks why not is told how far off it was, and what would have changed the decision."""

from __future__ import annotations

import pytest

from schemas.decisions import Decision
from schemas.records import TimelineRecord
from streams.analysis.nearest_change import distances, nearest_change
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

CATALOGUE = load("""
name: Shop
currency: EUR
holdout_ratio: 0
exploration: {gamma: 100000}
no_action: {priority: 0.001}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
issues:
  - id: sell
    purpose: marketing
    reward: {outcomes: [accept], window_hours: 1}
    valid_hours: 1
    actions:
      - {id: small, moments: [browsing], value: 2,
         treatments: [{id: shelf, channel: web, message: "Small"}]}
      - {id: middle, moments: [browsing], value: 3,
         treatments: [{id: shelf, channel: web, message: "Middle"}]}
      - id: large
        moments: [browsing]
        value: 9
        rules: {applicability: [knows_us: orders_lifetime >= 4]}
        treatments: [{id: shelf, channel: web, message: "Large"}]
""")


def decided() -> Decision:
    feed = Feed()
    records: list[TimelineRecord] = [use(CATALOGUE)]
    records += [feed.order("ada", NOON_MS + n) for n in range(3)]
    records.append(feed.click("ada", NOON_MS + 60_000))
    return Log(MemoryVersions(CATALOGUE)).play(numbered(records)).decisions[-1]


def test_a_dropped_action_says_how_far_the_customer_was_from_passing_its_rule() -> None:
    far = distances(decided(), CATALOGUE)
    assert far.keys() == {"large"}
    assert far["large"].sentence() == "orders_lifetime is 3, needs 4 or more (1 orders short)"


def test_the_smallest_change_that_flips_a_decision_is_found() -> None:
    decision = decided()
    assert decision.chosen == "middle"
    nearest = nearest_change(decision, distances(decision, CATALOGUE), CATALOGUE)
    assert nearest is not None
    assert nearest.action == "large"
    assert nearest.says == (
        "large would rank first, if no contact rule held it back: "
        "orders_lifetime is 3, needs 4 or more (1 orders short)"
    )
    assert nearest.share == pytest.approx(0.25, rel=1e-6)
    without_rules = nearest_change(decision, {}, CATALOGUE)
    assert without_rules is not None
    assert without_rules.says == (
        "small would lead if a reward were at least 7.5% likely instead of 5.0%"
    )


def test_nothing_is_said_of_features_of_another_release() -> None:
    decision = decided()
    decision.feature_version = "older"
    assert distances(decision, CATALOGUE) == {}


def explained(text: str, arm: str = "treated") -> str | None:
    catalogue = load(text)
    feed = Feed()
    records: list[TimelineRecord] = [use(catalogue)]
    records += [feed.order("ada", NOON_MS + n) for n in range(3)]
    records.append(feed.click("ada", NOON_MS + 60_000))
    decision = Log(MemoryVersions(catalogue)).play(numbered(records)).decisions[-1]
    decision.arm = arm
    found = nearest_change(decision, distances(decision, catalogue), catalogue)
    return None if found is None else found.says


RULE = "rules: {applicability: [knows_us: orders_lifetime >= 4]}"


def test_an_action_that_fails_a_second_rule_is_not_said_to_lead() -> None:
    second = RULE[:-1] + ", suitability: [many: views_30d > 50]}"
    says = explained(CATALOGUE.text.replace(RULE, second))
    assert says == "small would lead if a reward were at least 7.5% likely instead of 5.0%"


def test_an_action_is_not_said_to_lead_where_the_change_lets_a_better_one_pass() -> None:
    better = f"""      - id: larger
        moments: [browsing]
        value: 20
        {RULE}
        treatments: [{{id: shelf, channel: web, message: "Larger"}}]
"""
    says = explained(CATALOGUE.text + better)
    assert says is not None
    assert says.startswith("larger would rank first, if no contact rule held it back: orders_life")


def test_where_priorities_do_not_decide_nothing_is_claimed_of_them() -> None:
    assert explained(CATALOGUE.text, "random") is None
    # By response alone all are alike, although their priorities differ.
    assert explained(CATALOGUE.text, "model_only") == (
        "small has the same propensity as middle, 0.05: chance chose between them"
    )


def lead_of_small(rank: float, best: float) -> str:
    """Explain a decision without rules in which `small` and `middle` have these priorities."""
    decision = decided()
    decision.priorities = [
        {"small": rank, "middle": best}.get(name, 0.0) for name in decision.actions
    ]
    found = nearest_change(decision, {}, CATALOGUE)
    assert found is not None
    return found.says


def test_unequal_priorities_are_not_called_equal() -> None:
    assert lead_of_small(0.18, 0.20) == (
        "small would lead if a reward were at least 5.6% likely instead of 5.0%"
    )
    assert lead_of_small(0.19998, 0.20) == (
        "small has nearly the priority of middle, 0.19998 and 0.2: chance chose between them"
    )
    assert lead_of_small(0.20, 0.20).startswith("small has the same priority as middle, 0.2: ")
    # 5.0% instead of 5.0% would say nothing.
    assert lead_of_small(0.1995, 0.20) == (
        "small would lead if a reward were at least 5.01% likely instead of 5.00%"
    )
