"""Decisions keep every promise about chance, consent and contact, checked by naive oracles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from schemas.records import ENCODER, CustomerEvent, NextBestAction, Profile, Switch, Tick
from streams.core.catalogue.contact_rules import ContactLimit
from streams.core.catalogue.values import Action, Catalogue
from streams.core.hashing import id_hash, uniforms
from tests.support.made_up import Played, Step, play, steps
from tests.support.memory import Log
from tests.support.shops import SHOP, SHOP_TOMORROW, LeaningVersions, load

# The third catalogue limits channels and actions, but not the whole: there the ring of remembered
# contacts overflows.
LIMITS_WITHOUT_OVERALL = "\n".join(
    line for line in SHOP.splitlines() if "few_a_day" not in line and "any_channel" not in line
).replace("window_hours: 12}", "window_days: 9}")
CATALOGUES = [load(), load(SHOP_TOMORROW), load(LIMITS_WITHOUT_OVERALL)]
VERSIONS = LeaningVersions(*CATALOGUES)
BY_VERSION = {catalogue.version: catalogue for catalogue in CATALOGUES}


def action_of(published: NextBestAction) -> Action:
    catalogue = BY_VERSION[published.catalogue_version]
    return next(action for action in catalogue.actions if action.id == published.action)


def in_log_order(log: Played) -> Iterator[tuple[NextBestAction | None, CustomerEvent | None]]:
    """Tell the log's events, each followed by the actions it brought about."""
    actions = defaultdict(list)
    for action in log.out.actions:
        actions[log.decided_at[action.decision_id]].append(action)
    for offset, record in log.records:
        if not isinstance(record, Tick | Switch):
            yield None, record
        for action in actions[offset]:
            yield action, None


def counts(limit: ContactLimit, published: NextBestAction) -> bool:
    """Tell whether a contact counts against a limit when all of its scope counts together."""
    value = {
        "overall": None,
        "channel": published.channel,
        "issue": published.issue,
        "family": published.family,
        "action": published.action,
    }[limit.scope]
    return limit.name is None or value == limit.name


def same_kind(limit: ContactLimit, a: NextBestAction, b: NextBestAction) -> bool:
    if limit.scope == "overall":
        return True
    return getattr(a, limit.scope) is not None and (
        getattr(a, limit.scope) == getattr(b, limit.scope)
    )


@settings(max_examples=40)
@given(steps(longest=250, customers=2))
def test_no_interleaving_exceeds_a_contact_limit(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    before: dict[str, list[NextBestAction]] = defaultdict(list)
    for action, event in in_log_order(log):
        if isinstance(event, Profile) and event.kind == "erasure":
            before[event.customer].clear()
        if action is None:
            continue
        for limit in BY_VERSION[action.catalogue_version].contact.limits:
            names_it = limit.name is not None and limit.scope in ("action", "issue")
            if action_of(action).purpose == "service" and not names_it:
                continue
            if not counts(limit, action):
                continue
            used = [
                old
                for old in before[action.customer]
                if same_kind(limit, old, action)
                and old.decided_at_ms > action.decided_at_ms - limit.window_ms
            ]
            if limit.scope == "family" and action.family is None:
                continue
            assert len(used) < limit.max_contacts, limit.id
        before[action.customer].append(action)


@settings(max_examples=30)
@given(steps())
def test_withdrawn_consent_and_closed_channels_are_respected(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    consent: dict[str, tuple[int, bool]] = {}
    erased_ms: dict[str, int] = defaultdict(int)
    for action, event in in_log_order(log):
        if isinstance(event, Profile) and event.at_ms > erased_ms[event.customer]:
            known = consent.get(event.customer, (0, True))
            if event.kind == "erasure":
                erased_ms[event.customer] = event.at_ms
                if known[1]:
                    consent.pop(event.customer, None)
            if event.kind == "consent" and event.purpose == "marketing":
                # The later one stands; of two at the same time a no.
                said = (event.at_ms, bool(event.granted))
                consent[event.customer] = max(known, said, key=lambda c: (c[0], not c[1]))
        if action is not None and action_of(action).purpose == "marketing":
            assert consent.get(action.customer, (0, True))[1], "offered after a no"


@settings(max_examples=30)
@given(steps())
def test_probabilities_are_exact_and_only_candidates_can_win(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    for decision in log.out.decisions:
        chances = dict(zip(decision.actions, decision.probabilities, strict=True))
        assert sum(decision.probabilities) == pytest.approx(1.0, abs=1e-12)
        for fate, chance in zip(decision.fates, decision.probabilities, strict=True):
            assert chance > 0 if fate == "candidate" else chance == 0
        fates = dict(zip(decision.actions, decision.fates, strict=True))
        assert fates[decision.chosen] == "candidate"
        assert decision.action_probability == chances[decision.chosen]
        assert 0 <= decision.draw < 1
        # The draw falls into the chosen one's share of the line.
        reached = np.cumsum(decision.probabilities)
        place = decision.actions.index(decision.chosen)
        assert reached[place] > decision.draw
        assert place == 0 or reached[place - 1] <= decision.draw


@settings(max_examples=30)
@given(steps())
def test_what_is_published_is_what_was_decided(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    decisions = {decision.decision_id: decision for decision in log.out.decisions}
    assert len(decisions) == len(log.out.decisions)
    published = {action.decision_id: action for action in log.out.actions}
    assert published.keys() == {id_ for id_, d in decisions.items() if d.published}
    for id_, action in published.items():
        decision = decisions[id_]
        assert (action.action, action.treatment) == (decision.chosen, decision.treatment)
        assert action.arm == "treated" or action_of(action).purpose == "service"
        assert action.action_probability == decision.action_probability
        worth = action.propensity * action.context_weight * action.value * action.lever
        assert action.priority == pytest.approx(worth, rel=1e-12)
        treatments = {t.id: t.channel for t in action_of(action).treatments}
        assert treatments[action.treatment] == action.channel
        assert action.valid_until_ms > action.decided_at_ms


@settings(max_examples=20)
@given(steps(customers=8))
def test_the_held_out_get_decisions_and_nothing_but_service(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    for decision in log.out.decisions:
        ratio = BY_VERSION[decision.catalogue_version].arms.holdout
        drawn = uniforms(np.array([id_hash(decision.customer)], np.uint64), id_hash("test/arm"))
        assert decision.arm == ("holdout" if drawn[0] < ratio else "treated")
        owed = decision.chosen == "answer"
        treated = decision.arm == "treated" and decision.chosen != "no_action"
        assert decision.published == (treated or owed)


@settings(max_examples=10)
@given(steps())
def test_the_winner_does_not_depend_on_the_order_of_the_catalogue(made: list[Step]) -> None:
    def upside_down(catalogue: Catalogue) -> Catalogue:
        return replace(catalogue, actions=tuple(reversed(catalogue.actions)))

    log = play(made, VERSIONS, CATALOGUES)
    other = Log(LeaningVersions(*map(upside_down, CATALOGUES)))
    out = other.play(log.records)
    assert out.decisions == log.out.decisions
    for decision in log.out.decisions:
        # As the schema promises readers of `decisions`.
        assert decision.actions == [*sorted(decision.actions[:-1]), "no_action"]
    assert ENCODER.encode(out.actions) == ENCODER.encode(log.out.actions)
