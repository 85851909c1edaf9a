"""An answer counts once, and a no or an awaited answer always."""

from __future__ import annotations

from streams.core.state.customer import Pending
from streams.core.units import DAY_MS, HOUR_MS
from tests.support.events import NOON_MS, Feed
from tests.support.histories import again, heard


def test_answers_that_are_fed_twice_count_once() -> None:
    feed = Feed()
    kinds = ("click", "accept", "reject", "impression")
    told = [
        feed.outcome("ada", NOON_MS + n * HOUR_MS, kinds[n % 4], f"d{n}", channel="web")
        for n in range(60)
    ]
    once, _ = heard(*told)
    twice, counted = heard(*told, *again(feed, told))
    assert counted == 60
    for name in ("total_clicks", "total_accepts", "total_rejects", "impressions_30d"):
        assert twice.number(name) == once.number(name), name


def test_a_no_counts_however_late_it_comes() -> None:
    feed = Feed()
    clicks = [feed.outcome("ada", NOON_MS + n * DAY_MS, "click", f"d{n}") for n in range(200)]
    late = feed.outcome("ada", NOON_MS - DAY_MS, "unsubscribe", "old", channel="email")
    state, counted = heard(*clicks, late)
    assert counted == 201
    assert state.unsubscribed == {"email": NOON_MS - DAY_MS}


def test_an_answer_to_what_still_awaits_one_rewards_it_behind_however_many_others() -> None:
    feed = Feed()
    clicks = [feed.outcome("ada", NOON_MS + n * DAY_MS, "click", f"d{n}") for n in range(200)]
    state, _ = heard(*clicks)
    state.pending = [_awaiting("slow")]
    late = [
        feed.outcome("ada", NOON_MS + DAY_MS, "accept", decision)
        for decision in ("slow", "somebody's")
    ]
    after, counted = heard(*late, state=state)
    # It may have been counted before, so no count grows; its decision is rewarded all the same.
    assert (counted, after.number("total_accepts")) == (0, 0)
    assert after.pending[0].rewarded


def _awaiting(decision: str) -> Pending:
    return Pending(
        decision_id=decision,
        model="main",
        action="a",
        family=None,
        issue="i",
        channel="web",
        decided_at_ms=NOON_MS,
        window_end_ms=NOON_MS + 300 * DAY_MS,
        settle_at_ms=NOON_MS + 300 * DAY_MS,
        outcomes=["accept"],
        family_purchase=False,
        action_probability=1.0,
        feature_version="v",
        features=b"",
    )
