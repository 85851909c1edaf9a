"""Issues, families and actions: the tree of what may be offered, templates expanded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import cast

from streams.core.catalogue.loading.action_parts import (
    MAX_VALUE,
    MAX_WEIGHT,
    YEAR_MS,
    read_context,
    read_reward,
    read_treatments,
)
from streams.core.catalogue.loading.rules_section import (
    SharedRule,
    check_family_rules,
    read_rules,
)
from streams.core.catalogue.loading.templates import checked_text, filled_id
from streams.core.catalogue.values import (
    ACTION_PURPOSES,
    NO_ACTION,
    Action,
    Purpose,
    Reward,
    Rule,
)
from streams.core.rules import Features
from streams.core.units import DAY_MS, MINUTE_MS
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.typed_node import Section, TypedNode

MAX_ACTIONS = 1_000

_INHERITABLE = ("rules", "reward", *durations("valid"))
_ISSUE_KEYS = ("id", "purpose", *_INHERITABLE, "families", "actions")
_FAMILY_KEYS = ("id", "each", *_INHERITABLE, "actions")
_ACTION_KEYS = (
    *("id", "moments", "value", "lever", "context", "treatments", "why", "ramp", "shadow"),
    *_INHERITABLE,
)
_NO_REWARD = Reward(frozenset(), False, DAY_MS)


@dataclass(frozen=True, slots=True)
class Words:
    """The names an action may use."""

    features: Features
    moments: Collection[str]
    families: Mapping[str, str]
    shared_rules: Mapping[str, SharedRule | None]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What an action inherits from its issue and its family entry."""

    issue: str
    purpose: Purpose
    family: str | None = None
    rules: tuple[Rule, ...] = ()
    reward: Reward | None = None
    valid_ms: int | None = None


class ActionReader:
    """Reads the issues of one catalogue; `actions` and `issues` grow as it goes."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self.actions: list[Action] = []
        self.issues: dict[str, int] = {}
        self._lines: dict[str, int] = {}

    def read_issues(self, place: TypedNode) -> None:
        """Read the list of issues."""
        items = place.items()
        if items is not None and not items:
            place.wrong("no issues; a catalogue needs at least one action")
        for item in items or ():
            section = item.section(_ISSUE_KEYS)
            if section:
                self._read_issue(section)

    def _read_issue(self, section: Section) -> None:
        id_place = section.need("id", "discovery")
        issue = id_place.identifier() if id_place else None
        if id_place and issue in self.issues:
            id_place.wrong(f"issue `{issue}` is already declared in line {self.issues[issue]}")
        if id_place and issue:
            self.issues.setdefault(issue, id_place.line)
        purpose_place = section.need("purpose", "marketing")
        purpose = purpose_place.word(ACTION_PURPOSES, "purpose") if purpose_place else None
        scope = self._inherit(section, _Scope(issue or "", cast(Purpose, purpose or "marketing")))
        families, actions = section.get("families"), section.get("actions")
        if families is None and actions is None:
            section.place.wrong("no `families` and no `actions`; an issue needs one of them")
        for entry in (families.items() if families else None) or ():
            self._read_family(entry, scope)
        if actions:
            self._read_actions(actions, scope, (None,))

    def _read_family(self, place: TypedNode, scope: _Scope) -> None:
        section = place.section(_FAMILY_KEYS)
        if section is None:
            return
        families = self._families(section)
        actions = section.need("actions", "[...]")
        scope = self._inherit(section, scope)
        if actions:
            self._read_actions(actions, scope, families)

    def _families(self, section: Section) -> tuple[str | None, ...]:
        one, each = section.get("id"), section.get("each")
        known = tuple(self._words.families)
        if (one is None) == (each is None):
            section.place.wrong(
                "write `id: <family>` (or `id: null` for none), or `each: [<families>]`;"
                " one of the two"
            )
            return (None,)
        if one:
            if one.is_null:
                return (None,)
            family = one.word(known, "family")
            return (family,) if family else ()
        if each and not each.is_list:
            if each.word(("all",), "word for `each`") and not known:
                each.wrong("there are no families; list them under `families:` at the top")
            return known
        found = each.words(known, "family") if each else None
        if each and found == ():
            each.wrong("`each` lists no family, so its actions would never exist")
        return found or ()

    def _inherit(self, section: Section, scope: _Scope) -> _Scope:
        reward = section.get("reward")
        return replace(
            scope,
            rules=read_rules(
                section.get("rules"), scope.rules, self._words.shared_rules, self._words.features
            ),
            reward=read_reward(reward) if reward else scope.reward,
            valid_ms=section.duration_ms("valid", MINUTE_MS, YEAR_MS, scope.valid_ms),
        )

    def _read_actions(
        self, place: TypedNode, scope: _Scope, families: tuple[str | None, ...]
    ) -> None:
        for item in place.items() or ():
            section = item.section(_ACTION_KEYS)
            if section is None:
                continue
            for family in families:
                if len(self.actions) >= MAX_ACTIONS:
                    item.wrong(f"more than {MAX_ACTIONS} actions; the limit keeps deciding fast")
                    return
                action = self._read_action(section, replace(scope, family=family), len(families))
                if action:
                    self.actions.append(action)

    def _read_action(self, section: Section, scope: _Scope, copies: int) -> Action | None:
        scope = self._inherit(section, scope)
        family = scope.family
        action_id = self._action_id(section, family, copies)
        if scope.reward is None:
            section.need("reward", "{outcomes: [accept], window_days: 7}")
        if scope.valid_ms is None:
            section.need("valid_hours", "24")
        moments = self._moments(section)
        value = section.need("value", "4.5")
        why = section.get("why")
        if family is None:
            check_family_rules(section.place, action_id or "?", scope.rules)
        family_name = self._words.families.get(family) if family else None
        action = Action(
            id=action_id or "",
            issue=scope.issue,
            family=family,
            purpose=scope.purpose,
            moments=frozenset(moments),
            value=(value.number(0.0, MAX_VALUE) if value else None) or 0.0,
            lever=section.number("lever", 0.0, MAX_WEIGHT, 1.0),
            context=read_context(section.get("context"), moments),
            rules=scope.rules,
            reward=scope.reward or _NO_REWARD,
            valid_ms=scope.valid_ms or DAY_MS,
            treatments=read_treatments(section, family_name),
            why=(checked_text(why, family_name, 200) if why else None) or "",
            family_name=family_name,
            # Service may be rare and must reach every customer concerned: rare is not new.
            ramped=section.flag("ramp", scope.purpose == "marketing"),
            shadow=section.flag("shadow", False),
        )
        return action if action_id else None

    def _action_id(self, section: Section, family: str | None, copies: int) -> str | None:
        place = section.need("id", "suggest_{family}")
        action_id = filled_id(place, family, copies) if place else None
        if place is None or action_id is None:
            return None
        if action_id == NO_ACTION:
            place.wrong(f"`{NO_ACTION}` always exists; set its priority under `no_action:`")
        elif action_id in self._lines:
            place.wrong(
                f"action `{action_id}` is already declared in line {self._lines[action_id]}"
            )
        self._lines.setdefault(action_id, place.line)
        return action_id

    def _moments(self, section: Section) -> tuple[str, ...]:
        place = section.need("moments", "[browsing]")
        moments = place.words(tuple(self._words.moments), "moment") if place else None
        if place and moments == () and not place.items():
            place.wrong("no moment, so the action would never be offered")
        return moments or ()
