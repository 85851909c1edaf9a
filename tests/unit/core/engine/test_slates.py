"""A placement that shows several actions: each place is a decision among what is left."""

from __future__ import annotations

from collections import defaultdict

from schemas.records import NextBestAction, TimelineRecord
from streams.core.units import HOUR_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

GALLERY = """
name: Gallery
currency: EUR
holdout_ratio: 0
exploration: {gamma: 3}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
slates: {browsing: 3}
families: [oil, ink, clay]
issues:
  - id: art
    purpose: marketing
    reward: {outcomes: [click], window_minutes: 1}
    valid_hours: 1
    families:
      - each: all
        actions:
          - {id: "old_{family}", moments: [browsing, searching], value: 2,
             treatments: [{id: wall, channel: web, message: "Old {family}"}]}
          - {id: "new_{family}", moments: [browsing], value: 1,
             treatments: [{id: wall, channel: web, message: "New {family}"}]}
    actions:
      - {id: letter, moments: [browsing], value: 2,
         treatments: [{id: letter, channel: email, message: "Read"}]}
"""


def shown(customers: int = 40) -> dict[str, list[NextBestAction]]:
    catalogue, feed = load(GALLERY), Feed()
    records: list[TimelineRecord] = [use(catalogue)]
    records += [feed.click(f"c{n}", NOON_MS + n * HOUR_MS) for n in range(customers)]
    out = Log(MemoryVersions(catalogue)).play(numbered(records))
    slates: dict[str, list[NextBestAction]] = defaultdict(list)
    for action in out.actions:
        slates[action.slate_id or action.decision_id].append(action)
    return slates


def test_a_slate_shows_each_family_once_at_the_places_in_order() -> None:
    slates = shown()
    assert max(map(len, slates.values())) == 3
    for slate in slates.values():
        assert [action.position for action in slate] == list(range(1, len(slate) + 1))
        families = [action.family for action in slate if action.family]
        assert len(set(families)) == len(families)
        assert len({action.decision_id for action in slate}) == len(slate)


def test_only_the_first_place_may_reach_out() -> None:
    places = {a.position for slate in shown(80).values() for a in slate if a.channel == "email"}
    assert places == {1}


def test_the_places_of_a_slate_do_not_depend_on_how_the_log_is_cut() -> None:
    catalogue, feed = load(GALLERY), Feed()
    records: list[TimelineRecord] = [use(catalogue)]
    records += [feed.click(f"c{n % 5}", NOON_MS + n * 1_000) for n in range(60)]
    whole, single = Log(MemoryVersions(catalogue)), Log(MemoryVersions(catalogue))
    assert (
        whole.play(numbered(records), 100).decisions == single.play(numbered(records), 1).decisions
    )
    assert whole.store.states == single.store.states


def test_a_moment_without_a_slate_shows_one() -> None:
    catalogue, feed = load(GALLERY), Feed()
    records: list[TimelineRecord] = [use(catalogue), feed.click("ada", NOON_MS, "search")]
    out = Log(MemoryVersions(catalogue)).play(numbered(records))
    assert [d.position for d in out.decisions] == [1]
