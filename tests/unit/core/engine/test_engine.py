"""The engine: when decisions are due, for whom, and under which versions."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import pytest

from schemas.records import Switch, Tick, TimelineRecord
from streams.core.catalogue.phrases import DEFAULT_PHRASES
from streams.core.decision.plan import OUTDATED
from streams.core.engine.deciders import MAX_SWITCHES
from streams.core.engine.engine import Outputs
from streams.core.features.definitions import ACTION_FEATURES, CUSTOMER_FEATURES
from streams.core.moments import FRESH_MS, MOMENTS
from streams.core.state.layout import (
    MAX_PENDING,
    PENDING_FOR_SERVICE,
)
from streams.core.units import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
)
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.made_up import made_up, play
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import SHOP, SHOP_TOMORROW, LeaningVersions, load

TODAY, TOMORROW = load(SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0")), load(SHOP_TOMORROW)


def played(*records: TimelineRecord) -> Outputs:
    return Log(MemoryVersions(TODAY, TOMORROW)).play(numbered([use(TODAY), *records]))


def moments(*records: TimelineRecord) -> list[str]:
    return [decision.moment for decision in played(*records).decisions]


def test_all_moments_occur_in_a_made_up_log() -> None:
    log = play(made_up(seed=7, length=1_500), LeaningVersions(TODAY), [TODAY])
    assert {decision.moment for decision in log.out.decisions} == set(MOMENTS)


@pytest.mark.parametrize("kind", ["view", "search", "add_to_cart", "page_leave", "wishlist"])
def test_not_every_click_is_a_moment(kind: str) -> None:
    expected = {"view": ["browsing"], "search": ["searching"]}.get(kind, [])
    assert moments(Feed().click("ada", NOON_MS, kind, product="p")) == expected


def test_nothing_is_decided_before_there_is_a_catalogue() -> None:
    feed, log = Feed(), Log(MemoryVersions(TODAY))
    out = log.play(numbered([feed.click("ada", NOON_MS), Tick(NOON_MS + 9 * DAY_MS)]))
    assert out.decisions == []
    assert log.store.states["ada"].number("latest_browsed") == NOON_MS
    more: list[TimelineRecord] = [use(TODAY), feed.click("ada", NOON_MS + 9 * DAY_MS)]
    assert len(log.play(numbered(more, start=2)).decisions) == 1


def test_a_moment_that_no_action_is_for_is_none() -> None:
    text = SHOP.replace("browsing, searching, ", "").replace("browsing, ", "")
    catalogue = load(text.replace("context: {searching: 1.5}", "context: {order_placed: 1.5}"))
    log, feed = Log(MemoryVersions(catalogue)), Feed()
    view, order = feed.click("ada", NOON_MS), feed.order("ada", NOON_MS + MINUTE_MS)
    out = log.play(numbered([use(catalogue), view, order]))
    assert [decision.moment for decision in out.decisions] == ["order_placed"]


def test_fast_clicks_are_decided_about_once_per_cool_down_and_orders_always() -> None:
    feed = Feed()
    assert moments(
        feed.click("ada", NOON_MS),
        feed.click("ada", NOON_MS + 1_999, "search"),
        feed.order("ada", NOON_MS + 1_999),
        feed.click("ada", NOON_MS + 3_998),
        feed.click("ada", NOON_MS + 3_999),
    ) == ["browsing", "order_placed", "browsing"]


def test_what_is_too_late_counts_but_is_not_answered() -> None:
    feed = Feed()
    out = played(
        feed.click("ada", NOON_MS, "search"),
        feed.order("ada", NOON_MS - FRESH_MS),
        feed.order("ada", NOON_MS - FRESH_MS - 1),
        feed.order("bob", NOON_MS - DAY_MS),
    )
    assert [d.customer for d in out.decisions] == ["ada", "ada", "bob"]
    assert out.notes["folded"] == 4


def test_a_no_from_before_an_erasure_holds_however_late_it_is_heard_and_nothing_else_does() -> None:
    feed, log = Feed(), Log(MemoryVersions(TODAY))
    erasure = feed.profile("ada", NOON_MS, "erasure")
    late: list[TimelineRecord] = [
        feed.outcome("ada", NOON_MS - 4, "unsubscribe", "d", channel="email"),
        feed.consent("ada", NOON_MS - 3, "marketing", granted=False),
        feed.consent("ada", NOON_MS - 2, "personalization", granted=True),
        feed.profile("ada", NOON_MS - 1, "preference", subject="tea", weight=1.0),
    ]
    out = log.play(numbered([use(TODAY), erasure, *late]))
    state = log.store.states["ada"]
    assert out.notes["erased"] == 4
    assert state.unsubscribed == {"email": NOON_MS - 4}
    assert (state.number("consent_marketing"), state.number("consent_personalization")) == (-1, 0)
    assert state.preferences == {}


def test_a_no_from_before_an_erasure_does_not_undo_a_later_yes() -> None:
    feed, log = Feed(), Log(MemoryVersions(TODAY))
    records: list[TimelineRecord] = [
        feed.profile("ada", NOON_MS, "erasure"),
        feed.consent("ada", NOON_MS + 1, "marketing", granted=True),
        feed.outcome("ada", NOON_MS - 4, "unsubscribe", "d", channel="email"),
        feed.consent("ada", NOON_MS - 3, "marketing", granted=False),
    ]
    log.play(numbered([use(TODAY), *records]))
    state = log.store.states["ada"]
    assert (state.number("consent_marketing"), state.unsubscribed) == (1, {})


def test_history_that_arrives_late_counts_but_is_not_answered() -> None:
    event = Feed().click("ada", NOON_MS, "search")
    event.origin = msgspec.structs.replace(event.origin, stale=True)
    out = played(event)
    assert out.decisions == []
    assert out.notes["folded"] == 1


def test_no_action_is_published_whose_time_is_over_when_its_event_is_heard_of() -> None:
    # Offers are valid for an hour, loyalty and service for two.
    chosen = []
    for late_ms in (0, 59 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS):
        feed = Feed()
        events = [feed.click(f"{late_ms}-{number}", NOON_MS) for number in range(200)]
        for event in events:
            event.origin = msgspec.structs.replace(event.origin, late_ms=late_ms)
        out = Log(LeaningVersions(TODAY)).play(numbered([use(TODAY), *events]))
        assert len(out.decisions) == 200
        assert all(a.valid_until_ms > NOON_MS + late_ms for a in out.actions)
        outdated = Counter(fate for d in out.decisions for fate in d.fates if fate == OUTDATED)
        chosen.append(({a.issue for a in out.actions}, outdated.total() // 200))
    assert chosen == [
        ({"discovery", "loyalty"}, 0),
        ({"discovery", "loyalty"}, 0),
        ({"loyalty"}, 2),
        (set(), 3),
    ]


def test_a_decision_names_its_trigger_and_versions() -> None:
    event = Feed().click("ada", NOON_MS)
    (decision,) = played(Switch("model", "main", "000000000007"), event).decisions
    assert decision.trigger.id == event.event_id
    assert (decision.trigger.topic, decision.trigger.offset) == ("clickstream", 0)
    assert decision.trigger.seen_at_ms == event.origin.seen_at_ms
    assert decision.catalogue_version == TODAY.version


def test_a_switch_takes_effect_at_its_own_place() -> None:
    feed = Feed()
    records: list[TimelineRecord] = [
        use(TODAY),
        feed.click("ada", NOON_MS),
        use(TOMORROW),
        feed.click("ada", NOON_MS + MINUTE_MS),
        Switch("model", "main", "v1"),
        Switch("model", "another", "v9"),
        feed.click("ada", NOON_MS + 2 * MINUTE_MS),
    ]
    out = Log(LeaningVersions(TODAY, TOMORROW)).play(numbered(records))
    assert [(d.catalogue_version, d.model_version) for d in out.decisions] == [
        (TODAY.version, "000000000000"),
        (TOMORROW.version, "000000000000"),
        (TOMORROW.version, "v1"),
    ]


def test_the_newest_switch_of_each_name_is_remembered_however_many_follow() -> None:
    log = Log(LeaningVersions(TODAY))
    switches = [Switch("model", "main", f"v{n}") for n in range(3 * MAX_SWITCHES)]
    log.play(numbered([use(TODAY), *switches]))
    known = log.store.partition
    assert len(known.switches) <= MAX_SWITCHES + 1
    end = 1 + len(switches)
    assert known.version("catalogue", "catalogue", end) == TODAY.version
    assert known.version("model", "main", end) == switches[-1].version


def test_a_version_that_is_not_at_hand_is_a_fault_and_not_a_guess() -> None:
    log = Log(MemoryVersions(TODAY))
    with pytest.raises(KeyError):
        log.play(numbered([use(TOMORROW), Feed().click("ada", NOON_MS)]))


def test_nobody_awaits_more_outcomes_than_are_remembered() -> None:
    text = SHOP[: SHOP.index("contact_limits")] + SHOP[SHOP.index("families:") :]
    catalogue = load(
        text.replace("holdout_ratio: 0.2", "holdout_ratio: 0").replace("gamma: 2", "gamma: 100000")
    )
    feed, log = Feed(), Log(MemoryVersions(catalogue))
    views = [feed.click("ada", NOON_MS + n * MINUTE_MS) for n in range(MAX_PENDING + 3)]
    out = log.play(numbered([use(catalogue), *views]))
    most = MAX_PENDING - PENDING_FOR_SERVICE
    assert len(out.actions) == len(log.store.states["ada"].pending) == most
    last = dict(zip(out.decisions[-1].actions, out.decisions[-1].fates, strict=True))
    assert last["show_tea"] == "contact:awaiting_outcomes"
    settled = log.play([(99, Tick(NOON_MS + DAY_MS))])
    assert len(settled.lessons) == most
    more = log.play([(100, feed.click("ada", NOON_MS + DAY_MS + HOUR_MS))])
    assert len(more.actions) == 1


def test_without_consent_to_personalization_nothing_personal_is_scored() -> None:
    feed = Feed()
    views = [feed.click("ada", NOON_MS + n * MINUTE_MS, family="tea") for n in range(5)]
    no = feed.consent("ada", NOON_MS + HOUR_MS, "personalization", granted=False)
    last = feed.click("ada", NOON_MS + HOUR_MS + 5_000, family="tea")
    stranger = feed.click("eve", NOON_MS + HOUR_MS + 5_000, family="tea")
    out = played(*views, no, last, stranger)
    decision = next(d for d in out.decisions if d.trigger.id == last.event_id)
    unknown = next(d for d in out.decisions if d.trigger.id == stranger.event_id)
    customer = [feature.name for feature in CUSTOMER_FEATURES if feature.purpose != "service"]
    seen = dict(zip((f.name for f in CUSTOMER_FEATURES), decision.features, strict=True))
    assert {seen[name] for name in customer} == {0.0}
    assert any(unknown.action_features)
    by_action = np.reshape(decision.action_features, (-1, len(ACTION_FEATURES)))
    personal = [f.purpose != "service" for f in ACTION_FEATURES]
    assert not by_action[:, personal].any()
    assert set(decision.why) <= {DEFAULT_PHRASES["browsing"]}


def test_a_restart_from_stored_state_goes_on_where_it_was() -> None:
    steps = made_up(seed=3, length=120)
    whole = play(steps, LeaningVersions(TODAY, TOMORROW), [TODAY, TOMORROW])
    log, decided = Log(LeaningVersions(TODAY, TOMORROW)), 0
    for entry in whole.records:
        decided += len(log.play([entry]).decisions)
        log.restart()
    assert decided == len(whole.out.decisions)
    assert log.store.save() == whole.log.store.save()
