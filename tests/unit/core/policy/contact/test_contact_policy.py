"""Contact policy: quiet hours in the customer's own day, channels and limits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.records import Tick, TimelineRecord
from schemas.symbols import CHANNELS
from streams.core.catalogue.contact_rules import QuietHours
from streams.core.features.action_axis import ActionAxis
from streams.core.features.wave import Wave
from streams.core.folds.contacts import record_contact
from streams.core.policy.contact.quiet_hours import QuietPlan
from streams.core.state.customer import CustomerState
from streams.core.state.layout import (
    CONTACT,
    CONTACT_WIDTH,
    HEAD,
    MAX_CONTACTS,
)
from streams.core.units import (
    DAY_MS,
    MINUTE_MS,
)
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions
from tests.support.shops import load

NIGHT = (22 * 60, 7 * 60 + 30)


def quiet(zone: str | None, hours: tuple[int, int] = NIGHT) -> CustomerState:
    state = CustomerState()
    state.time_zone = zone
    state.head[HEAD["quiet_from_minute"]], state.head[HEAD["quiet_until_minute"]] = hours
    return state


def at(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def is_quiet(state: CustomerState, at_ms: int) -> bool:
    wave = Wave([state], [at_ms], ["browsing"], ActionAxis.of([], [("hello", None, "greet")]))
    quiet = QuietPlan(QuietHours()).quiet(wave)
    return quiet is not None and bool(quiet[0, CHANNELS.index("email")])


@pytest.mark.parametrize(
    ("time", "expected"),
    [("21:59", False), ("22:00", True), ("00:00", True), ("07:29", True), ("07:30", False)],
)
def test_quiet_hours_pass_midnight(time: str, expected: bool) -> None:
    for day in ("2024-01-15", "2024-07-15"):
        for zone in ("UTC", "Asia/Tokyo", "America/New_York", "Asia/Kathmandu"):
            assert is_quiet(quiet(zone), at(f"{day}T{time}", zone)) == expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        # Clocks go from 2:00 to 3:00 in Berlin on 2024-03-31, that is at 1:00 UTC.
        ("2024-03-31T00:59", False),  # 1:59 on the wall
        ("2024-03-31T01:00", True),  # 3:00 on the wall
        ("2024-03-31T01:29", True),
        ("2024-03-31T01:30", False),  # 3:30
        # And from 3:00 back to 2:00 on 2024-10-27: what is between happens twice.
        ("2024-10-27T00:30", True),  # 2:30, the first time
        ("2024-10-27T01:29", True),  # 2:29, the second time
        ("2024-10-27T02:29", True),  # 3:29
        ("2024-10-27T02:30", False),
    ],
)
def test_quiet_hours_follow_the_clock_on_the_wall(instant: str, expected: bool) -> None:
    state = quiet("Europe/Berlin", (2 * 60, 3 * 60 + 30))
    assert is_quiet(state, at(instant)) == expected


def test_without_a_zone_or_with_an_unknown_one_it_is_utc() -> None:
    for zone in (None, "Atlantis/Capital", "../etc/passwd"):
        assert is_quiet(quiet(zone), at("2024-01-15T23:00"))
        assert not is_quiet(quiet(zone), at("2024-01-15T12:00"))


def test_equal_ends_are_no_quiet_hours() -> None:
    assert not is_quiet(quiet(None, (0, 0)), at("2024-01-15T00:00"))
    assert not is_quiet(quiet(None, (600, 600)), at("2024-01-15T10:00"))


def test_the_earliest_contact_is_forgotten_first_whatever_the_order() -> None:
    state = CustomerState()
    times = [NOON_MS + number for number in range(MAX_CONTACTS)]
    for at_ms in [*times[1:], times[0], NOON_MS + 99]:
        record_contact(state, at_ms, "a", None, "i", "web")
    kept = sorted(state.contacts[CONTACT["at_ms"] :: CONTACT_WIDTH])
    assert kept == [*times[1:], NOON_MS + 99]


# A mail a month, and as much on the site as there is to say.
MUCH_TO_SAY = """
name: Loud shop
currency: EUR
exploration: {gamma: 1000000}
cool_down_seconds: 0
consent: {marketing: opt_out, personalization: opt_out}
contact_limits: [{id: a_mail, scope: channel, name: email, max_contacts: 1, window_days: 30}]
issues:
  - id: all
    purpose: marketing
    reward: {outcomes: [click], window_minutes: 1}
    valid_hours: 1
    actions:
      - {id: shelf, moments: [browsing], value: 1,
         treatments: [{id: shelf, channel: web, message: "Look"}]}
      - {id: letter, moments: [order_placed], value: 1,
         treatments: [{id: letter, channel: email, message: "Read"}]}
"""


def test_a_limit_holds_even_after_the_contact_it_counts_was_forgotten() -> None:
    catalogue, feed = load(MUCH_TO_SAY), Feed()
    log = Log(MemoryVersions(catalogue))
    records: list[TimelineRecord] = [use(catalogue), feed.order("ada", NOON_MS)]
    for number in range(1, MAX_CONTACTS + 5):
        at_ms = NOON_MS + number * 10 * MINUTE_MS
        records += [Tick(at_ms), feed.click("ada", at_ms)]
    records.append(feed.order("ada", NOON_MS + DAY_MS))
    out = log.play(numbered(records))
    assert [action.action for action in out.actions].count("letter") == 1
    assert [action.action for action in out.actions].count("shelf") == MAX_CONTACTS + 4
    fates = dict(zip(out.decisions[-1].actions, out.decisions[-1].fates, strict=True))
    assert fates["letter"] == "contact:a_mail"
