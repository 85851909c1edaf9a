"""A sound catalogue becomes the values that its text describes."""

from __future__ import annotations

import pytest

from models.protocol import ActionKey
from streams.core.catalogue.contact_rules import ContactLimit
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.values import Catalogue, Reward, Timers, Treatment
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS

FEATURES = {
    "open_tickets": "number",
    "family_interest": "number",
    "orders_lifetime": "number",
    "weekend": "flag",
}
MOMENTS = ("browsing", "cart_left", "gone_quiet")

SMALL = """
name: Small shop
currency: GBP
families: [candles]
issues:
  - id: discovery
    purpose: marketing
    actions:
      - id: hello
        moments: [browsing]
        value: 1
        reward: {outcomes: [accept], window_days: 1}
        valid_hours: 1
        treatments: [{id: banner, channel: web, message: Hello}]
"""

FULL = """
name: Full shop
currency: EUR
model: autumn
holdout_ratio: 0.05
exploration: {gamma: 12.5}
no_action: {priority: 0.25}
cool_down_seconds: 5
timers: {cart_left_minutes: 30, gone_quiet_days: 60}
consent: {marketing: opt_out}
contact_limits:
  - {id: weekly, scope: overall, max_contacts: 3, window_days: 7}
  - {id: mails, scope: channel, name: email, max_contacts: 1, window_hours: 36}
  - {id: each_action, scope: action, max_contacts: 1, window_days: 14}
families:
  candles: candles
  tea_dining: tea and dining
rules:
  calm: open_tickets == 0
issues:
  - id: discovery
    purpose: marketing
    rules: {eligibility: [calm]}
    reward: {outcomes: [accept, click], window_hours: 48}
    valid_hours: 12
    families:
      - each: [candles, tea_dining]
        rules:
          suitability:
            - not_on_weekends: not weekend
        actions:
          - id: suggest_{family}
            moments: [browsing, cart_left]
            context: {cart_left: 1.5}
            value: 4.5
            lever: 2
            rules:
              applicability:
                - likes_it: family_interest > 0.5
            reward: {outcomes: [accept], family_purchase: true, window_days: 3}
            valid_minutes: 90
            treatments:
              - {id: banner, channel: web, message: "See our {family}"}
              - {id: letter, channel: email, message: "This week: {family}"}
            why: you like {family}
  - id: service
    purpose: service
    families:
      - id: null
        actions:
          - id: call
            moments: [gone_quiet]
            value: 10
            reward: {outcomes: [accept], window_days: 7}
            valid_days: 2
            treatments: [{id: task, channel: call_center, message: Call them}]
"""


def load(text: str | bytes) -> Catalogue:
    return load_catalogue(text, "shop.yaml", FEATURES, MOMENTS)


def test_what_is_not_said_has_cautious_defaults() -> None:
    catalogue = load(SMALL)
    assert catalogue.model == "main"
    assert catalogue.arms.holdout == 0.05
    assert catalogue.bothering.priority == 0.0
    assert catalogue.cool_down_ms == 2_000
    assert catalogue.timers == Timers()
    assert catalogue.contact.limits == ()
    assert catalogue.consent == {"personalization": "opt_in", "marketing": "opt_in"}
    (action,) = catalogue.actions
    assert (action.lever, action.rules, action.why) == (1.0, (), "")
    assert (catalogue.exploration.gamma, catalogue.exploration.growth) == (20.0, 10.0)
    assert action.weight("browsing") == 1.0


def test_what_holds_for_the_whole_shop_is_read_in_milliseconds_and_ratios() -> None:
    catalogue = load(FULL)
    assert (catalogue.name, catalogue.currency, catalogue.model) == ("Full shop", "EUR", "autumn")
    assert (catalogue.arms.holdout, catalogue.exploration.gamma) == (0.05, 12.5)
    # Whoever names a gamma means it.
    assert catalogue.exploration.growth == 0.0
    assert (catalogue.bothering.priority, catalogue.cool_down_ms) == (0.25, 5_000)
    assert catalogue.timers == Timers(30 * MINUTE_MS, 60 * DAY_MS)
    assert catalogue.consent == {"personalization": "opt_in", "marketing": "opt_out"}
    assert catalogue.families == ("candles", "tea_dining")
    assert catalogue.contact.limits == (
        ContactLimit("weekly", "overall", None, 3, 7 * DAY_MS),
        ContactLimit("mails", "channel", "email", 1, 36 * HOUR_MS),
        ContactLimit("each_action", "action", None, 1, 14 * DAY_MS),
    )


def test_a_template_stands_for_one_action_per_family() -> None:
    candles, tea, call = load(FULL).actions
    assert candles.key == ActionKey("suggest_candles", "candles", "discovery")
    assert tea.key == ActionKey("suggest_tea_dining", "tea_dining", "discovery")
    assert call.key == ActionKey("call", None, "service")


def test_slots_are_filled_with_the_family_as_a_customer_reads_it() -> None:
    tea = load(FULL).actions[1]
    assert tea.family_name == "tea and dining"
    assert tea.why == "you like tea and dining"
    assert tea.treatments == (
        Treatment("banner", "web", "See our tea and dining"),
        Treatment("letter", "email", "This week: tea and dining"),
    )


def test_each_all_means_every_family_there_is() -> None:
    text = FULL.replace("each: [candles, tea_dining]", "each: all")
    assert [action.id for action in load(text).actions] == [a.id for a in load(FULL).actions]


def test_an_action_has_what_its_issue_says_unless_it_says_otherwise() -> None:
    candles, _, call = load(FULL).actions
    assert candles.reward == Reward(frozenset({"accept"}), True, 3 * DAY_MS)
    assert candles.valid_ms == 90 * MINUTE_MS
    assert (candles.value, candles.lever) == (4.5, 2.0)
    assert (candles.weight("cart_left"), candles.weight("browsing")) == (1.5, 1.0)
    assert (candles.purpose, call.purpose) == ("marketing", "service")
    inheriting = load(FULL.replace("            valid_minutes: 90\n", "")).actions[0]
    assert inheriting.valid_ms == 12 * HOUR_MS


def test_rules_of_issue_family_and_action_add_up_in_the_order_of_the_tiers() -> None:
    rules = load(FULL).actions[0].rules
    assert [(rule.id, rule.tier) for rule in rules] == [
        ("calm", "eligibility"),
        ("likes_it", "applicability"),
        ("not_on_weekends", "suitability"),
    ]
    assert [FULL.split("\n")[rule.line - 1].strip() for rule in rules] == [
        "calm: open_tickets == 0",
        "- likes_it: family_interest > 0.5",
        "- not_on_weekends: not weekend",
    ]
    assert rules[1].test.names == {"family_interest"}


def test_a_shared_rule_is_compiled_once_for_all_its_actions() -> None:
    first, second, _ = load(FULL).actions
    assert first.rules[0].test is second.rules[0].test


def test_the_version_depends_on_the_content_alone() -> None:
    version = load(FULL).version
    assert len(version) == 16
    assert int(version, 16) >= 0
    assert load(FULL.encode()).version == version
    assert load("\ufeff" + FULL.replace("\n", "\r\n") + "\n\n").version == version
    assert load(FULL.replace("value: 4.5", "value: 4.6")).version != version


def test_the_canonical_text_loads_to_the_same_catalogue() -> None:
    catalogue = load(FULL.replace("\n", "  \r\n"))
    assert load(catalogue.text) == catalogue


def test_parts_may_be_repeated_by_alias() -> None:
    text = FULL.replace(
        "reward: {outcomes: [accept], window_days: 7}",
        "reward: *sale",
    ).replace("reward: {outcomes: [accept], family", "reward: &sale {outcomes: [accept], family")
    assert load(text).actions[2].reward == load(text).actions[0].reward


@pytest.mark.parametrize(
    ("written", "expected"), [("1_000", 1000.0), ("1e3", 1000.0), ("+2.50", 2.5), ("0", 0.0)]
)
def test_numbers_are_read_as_people_write_them(written: str, expected: float) -> None:
    assert load(SMALL.replace("value: 1", f"value: {written}")).actions[0].value == expected
