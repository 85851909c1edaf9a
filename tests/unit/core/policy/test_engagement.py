"""The engagement policy: every dropped action has the first reason there is, in any wave."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.catalogue.values import TIERS, Action
from streams.core.features.definitions import ACTION_FEATURES, CUSTOMER_FEATURES, FEATURES
from streams.core.moments import WATCHED_MOMENTS
from streams.core.policy import engagement as policy_module
from streams.core.policy.engagement import EngagementPolicy
from streams.core.policy.funnel import CANDIDATE, Funnel
from streams.core.rules.tree import holds
from tests.support.shops import load

HEAD = """
name: Many rules
currency: EUR
families: [tea, coffee]
rules:
  calm: open_tickets == 0
  likes_it: family_preference > 0 or family_interest > 3
issues:
"""
ISSUE = """
  - id: {id}
    purpose: {purpose}
    reward: {{outcomes: [click], window_hours: 5}}
    valid_hours: 1
    rules: {{eligibility: [calm]}}
    families:
      - each: all
        rules: {{suitability: [likes_it]}}
        actions:
"""
ACTION = """
          - id: {id}_{{family}}
            moments: [{moments}]
            value: 1
            treatments: [{{id: shelf, channel: web, message: Hello}}]
            rules:
"""


def conditions(dice: random.Random) -> str:
    names = [f.name for f in FEATURES.values() if f.kind == "number" and f.high > 7 and f.low == 0]
    parts = [
        f"{name} {dice.choice(['<', '<=', '>', '>='])} {dice.randint(1, 6)}"
        for name in dice.sample(names, 3)
    ]
    parts.append("family_preference in (0, 1)")
    parts.append("weekend")
    first, second, third = dice.sample(parts, 3)
    return dice.choice(
        [f"{first} or {second} or {third}", f"not ({first} and {second})", f"{first} or {second}"]
    )


def many_rules(seed: int) -> str:
    dice = random.Random(seed)
    text = HEAD
    for issue, purpose in (("sell", "marketing"), ("serve", "service")):
        text += ISSUE.format(id=issue, purpose=purpose)
        for number in range(3):
            moments = ", ".join(dice.sample(["browsing", "gone_quiet", "cart_left"], 2))
            text += ACTION.format(id=f"{issue}_{number}", moments=moments)
            for tier in TIERS:
                text += f"              {tier}:\n"
                for place in range(dice.randint(1, 3)):
                    text += f"                - r_{tier}_{place}: {conditions(dice)}\n"
    return text


def actions_of(seed: int) -> tuple[Action, ...]:
    return tuple(sorted(load(many_rules(seed)).actions, key=lambda action: action.id))


class Seen:
    """A made-up wave: what the policy is given."""

    def __init__(self, seed: int, customers: int, actions: int) -> None:
        dice = np.random.default_rng(seed)
        self.moments = dice.choice(["browsing", "gone_quiet", "cart_left"], customers).tolist()
        self.columns: dict[str, NDArray[np.float64]] = {
            f.name: dice.integers(0, 8 if f.high > 1 else 2, customers).astype(np.float64)
            for f in CUSTOMER_FEATURES
        }
        self.columns["open_tickets"] = (dice.random(customers) < 0.2).astype(np.float64)
        self.columns |= {
            f.name: dice.integers(0, 8 if f.high > 1 else 2, (customers, actions)).astype(
                np.float64
            )
            for f in ACTION_FEATURES
        }
        self.consents = {
            purpose: dice.random(customers) < 0.7 for purpose in ("personalization", "marketing")
        }
        self.consents["service"] = np.ones(customers, bool)

    def __len__(self) -> int:
        return len(self.moments)

    def part(self, start: int, stop: int) -> Seen:
        """Return some customers as a wave of their own."""
        other = object.__new__(Seen)
        other.moments = self.moments[start:stop]
        other.columns = {name: column[start:stop] for name, column in self.columns.items()}
        other.consents = {name: given[start:stop] for name, given in self.consents.items()}
        return other


def fates(actions: tuple[Action, ...], seen: Seen) -> list[list[str]]:
    funnel = Funnel(len(seen), len(actions))
    EngagementPolicy(actions).apply(seen.moments, seen.columns, seen.consents, funnel)
    return [funnel.fates_of(row) for row in range(len(seen))]


def plain_fates(actions: tuple[Action, ...], seen: Seen) -> Iterator[list[str]]:
    """Judge each customer and action alone; rules of a tier in the order they are first used."""
    order = list(
        dict.fromkeys(
            (tier, rule.id, rule.text)
            for tier in TIERS
            for action in actions
            for rule in action.rules
            if rule.tier == tier
        )
    )
    for row, moment in enumerate(seen.moments):
        judged = []
        for place, action in enumerate(actions):
            values = {
                name: float(column[row] if column.ndim == 1 else column[row, place])
                for name, column in seen.columns.items()
            }
            own = sorted(
                action.rules, key=lambda rule: order.index((rule.tier, rule.id, rule.text))
            )
            failed = [f"{r.tier}:{r.id}" for r in own if not holds(r.test.tree, values)]
            if not seen.consents[action.purpose][row]:
                failed.insert(0, f"eligibility:consent_{action.purpose}")
            if moment in WATCHED_MOMENTS and not seen.consents["personalization"][row]:
                failed.insert(0, "eligibility:consent_personalization")
            if moment not in action.moments:
                failed.insert(0, "applicability:moment")
            judged.append([*failed, CANDIDATE][0])
        yield judged


@pytest.mark.parametrize("seed", range(4))
def test_the_first_reason_in_the_order_of_the_tiers_is_the_fate(seed: int) -> None:
    actions = actions_of(seed)
    seen = Seen(seed, 60, len(actions))
    found = fates(actions, seen)
    assert found == list(plain_fates(actions, seen))
    assert len({fate for row in found for fate in row}) > 5


@pytest.mark.parametrize("width", [1, 2, 7, 33])
def test_a_fate_does_not_depend_on_the_size_of_the_wave(width: int) -> None:
    actions = actions_of(9)
    seen = Seen(9, 66, len(actions))
    parts = [seen.part(start, start + width) for start in range(0, len(seen), width)]
    assert [row for part in parts for row in fates(actions, part)] == fates(actions, seen)


def test_a_wave_that_takes_several_passes_gets_the_same_fates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actions = actions_of(5)
    seen = Seen(5, 50, len(actions))
    expected = fates(actions, seen)
    monkeypatch.setattr(policy_module, "_PASS_BYTES", 10_000)
    assert fates(actions, seen) == expected


def test_a_catalogue_without_rules_and_a_wave_of_nobody_are_fine() -> None:
    ruled = actions_of(1)
    nobody = Seen(1, 0, len(ruled))
    assert fates(ruled, nobody) == []
    text = many_rules(1).replace("    rules: {eligibility: [calm]}\n", "")
    bare = "\n".join(
        line
        for line in text.replace("        rules: {suitability: [likes_it]}\n", "").split("\n")
        if "r_" not in line and line.strip().rstrip(":") not in ("rules", *TIERS)
    ).replace("  calm:", "rules:\n  calm:")
    free = tuple(load(bare).actions)
    assert not any(action.rules for action in free)
    seen = Seen(1, 9, len(free))
    assert fates(free, seen) == list(plain_fates(free, seen))


def test_the_first_reason_stays_whichever_way_it_came() -> None:
    funnel = Funnel(2, 2)
    funnel.drop(np.array([[True, False], [False, False]]), "contact:first")
    funnel.drop_each(np.array([[1, 2], [0, 1]], np.int16), ["tier:a", "tier:b"])
    funnel.drop(np.array([[True], [True]]), "contact:last")
    assert [funnel.fates_of(row) for row in range(2)] == [
        ["contact:first", "tier:b"],
        ["contact:last", "tier:a"],
    ]
    assert not funnel.candidates.any()
