"""Recorded decisions decided again: the same catalogue changes nothing, another what it says."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from schemas.records import Decision
from streams.analysis.logged_matrix import natural_units, unasked_rules
from streams.analysis.redecide import ContactHistory, Redecided, Redecider
from streams.core.state.partition import PartitionState, SwitchedVersion
from tests.support.made_up import made_up, play
from tests.support.memory import Log
from tests.support.shops import SHOP, LeaningVersions, load

SHOP_OLD = load()


@lru_cache
def _log() -> tuple[Decision, ...]:
    made = made_up(5, 1_600, customers=20, without=("switch_catalogue",))
    out = play(made, LeaningVersions(SHOP_OLD), [SHOP_OLD]).out
    return tuple(decision for decision in out.decisions)


def _again(text: str) -> tuple[tuple[Decision, ...], Redecided]:
    new, history = load(text), ContactHistory()
    contacts: list[array[float]] = []
    for decision in _log():
        contacts.append(history.before(decision))
        history.record(decision, SHOP_OLD)
    return _log(), Redecider(new).decide(_log(), SHOP_OLD, contacts)


def test_under_the_same_catalogue_every_decision_is_the_same() -> None:
    decisions, again = _again(SHOP)
    assert len(decisions) > 200
    assert {d.arm for d in decisions} == {"holdout", "treated"}
    logged = np.array([list(d.probabilities) for d in decisions])
    assert np.array_equal(again.probabilities, logged)
    assert [again.names[place] for place in again.chosen] == [d.chosen for d in decisions]
    assert again.fates == [d.fates[:-1] for d in decisions]
    assert np.array_equal(again.target, [d.action_probability for d in decisions])
    assert again.moved.max() == pytest.approx(0.0, abs=1e-12)
    assert again.unsupported.max() == 0.0


def test_a_gamma_that_grew_with_the_lessons_is_grown_again() -> None:
    growing = load(SHOP.replace("{gamma: 2}", "{gamma: 2, growth: 1}"))
    made = made_up(5, 300, customers=20, without=("switch_catalogue", "switch_model"))
    records = play(made, LeaningVersions(SHOP_OLD), [SHOP_OLD]).records[1:]
    log = Log(LeaningVersions(growing))
    switches = [
        SwitchedVersion(0, "catalogue", "catalogue", growing.version),
        SwitchedVersion(0, "model", "main", "000000000400"),
    ]
    log.store.put_partition_state(PartitionState(switches=switches))
    decisions = log.play(records).decisions
    history, contacts = ContactHistory(), []
    for decision in decisions:
        contacts.append(history.before(decision))
        history.record(decision, growing)
    again = Redecider(growing).decide(decisions, growing, contacts)
    assert np.array_equal(again.probabilities, [list(d.probabilities) for d in decisions])
    calm = Redecider(SHOP_OLD).decide(decisions, growing, contacts)
    assert calm.moved.mean() > 0.1


def test_a_lever_moves_the_odds_and_stays_within_what_the_log_supports() -> None:
    decisions, again = _again(SHOP.replace("value: 3", "value: 3\n            lever: 2"))
    place = again.names.index("tea_again")
    could = np.array(["candidate" in (d.fates[d.actions.index("tea_again")],) for d in decisions])
    assert (again.probabilities[could, place] >= again.logged[could, place] - 1e-12).all()
    assert again.moved.max() > 0.01
    assert again.unsupported.max() == 0.0


def test_a_stricter_rule_drops_by_its_name_what_it_says() -> None:
    decisions, again = _again(
        SHOP.replace("not_disliked: family_preference >= 0", "calm: views_1d < 3")
    )
    drops = sum(row.count("suitability:calm") for row in again.fates)
    assert drops > 5
    assert again.unsupported.max() > 0  # Who disliked the family may now be shown it.
    fates = {fate for row in again.fates for fate in row}
    assert "suitability:not_disliked" not in fates
    assert len(decisions) == len(again.fates)


def test_a_tighter_limit_is_counted_over_the_contacts_of_the_log() -> None:
    _, same = _again(SHOP)
    _, again = _again(SHOP.replace("max_contacts: 6", "max_contacts: 1"))
    before = sum(row.count("contact:few_a_day") for row in same.fates)
    after = sum(row.count("contact:few_a_day") for row in again.fates)
    assert after > before
    assert again.unsupported.max() == 0.0


def test_a_limit_of_one_family_is_about_that_family_alone() -> None:
    lines = [line for line in SHOP.splitlines() if "per_family" not in line]
    place = next(n for n, line in enumerate(lines) if line.startswith("contact_limits:"))
    lines.insert(
        place + 1,
        "  - {id: only_coffee, scope: family, name: coffee, max_contacts: 1, window_hours: 12}",
    )
    new = load("\n".join(lines))
    _, again = _again("\n".join(lines))
    family = {action.id: action.family for action in new.actions}
    dropped = {
        again.names[place]
        for row in again.fates
        for place, fate in enumerate(row)
        if fate == "contact:only_coffee"
    }
    assert dropped
    assert {family[name] for name in dropped} == {"coffee"}


def test_a_limit_that_is_lifted_frees_what_the_log_cannot_value() -> None:
    lines = [line for line in SHOP.splitlines() if "per_family" not in line]
    _, same = _again(SHOP)
    assert any("contact:per_family" in row for row in same.fates)
    _, again = _again("\n".join(lines))
    assert not any("contact:per_family" in row for row in again.fates)
    assert again.unsupported.max() > 0


def test_an_action_put_on_trial_is_chosen_no_more() -> None:
    actions = tuple(replace(a, shadow=a.id == "tea_again") for a in SHOP_OLD.actions)
    new = replace(SHOP_OLD, actions=actions)
    again = Redecider(new).decide(_log(), SHOP_OLD, [array("d") for _ in _log()])
    place = again.names.index("tea_again")
    assert again.logged[:, place].max() > 0.1
    assert again.probabilities[:, place].max() == 0.0
    assert any(row[place] == "reach:shadow" for row in again.fates)


def test_a_new_action_has_odds_and_no_support() -> None:
    text = SHOP.replace(
        "          - id: tea_again",
        "          - id: tea_tasting\n            moments: [browsing]\n            value: 4\n"
        '            treatments: [{id: s, channel: web, message: "Taste"}]\n'
        "          - id: tea_again",
    )
    _, again = _again(text)
    place = again.names.index("tea_tasting")
    assert again.logged[:, place].max() == 0.0
    assert again.unsupported == pytest.approx(again.probabilities[:, place])
    assert again.probabilities[:, place].max() > 0.1


def test_a_moment_that_nothing_answers_any_more_is_left_to_silence() -> None:
    text = SHOP.replace(
        "moments: [ticket_opened, ticket_resolved, refunded, cart_left]", "moments: [refunded]"
    )
    decisions, again = _again(text)
    opened = np.array([d.moment == "ticket_opened" for d in decisions])
    assert opened.any()
    assert (again.probabilities[opened, -1] == 1.0).all()


def test_what_cannot_be_asked_again_is_named() -> None:
    def rules(text: str) -> list[str]:
        return unasked_rules(SHOP_OLD, load(text))

    assert rules(SHOP) == []
    assert rules(SHOP.replace("max_contacts: 6", "max_contacts: 2")) == []
    night = "quiet_hours: {from: '21:00', until: '08:00'}\nfamilies: [tea, coffee]"
    assert rules(SHOP.replace("families: [tea, coffee]", night)) == ["contact:quiet_hours"]


def test_natural_units_come_back_whole_where_they_were() -> None:
    whole = np.array([0.0, 1.0, 14.0, 3650.0, 99_999.0, -3.0])
    seen = np.copysign(np.log1p(np.abs(whole)), whole).astype(np.float32).astype(np.float64)
    assert np.array_equal(natural_units(seen), whole)
    assert natural_units(np.array([np.log1p(0.25)]))[0] == pytest.approx(0.25)
