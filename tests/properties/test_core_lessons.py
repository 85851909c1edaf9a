"""Lessons: one for each published decision, labelled as a naive reading of the log would."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from schemas.records import CustomerEvent, Decision, Outcome, Profile, Purchase, Tick
from streams.core.catalogue.values import Action
from streams.core.folds.attribution import SETTLE_GRACE_MS
from streams.core.state.codec import encode_customer
from streams.core.state.customer import CustomerState
from streams.core.state.layout import HEAD
from streams.core.units import DAY_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.made_up import Played, Step, play, steps
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP_TOMORROW, LeaningVersions, load

CATALOGUES = [load(), load(SHOP_TOMORROW)]
VERSIONS = LeaningVersions(*CATALOGUES)
ACTIONS = {(c.version, action.id): action for c in CATALOGUES for action in c.actions}


def rewards(action: Action, decided: Decision, record: object) -> bool:
    """Tell whether a record of the log, wherever it stands, fulfils an action's reward."""
    reward, start = action.reward, decided.decided_at_ms
    if isinstance(record, Outcome):
        hit = record.decision_id == decided.decision_id and record.kind in reward.outcomes
    elif isinstance(record, Purchase):
        families = [line.family for line in record.lines]
        ours = record.customer == decided.customer and record.kind == "order"
        about_it = action.family is None or action.family in families
        hit = ours and reward.family_purchase and about_it
    else:
        return False
    # An answer that names a decision is never older than it, whatever a slow clock says.
    early = record.at_ms < start and not isinstance(record, Outcome)
    return hit and not early and record.at_ms <= start + reward.window_ms


def chosen(log: Played) -> list[Decision]:
    """Return the decisions for an action, published or, for the held-out, not."""
    return [decision for decision in log.out.decisions if decision.chosen != "no_action"]


def expected(log: Played) -> dict[str, float]:
    """Return the label of each decision that must have been settled within the log."""
    labels: dict[str, float] = {}
    for decided in chosen(log):
        action = ACTIONS[decided.catalogue_version, decided.chosen]
        settle_ms = decided.decided_at_ms + action.reward.window_ms + SETTLE_GRACE_MS
        label = 0.0
        for offset, record in log.records[log.decided_at[decided.decision_id] + 1 :]:
            if isinstance(record, Profile) and record.kind == "erasure":
                if record.customer == decided.customer and counted(log, offset, record):
                    break
            elif isinstance(record, Tick) and record.at_ms >= settle_ms:
                labels[decided.decision_id] = label
                break
            elif rewards(action, decided, record):
                label = 1.0
    return labels


def counted(log: Played, offset: int, erasure: Profile) -> bool:
    """Tell whether an erasure is new: later than every earlier one of the customer."""
    return all(
        erasure.at_ms > record.at_ms
        for _, record in log.records[:offset]
        if isinstance(record, Profile)
        and (record.kind, record.customer) == ("erasure", erasure.customer)
    )


@settings(max_examples=40)
@given(steps(longest=200))
def test_every_decision_for_an_action_becomes_one_lesson_with_the_label_of_the_log(
    made: list[Step],
) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    labels = {lesson.decision_id: lesson.label for lesson in log.out.lessons}
    assert len(labels) == len(log.out.lessons)
    assert labels == expected(log)


@settings(max_examples=20)
@given(steps(without=("erase",)))
def test_in_the_end_nothing_is_left_without_its_lesson(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    end = len(log.records)
    out = log.log.play([(end, Tick(NOON_MS + 1_000 * DAY_MS))])
    lessons = [*log.out.lessons, *out.lessons]
    decided = sorted(decision.decision_id for decision in chosen(log))
    assert sorted(lesson.decision_id for lesson in lessons) == decided
    published = {action.decision_id for action in log.out.actions}
    assert {lesson.decision_id for lesson in lessons if lesson.published} == published


@settings(max_examples=20)
@given(steps())
def test_a_lesson_holds_what_was_known_when_it_was_decided(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    decisions = {decision.decision_id: decision for decision in log.out.decisions}
    for lesson in log.out.lessons:
        decision = decisions[lesson.decision_id]
        action = ACTIONS[decision.catalogue_version, decision.chosen]
        by_action = np.reshape(decision.action_features, (len(decision.actions) - 1, -1))
        own = by_action[decision.actions.index(decision.chosen)]
        assert lesson.features == [*decision.features, *own]
        assert (lesson.action, lesson.family, lesson.issue) == (
            action.id,
            action.family,
            action.issue,
        )
        assert (lesson.arm, lesson.published) == (decision.arm, decision.published)
        assert lesson.action_probability == decision.action_probability
        assert lesson.feature_version == decision.feature_version
        assert lesson.decided_at_ms == decision.decided_at_ms
        assert lesson.settled_at_ms >= lesson.decided_at_ms


@settings(max_examples=25)
@given(steps(customers=2))
def test_the_erased_are_forgotten_and_their_past_does_not_return(made: list[Step]) -> None:
    log = play(made, VERSIONS, CATALOGUES)
    end, who = len(log.records), "customer-0"
    erased_ms = NOON_MS + 1_000 * DAY_MS
    feed = Feed(first_offset=10_000)
    log.log.play([(end, feed.profile(who, erased_ms, "erasure"))])
    state = log.log.store.states[who]
    kept = {"erased_ms", "consent_marketing", "consent_marketing_ms"}
    kept |= {"consent_personalization", "consent_personalization_ms"}
    blank = CustomerState()
    for name, slot in HEAD.items():
        assert name in kept or state.head[slot] == 0.0, name
    for slot_name in set(CustomerState.__slots__) - {"head", "applied_offset"}:
        if slot_name not in ("recent_ids", "watermarks", "unsubscribed"):
            assert getattr(state, slot_name) == getattr(blank, slot_name), slot_name
    past = [(offset + end + 1, record) for offset, record in log.records]
    before, state.applied_offset = encode_customer(state), 0
    out = log.log.play([(o, r) for o, r in past if getattr(r, "customer", "") == who])
    after = log.log.store.states[who]
    assert (out.actions, out.decisions, out.lessons) == ([], [], [])
    after.applied_offset = end
    assert encode_customer(after) == before


def test_an_erased_customer_may_come_back_as_a_new_one() -> None:
    feed, log = Feed(), Log(MemoryVersions(load(SHOP_TOMORROW)))
    events: list[CustomerEvent] = [
        feed.order("ada", NOON_MS),
        feed.profile("ada", NOON_MS + 10, "erasure"),
        feed.click("ada", NOON_MS + 5, family="tea"),
        feed.click("ada", NOON_MS + 60_000, family="coffee"),
    ]
    out = log.play(numbered([use(load(SHOP_TOMORROW)), *events]))
    state = log.store.states["ada"]
    assert list(state.families) == ["coffee"]
    assert state.number("total_orders") == 0
    assert state.number("first_seen_ms") == NOON_MS + 60_000
    assert out.notes["erased"] == 1
    assert [decision.moment for decision in out.decisions] == ["order_placed", "browsing"]
