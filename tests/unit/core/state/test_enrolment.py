"""Enrolment: a customer enters each scope once, and is never enrolled on what was forgotten."""

from __future__ import annotations

import msgspec

from schemas.records import Tick, TimelineRecord
from schemas.symbols import FIRST_OF_ACTION, FIRST_OF_ALL, FIRST_OF_FAMILY
from streams.core.folds.merge import merge
from streams.core.state.codec import _expanded, decode_customer, encode_customer
from streams.core.state.customer import CustomerState
from streams.core.state.enrolment import NO_MORE, enrol, enrolled_bytes
from streams.core.state.layout import HEAD
from streams.core.units import DAY_MS
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

# Its place among the fields of a stored state.
_ENROLLED = 20
EVERY = FIRST_OF_ALL | FIRST_OF_FAMILY | FIRST_OF_ACTION


def test_a_decision_is_the_first_of_all_of_its_family_or_of_its_action() -> None:
    state = CustomerState()
    firsts = [enrol(state, *about) for about in (("a", "tea"), ("a", "tea"), ("b", "tea"))]
    assert firsts == [EVERY, 0, FIRST_OF_ACTION]
    assert enrol(state, "c", None) == FIRST_OF_ACTION
    assert enrol(state, "d", "coffee") == FIRST_OF_ACTION | FIRST_OF_FAMILY


def test_however_many_actions_there_are_the_memory_has_one_size() -> None:
    state = CustomerState()
    firsts = [enrol(state, f"action {number}", f"family {number}") for number in range(2_000)]
    assert firsts.count(EVERY) == 1
    assert 0 < state.enrolled <= NO_MORE
    # Whoever finds the bit taken is left out: near the start hardly anybody.
    early = firsts[:12]
    assert sum(bool(first & FIRST_OF_ACTION) for first in early) >= 10


def test_a_state_keeps_its_scopes_when_it_is_stored() -> None:
    state = CustomerState()
    enrol(state, "a", "tea")
    again = decode_customer(encode_customer(state))
    assert again == state
    assert enrol(again, "a", "tea") == 0


def _as_an_older_release_stored_it(state: CustomerState) -> CustomerState:
    data = encode_customer(state)
    fields = msgspec.msgpack.decode(_expanded(data))
    assert fields[_ENROLLED] == enrolled_bytes(state.enrolled)
    return decode_customer(data[:8] + msgspec.msgpack.encode(fields[:_ENROLLED]))


def test_who_was_decided_for_before_enrolment_was_remembered_enters_nothing_any_more() -> None:
    unknown, veteran = CustomerState(), CustomerState()
    veteran.head[HEAD["last_decision_ms"]] = NOON_MS
    assert enrol(_as_an_older_release_stored_it(unknown), "a", "tea") == EVERY
    assert enrol(_as_an_older_release_stored_it(veteran), "a", "tea") == 0


def test_two_identities_of_a_person_were_enrolled_where_either_was() -> None:
    a, b = CustomerState(), CustomerState()
    enrol(a, "a", "tea")
    enrol(b, "b", "coffee")
    assert merge(a, b) == merge(b, a)
    assert [enrol(merge(a, b), *about) for about in (("a", "tea"), ("b", "coffee"))] == [0, 0]


SHOP = """
name: Two teas
currency: EUR
holdout_ratio: 0.5
exploration: {gamma: 1}
no_action: {priority: 0}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
families: [tea]
issues:
  - id: offers
    purpose: marketing
    reward: {outcomes: [click], window_hours: 2}
    valid_hours: 1
    families:
      - id: tea
        actions:
          - {id: green, moments: [browsing], value: 9,
             treatments: [{id: shelf, channel: web, message: "Green"}]}
          - {id: black, moments: [browsing], value: 9,
             treatments: [{id: shelf, channel: web, message: "Black"}]}
"""


def _days(feed: Feed, first: int, last: int) -> list[TimelineRecord]:
    records: list[TimelineRecord] = []
    for day in range(first, last):
        at_ms = NOON_MS + day * DAY_MS
        records += [feed.click(f"c{n}", at_ms + n, family="tea") for n in range(20)]
        records.append(Tick(at_ms + DAY_MS // 4))
    return records


def test_of_many_settled_decisions_one_a_scope_and_customer_is_the_first() -> None:
    catalogue = load(SHOP)
    out = Log(MemoryVersions(catalogue)).play(numbered([use(catalogue), *_days(Feed(), 0, 8)]))
    met = {(lesson.place and lesson.place.customer, lesson.action) for lesson in out.lessons}
    assert 20 < len(met) < len(out.lessons)
    for flag, most in ((FIRST_OF_ALL, 20), (FIRST_OF_FAMILY, 20), (FIRST_OF_ACTION, len(met))):
        assert sum(bool(lesson.first & flag) for lesson in out.lessons) == most


def test_who_is_forgotten_is_not_enrolled_again() -> None:
    catalogue, feed = load(SHOP), Feed()
    records = [use(catalogue), *_days(feed, 0, 2)]
    records += [feed.profile(f"c{n}", NOON_MS + 2 * DAY_MS, "erasure") for n in range(20)]
    records += [feed.click("new", NOON_MS + 2 * DAY_MS, family="tea"), *_days(feed, 3, 6)]
    log, known = Log(MemoryVersions(catalogue)), 1 + 2 * 21
    assert len(log.play(numbered(records)[:known]).actions) > 5
    lessons = log.play(numbered(records)[known:]).lessons
    assert len(lessons) > 40
    assert sum(lesson.first > 0 for lesson in lessons) == 1
