"""A no under an event id that was used before has its effect, once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.records import CustomerEvent
from streams.core.admission.opt_outs import OPT_OUTS
from streams.core.state.codec import encode_customer
from streams.core.state.customer import CustomerState
from streams.core.units import DAY_MS
from tests.support.desk import Desk
from tests.support.events import NOON_MS, Feed
from tests.unit.core.admission.test_opt_outs import NOES

TWICE = (
    "suppression: [{id: enough, scope: action, after: rejected, times: 2, for_days: 30},"
    " {id: objected, scope: action, after: objected, times: 1, for_days: 90}]\n"
)
LATER_MS = NOON_MS + 60_000


def no(feed: Feed, topic: str, kind: str, decision_id: str, at_ms: int = LATER_MS) -> Any:
    if topic == "outcomes":
        return feed.outcome("ada", at_ms, kind, decision_id)
    return feed.profile("ada", at_ms, kind, **NOES[topic, kind])


def effects(state: CustomerState) -> dict[str, Any]:
    return {
        "suppression_counts": state.suppression_counts,
        "closed": state.unsubscribed,
        "preferences": state.preferences,
        "erased": state.number("erased_ms"),
        "consent": state.number("consent_marketing"),
        "quiet": (state.number("quiet_from_minute"), state.number("quiet_until_minute")),
    }


def after(topic: str, kind: str, *, used: bool, times: int = 1) -> CustomerState:
    """Return the state behind a no, of which the id was that of another event or not."""
    desk = Desk(TWICE)
    decision, _ = desk.ticket("ada", NOON_MS)
    before: CustomerEvent = (
        desk.feed.outcome("ada", NOON_MS + 1, "click", decision.decision_id)
        if topic == "outcomes"
        else desk.feed.consent("ada", NOON_MS + 1, "personalization", granted=True)
    )
    event = no(desk.feed, topic, kind, decision.decision_id)
    if used:
        event = replace(event, event_id=before.event_id)
    desk.write(before, event, *[desk.feed.again(event) for _ in range(times - 1)])
    return desk.log.store.states["ada"]


def test_every_kind_of_no_is_tried_here() -> None:
    assert NOES.keys() == OPT_OUTS.keys()


@pytest.mark.parametrize(("topic", "kind"), sorted(NOES))
def test_a_no_under_a_used_id_has_the_effect_that_it_has_under_its_own(
    topic: str, kind: str
) -> None:
    own, used = (effects(after(topic, kind, used=used)) for used in (False, True))
    assert used == own
    assert own != effects(CustomerState())


@pytest.mark.parametrize(("topic", "kind"), sorted(NOES))
def test_a_no_under_a_used_id_that_is_sent_again_changes_nothing(topic: str, kind: str) -> None:
    once, often = (after(topic, kind, used=True, times=times) for times in (1, 4))
    for state in (once, often):
        state.applied_offset, state.watermarks = 0, {}
    assert encode_customer(often) == encode_customer(once)


def test_a_reject_counts_once_for_each_decision_though_all_have_one_id() -> None:
    desk = Desk(TWICE)
    decisions = [desk.ticket("ada", NOON_MS + n * DAY_MS)[0] for n in range(2)]
    rejects = [
        replace(
            desk.feed.outcome("ada", each.decided_at_ms + 1, "reject", each.decision_id),
            event_id="outcome",
        )
        for each in decisions
    ]
    desk.write(*rejects, *[desk.feed.again(each) for each in rejects])
    assert desk.log.store.states["ada"].number("total_rejects") == 2


def test_a_no_that_may_have_been_counted_is_still_an_objection() -> None:
    """So many newer answers are known that it is refused by its time."""
    desk = Desk(TWICE)
    decision, _ = desk.ticket("ada", NOON_MS)
    late_ms = NOON_MS + DAY_MS
    desk.write(*[desk.feed.outcome("ada", late_ms + n * 1000, "click", f"d{n}") for n in range(60)])
    before = desk.log.store.states["ada"].number("rejects_30d")
    event = no(desk.feed, "outcomes", "objection", decision.decision_id)
    desk.write(event)
    state = desk.log.store.states["ada"]
    assert [silence.until_ms for silence in state.suppression_counts.values()] == [
        LATER_MS + 90 * DAY_MS
    ]
    assert state.number("rejects_30d") == before
