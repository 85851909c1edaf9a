"""Service is owed: sent in every arm, never against silence, once by a moment."""

from __future__ import annotations

import pytest

from schemas.records import Tick
from schemas.symbols import ARMS
from streams.core.state.customer import CustomerState
from streams.core.state.enrolment import enrol
from streams.core.state.layout import MAX_PENDING
from streams.core.units import DAY_MS
from tests.support.contacts import ADA
from tests.support.desk import DESK, FOUR_ARMS, Desk, Settled, chances, fates
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log
from tests.support.shops import load


def test_in_every_arm_one_service_action_is_sent_with_probability_one() -> None:
    desk = Desk(FOUR_ARMS)
    arms = set()
    for number in range(60):
        decision, action = desk.ticket(f"c{number}", NOON_MS)
        arms.add(decision.arm)
        assert (action.action, action.arm, decision.published) == (
            "we_have_it",
            decision.arm,
            True,
        )
        # Exactly: neither a floor nor anything else may leave a rest.
        assert decision.action_probability == 1.0
        assert chances(decision) == {
            "offer_coffee": 0.0,
            "offer_tea": 0.0,
            "we_have_it": 1.0,
            "read_this": 0.0,
            "no_action": 0.0,
        }
        assert fates(decision)["no_action"] == "service:first"
        assert fates(decision)["offer_tea"] in ("service:first", "reach:ramp")
    assert arms == set(ARMS)


def test_of_several_service_actions_one_is_chosen_by_value_with_its_exact_probability() -> None:
    desk = Desk(FOUR_ARMS)
    seen: dict[str, set[float]] = {}
    for number in range(60):
        who = f"c{number}"
        desk.ticket(who, NOON_MS)
        desk.write(Tick(NOON_MS + DAY_MS))
        decision, action = desk.ticket(who, NOON_MS + DAY_MS)
        found = chances(decision)
        assert found["no_action"] == found["offer_tea"] == found["offer_coffee"] == 0.0
        assert sum(decision.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert found["read_this"] > found["we_have_it"] > 0
        assert decision.action_probability == found[action.action]
        seen.setdefault(decision.arm, set()).add(found["read_this"])
    # The same in every arm: the arms compare marketing.
    assert set(seen) == set(ARMS)
    assert len(set.union(*seen.values())) == 1


def test_marketing_is_decided_as_ever_where_no_service_action_is_a_candidate() -> None:
    desk = Desk("holdout_ratio: 0.4\n")
    pairs = desk.write(*(desk.feed.click(f"c{n}", NOON_MS, "search") for n in range(60)))
    assert {fates(decision)["no_action"] for decision, _ in pairs} == {"candidate"}
    assert {decision.published for decision, _ in pairs if decision.arm == "holdout"} == {False}
    assert all(chances(decision)["no_action"] > 0 for decision, _ in pairs)


def test_in_a_slate_service_comes_once_and_offers_fill_the_other_positions() -> None:
    desk = Desk("holdout_ratio: 0\n")
    pairs = desk.write(desk.feed.click("ada", NOON_MS, channel="web"))
    chosen = [decision.chosen for decision, _ in pairs]
    assert chosen[0] == "we_have_it"
    assert [decision.position for decision, _ in pairs][:2] == [1, 2]
    assert fates(pairs[1][0])["we_have_it"] == "slate:shown"
    assert "we_have_it" not in chosen[1:]


def test_a_used_up_budget_closes_a_channel_and_another_carries_what_is_owed() -> None:
    desk = Desk("budgets: [{id: callers, scope: channel, name: call_center, per_day: 2}]\n")
    noon_ms = NOON_MS - NOON_MS % DAY_MS + DAY_MS // 2
    channels = []
    for number in range(4):
        desk.write(Tick(noon_ms + number))
        channels.append(desk.ticket(f"c{number}", noon_ms + number)[1].channel)
    assert channels == ["call_center", "call_center", "app", "app"]
    desk.write(Tick(noon_ms + 10))
    (pair,) = desk.write(desk.feed.click("late", noon_ms + 11, channel="email"))[:1]
    assert fates(pair[0])["we_have_it"] == "volume:callers"


def test_what_is_owed_goes_out_though_there_is_no_room_to_await_its_outcome() -> None:
    desk = Desk()
    sent = [desk.ticket("ada", NOON_MS + n)[1] for n in range(MAX_PENDING + 3)]
    assert len(sent) == MAX_PENDING + 3
    state = desk.log.store.states["ada"]
    assert len(state.pending) == MAX_PENDING
    desk.write(Tick(NOON_MS + DAY_MS))
    assert len(desk.lessons) == MAX_PENDING
    # Its contact is remembered, so a no to it counts.
    last = sent[-1]
    desk.write(
        desk.feed.outcome("ada", NOON_MS + DAY_MS + 1, "objection", last.decision_id, channel="app")
    )
    decision, _ = desk.ticket("ada", NOON_MS + DAY_MS + 2)
    assert fates(decision)[last.action] == "contact:objected"


def test_only_a_limit_that_names_it_holds_for_what_is_owed() -> None:
    window = "max_contacts: 1, window_days: 14}"
    each, calls = "{id: each, scope: action, ", "{id: calls, scope: channel, name: call_center, "
    desk = Desk(f"contact_limits: [{each}{window}, {calls}{window}]\n")
    pairs = [desk.ticket("ada", NOON_MS + n) for n in range(6)]
    assert {fates(decision)["we_have_it"] for decision, _ in pairs} == {"candidate"}
    sent = [action for _, action in pairs]
    assert [action.channel for action in sent].count("call_center") > 1
    for scope, name in (("action", "we_have_it"), ("issue", sent[0].issue)):
        desk = Desk(f"contact_limits: [{{id: own, scope: {scope}, name: {name}, {window}]\n")
        desk.ticket("ada", NOON_MS)
        (pair,) = desk.write(desk.feed.support("ada", NOON_MS + 1))
        assert fates(pair[0])["we_have_it"] == "contact:own"


def test_what_every_arm_gets_is_no_part_of_the_comparison_of_arms() -> None:
    desk = Desk("holdout_ratio: 0.4\n")
    for number in range(10):
        desk.ticket(f"c{number}", NOON_MS)
    desk.write(Tick(NOON_MS + DAY_MS))
    assert len(desk.lessons) == 10
    assert {lesson.first for lesson in desk.lessons} == {0}
    # What nobody was held out from, everybody can teach.
    assert {lesson.published for lesson in desk.lessons} == {True}
    assert {lesson.arm for lesson in desk.lessons} == {"holdout", "treated"}
    state = desk.log.store.states["c1"]
    assert enrol(state, "offer", "tea") == enrol(CustomerState(), "offer", "tea")


def test_a_service_action_on_trial_makes_nothing_owed() -> None:
    text = DESK.replace("value: 1, ramp: true", "value: 1, shadow: true")
    catalogue = load(text.replace("priority: 50", "priority: 0"))
    feed, log = Feed(), Log(Settled(catalogue))
    events = [feed.support(f"c{n}", NOON_MS) for n in range(30)]
    out = log.play(numbered([use(catalogue), *events]))
    assert {decision.shadow for decision in out.decisions} == {"we_have_it"}
    assert {fates(decision)["we_have_it"] for decision in out.decisions} == {"reach:shadow"}
    assert {fates(decision)["no_action"] for decision in out.decisions} == {"candidate"}
    assert ADA not in log.store.states
