"""Rules of a catalogue: shared ones declared by id, and the tiers that use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.core.catalogue.values import TIERS, Rule, Tier
from streams.core.rules import Condition, Features, RuleError, check_rule
from streams.core.rules.parse import MAX_RULE_CHARS
from streams.core.suggestions import near
from streams.core.yaml_file.typed_node import TypedNode

# Features whose name begins so speak of the action's own family.
FAMILY_PREFIX = "family_"
MAX_RULES_PER_ACTION = 32


@dataclass(frozen=True, slots=True)
class SharedRule:
    """A rule declared once under `rules:`; the place that uses it gives it a tier."""

    line: int
    test: Condition


def read_shared_rules(place: TypedNode | None, features: Features) -> dict[str, SharedRule | None]:
    """Return the shared rules by id; None for one that is declared, but wrong."""
    entries = place.entries() if place else None
    shared: dict[str, SharedRule | None] = {}
    for key, entry in (entries or {}).items():
        entry.is_id(key)
        test = read_condition(entry, features)
        shared[key] = SharedRule(entry.line, test) if test else None
    return shared


def read_condition(place: TypedNode, features: Features) -> Condition | None:
    """Return the compiled rule text here."""
    text = place.text(MAX_RULE_CHARS)
    if text is None:
        return None
    try:
        return check_rule(text, features)
    except RuleError as error:
        place.wrong(f"at character {error.position} of `{text}`: {error.problem}")
        return None


def read_rules(
    place: TypedNode | None,
    inherited: tuple[Rule, ...],
    shared: Mapping[str, SharedRule | None],
    features: Features,
) -> tuple[Rule, ...]:
    """Return the inherited rules and those declared here, in the order of the tiers."""
    section = place.section(TIERS) if place else None
    rules = {rule.id: rule for rule in inherited}
    for tier in TIERS:
        listed = section.get(tier) if section else None
        for item in (listed.items() if listed else None) or ():
            rule = _read_rule(item, tier, shared, features)
            if rule is None:
                continue
            if rule.id in rules:
                item.wrong(f"rule `{rule.id}` already holds here; remove it or give it its own id")
            rules[rule.id] = rule
    if place and len(rules) > MAX_RULES_PER_ACTION:
        place.wrong(f"{len(rules)} rules on one action, the limit is {MAX_RULES_PER_ACTION}")
    return tuple(sorted(rules.values(), key=lambda rule: TIERS.index(rule.tier)))


def _read_rule(
    item: TypedNode,
    tier: Tier,
    shared: Mapping[str, SharedRule | None],
    features: Features,
) -> Rule | None:
    """Read `shared_id`, or `own_id: text`."""
    if not item.is_mapping:
        return _shared_rule(item, tier, shared)
    entries = item.entries() or {}
    if len(entries) != 1:
        item.wrong("an own rule is one line `- id: condition`; put each in a list item of its own")
        return None
    (rule_id, place), *_ = entries.items()
    if rule_id in shared:
        place.wrong(f"`{rule_id}` is a shared rule; write only `- {rule_id}`, or use another id")
        return None
    if not place.is_id(rule_id):
        return None
    test = read_condition(place, features)
    return Rule(rule_id, tier, test.text, place.line, test) if test else None


def _shared_rule(
    item: TypedNode, tier: Tier, shared: Mapping[str, SharedRule | None]
) -> Rule | None:
    name = item.text(MAX_RULE_CHARS)
    if name is None:
        return None
    if name in shared:
        found = shared[name]
        return Rule(name, tier, found.test.text, found.line, found.test) if found else None
    if name.isidentifier():
        hint = near(name, shared) or "; declare it under `rules:` or write `- id: condition`"
        item.wrong(f"unknown shared rule `{name}`{hint}")
    else:
        item.wrong(f"`{name}` needs an id in front: `- some_id: {name}`")
    return None


def check_family_rules(place: TypedNode, action: str, rules: tuple[Rule, ...]) -> None:
    """Refuse rules about "the action's family" on an action that has none."""
    for rule in rules:
        for name in sorted(rule.test.names):
            if name.startswith(FAMILY_PREFIX):
                place.wrong(
                    f"rule `{rule.id}` reads `{name}`, but action `{action}` has no family;"
                    " move the action under a family or remove the rule"
                )
