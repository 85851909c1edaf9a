"""Budgets: no more than planned for the time of day, and the same ones open after any replay."""

from __future__ import annotations

import pytest

from schemas.records import Tick, TimelineRecord
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryStore, MemoryVersions
from tests.support.shops import load

CALLS = """
name: Calls
currency: EUR
holdout_ratio: 0.2
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
budgets: [{id: calls, scope: channel, name: call_center, per_day: 24}]
issues:
  - id: care
    purpose: marketing
    reward: {outcomes: [accept], window_hours: 1}
    valid_hours: 1
    actions:
      - {id: call, moments: [browsing], value: 1,
         treatments: [{id: call, channel: call_center, message: "Call"}]}
"""
CATALOGUE = load(CALLS)
MIDNIGHT_MS = NOON_MS - NOON_MS % DAY_MS


def busy_day(hours: int = 24) -> list[tuple[int, TimelineRecord]]:
    """A customer every two minutes, and a tick every minute."""
    feed = Feed()
    records: list[TimelineRecord] = [use(CATALOGUE)]
    for minute in range(hours * 60):
        at_ms = MIDNIGHT_MS + minute * MINUTE_MS
        records.append(Tick(at_ms))
        if minute % 2 == 0:
            records.append(feed.click(f"c{minute}", at_ms))
    return numbered(records)


def test_a_budget_is_spread_over_the_day_and_ghosts_use_none_of_it() -> None:
    out = Log(MemoryVersions(CATALOGUE)).play(busy_day())
    times = [action.decided_at_ms - MIDNIGHT_MS for action in out.actions]
    assert len(times) == 24
    for hour in range(1, 25):
        assert sum(at_ms < hour * HOUR_MS for at_ms in times) == pytest.approx(hour, abs=1)
    dropped = [d for d in out.decisions if "volume:calls" in d.fates]
    assert len(dropped) > 600


def test_a_partition_uses_its_share() -> None:
    log = Log(MemoryVersions(CATALOGUE))
    log.engine = type(log.engine)(log.versions, log.salt, 0.25)
    assert len(log.play(busy_day()).actions) == 6


def test_the_next_day_begins_anew() -> None:
    feed = Feed()
    log = Log(MemoryVersions(CATALOGUE))
    records = [record for _, record in busy_day()]
    at_ms = MIDNIGHT_MS + DAY_MS + 2 * HOUR_MS
    records += [Tick(at_ms), *[feed.click(f"d{n}", at_ms + n) for n in range(9)]]
    late = [a for a in log.play(numbered(records)).actions if a.decided_at_ms >= at_ms]
    assert late


@pytest.mark.parametrize("cut", [100, 400, 777])
@pytest.mark.parametrize("behind", [0, 1, 60])
def test_a_replay_finds_budgets_as_they_were(cut: int, behind: int) -> None:
    """What was stored is that of the cut; the log is read again from `behind` records before it."""
    records, whole = busy_day(16), Log(MemoryVersions(CATALOGUE))
    expected = whole.play(records, 7)
    log = Log(MemoryVersions(CATALOGUE))
    log.play(records[:cut], 7)
    saved, partition = log.store.save()
    # A crash while customers were written: half of them are those of the last checkpoint.
    before = Log(MemoryVersions(CATALOGUE))
    before.play(records[: cut - behind], 7)
    older = before.store.save()[0]
    mixed = {
        name: data if number % 2 else older.get(name, data)
        for number, (name, data) in enumerate(saved.items())
        if number % 2 or name in older
    }
    log.store = MemoryStore.load((mixed, partition))
    log.engine = type(log.engine)(log.versions, log.salt)
    again = log.play(records[cut - behind :], 5)
    by_id = {action.decision_id: action for action in expected.actions}
    assert all(by_id[action.decision_id] == action for action in again.actions)
    late = {a.decision_id for a in expected.actions if a.trigger.offset >= 0}
    assert {a.decision_id for a in again.actions} <= late
    assert log.store.partition == whole.store.partition


def test_a_budget_of_another_catalogue_closes_nothing() -> None:
    other = load(CALLS.replace("budgets:", "# budgets:").replace("name: Calls", "name: Free"))
    log = Log(MemoryVersions(CATALOGUE, other))
    log.play(busy_day(2))
    feed = Feed(first_offset=9_000)
    at_ms = MIDNIGHT_MS + 2 * HOUR_MS
    records: list[tuple[int, TimelineRecord]] = [(10_000, use(other)), (10_001, Tick(at_ms))]
    records += [(10_002 + n, feed.click(f"e{n}", at_ms)) for n in range(20)]
    assert len(log.play(records).actions) > 10


def test_the_state_of_a_partition_stays_small() -> None:
    log = Log(MemoryVersions(CATALOGUE))
    log.play(busy_day())
    assert len(log.store.save()[1]) < 4_096


def test_what_was_used_does_not_depend_on_where_the_log_is_cut() -> None:
    feed, tomorrow_ms = Feed(), MIDNIGHT_MS + DAY_MS
    records: list[TimelineRecord] = [use(CATALOGUE)]
    for n in range(10):
        times = MIDNIGHT_MS + HOUR_MS, tomorrow_ms + n * HOUR_MS
        records += [feed.click(f"early{n}", at_ms) for at_ms in times]
    # Of yesterday still: in a wave they stand beside everybody's first event.
    records += [feed.click(f"late{n}", MIDNIGHT_MS + 2 * HOUR_MS) for n in range(10)]
    saved = []
    for size in (1, len(records)):
        log = Log(MemoryVersions(CATALOGUE))
        log.play(numbered(records), size)
        assert log.store.partition.used
        saved.append(log.store.save())
    assert saved[0] == saved[1]


def test_what_happened_last_night_and_arrives_after_midnight_is_counted_today() -> None:
    feed = Feed()
    start_ms = MIDNIGHT_MS + DAY_MS
    records: list[TimelineRecord] = [use(CATALOGUE)]
    for minute in range(6 * 60):
        at_ms = start_ms + minute * MINUTE_MS
        records += [Tick(at_ms), feed.click(f"n{minute}", at_ms)]
        records += [feed.click(f"l{minute}", at_ms - 50 * MINUTE_MS)]
    out = Log(MemoryVersions(CATALOGUE)).play(numbered(records))
    assert 5 <= len(out.actions) <= 7
