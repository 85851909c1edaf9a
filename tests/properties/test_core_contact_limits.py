"""Whatever happens in whatever order, no limit is exceeded and no night disturbed.

What was published is counted again, naively, from the actions alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import ENCODER, NextBestAction
from streams.core.catalogue.contact_rules import ContactLimit
from streams.core.catalogue.values import Catalogue
from tests.support.made_up import Played, Step, made_up, play, steps
from tests.support.memory import Log
from tests.support.shops import SHOP, LeaningVersions, load

ZONE = "America/New_York"
RULES = """
contact_limits:
  - {id: a_mail_a_day, scope: channel, name: email, max_contacts: 1, calendar: day}
  - {id: any_way, scope: channel, max_contacts: 4, calendar: week}
  - {id: discovering, scope: issue, name: discovery, max_contacts: 3, calendar: day}
  - {id: by_family, scope: family, max_contacts: 4, calendar: week}
  - {id: by_action, scope: action, max_contacts: 7, calendar: month}
  - {id: few, scope: overall, max_contacts: 3, window_hours: 9}
quiet_hours: {from: 21:00, until: 07:30, then: wait, unknown_zone: America/New_York}
suppression: [{id: gave_up, after: ignored, times: 3, for_hours: 30}]
after_purchase: [{id: enjoy_it, issues: [discovery], for_hours: 3}]
tickets: {least_severity: normal, after_resolved_hours: 2}
automated_in_a_row: 2
"""
_HEAD = SHOP[: SHOP.index("contact_limits")]
_TAIL = SHOP[SHOP.index("families:") :]
CATALOGUES = [
    load(_HEAD + RULES + _TAIL),
    # Without a limit on the whole, the ring of remembered contacts overflows.
    load(_HEAD + RULES.replace("few, scope: overall", "few, scope: action") + _TAIL),
]
# Mondays before the weekends on which clocks change there, and a week in between.
STARTS = [
    round(datetime(*day, 3, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    for day in ((2024, 3, 9), (2024, 11, 2), (2024, 6, 28))
]

# Somebody else's zone and hours, and what is forgotten, are looked at elsewhere; tickets, which
# silence almost everything, in every second log.
CALM, TROUBLED = ("hours", "erase", "ticket", "consent"), ("hours", "erase")
LOGS = st.one_of(steps(without=CALM), steps(without=TROUBLED))

_KIND: dict[str, Callable[[NextBestAction], Hashable]] = {
    "overall": lambda action: "all",
    "channel": lambda action: action.channel,
    "issue": lambda action: action.issue,
    "family": lambda action: action.family,
    "action": lambda action: action.action,
}


def local(action: NextBestAction) -> datetime:
    return datetime.fromtimestamp(action.decided_at_ms / 1000, ZoneInfo(ZONE))


def period(action: NextBestAction, calendar: str) -> Hashable:
    day = local(action).date()
    return {"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month)}[calendar]


def most_in_a_window(actions: list[NextBestAction], limit: ContactLimit) -> int:
    if limit.calendar is not None:
        counts = Counter(period(action, limit.calendar) for action in actions)
        return max(counts.values())
    times = [action.decided_at_ms for action in actions]
    return max(sum(at - limit.window_ms < other <= at for other in times) for at in times)


def exceeded(catalogue: Catalogue, published: list[NextBestAction]) -> set[str]:
    """Return the limits of a catalogue that are exceeded by what was published."""
    service = {action.id for action in catalogue.actions if action.purpose == "service"}
    over: set[str] = set()
    for limit in catalogue.contact.limits:
        kinds: dict[Hashable, list[NextBestAction]] = defaultdict(list)
        for action in published:
            kind = _KIND[limit.scope](action)
            names_it = limit.name is not None and limit.scope in ("action", "issue")
            exempt = action.action in service and not names_it
            if kind is not None and not exempt and limit.name in (None, kind):
                kinds[action.customer, kind].append(action)
        if any(most_in_a_window(each, limit) > limit.max_contacts for each in kinds.values()):
            over.add(limit.id)
    return over


def at_night(catalogue: Catalogue, published: list[NextBestAction]) -> list[NextBestAction]:
    """Return what reached out, other than for service, while it was quiet."""
    service = {action.id for action in catalogue.actions if action.purpose == "service"}
    return [
        action
        for action in published
        if action.action not in service
        and action.channel in ("email", "sms", "call_center")
        and not 7 * 60 + 30 <= local(action).hour * 60 + local(action).minute < 21 * 60
    ]


def played(made: list[Step], catalogue: Catalogue, start_ms: int) -> Played:
    return play(made, LeaningVersions(catalogue), [catalogue], start_ms)


@settings(max_examples=25)
@given(
    LOGS,
    st.sampled_from(CATALOGUES),
    st.sampled_from(STARTS),
    st.integers(1, 60),
)
def test_no_interleaving_exceeds_a_limit_or_disturbs_a_night(
    made: list[Step], catalogue: Catalogue, start_ms: int, size: int
) -> None:
    once = played(made, catalogue, start_ms)
    assert exceeded(catalogue, once.out.actions) == set()
    assert at_night(catalogue, once.out.actions) == []
    # The same log, cut otherwise: the same actions, each waiting as long.
    again = Log(LeaningVersions(catalogue)).play(once.records, size)
    assert ENCODER.encode(again.actions) == ENCODER.encode(once.out.actions)


@settings(max_examples=10)
@given(LOGS, st.sampled_from(STARTS), st.integers(0, 150), st.data())
def test_what_is_repeated_after_a_crash_exceeds_nothing_either(
    made: list[Step], start_ms: int, cut: int, data: st.DataObject
) -> None:
    (catalogue, *_) = CATALOGUES
    once = played(made, catalogue, start_ms)
    cut = min(cut, len(once.records))
    log = Log(LeaningVersions(catalogue))
    before = log.play(once.records[:cut])
    log.restart()
    back = data.draw(st.integers(0, cut))
    after = log.play(once.records[cut - back :])
    published = {action.decision_id: action for action in (*before.actions, *after.actions)}
    assert list(published) == [action.decision_id for action in once.out.actions]
    assert exceeded(catalogue, list(published.values())) == set()


def test_without_its_rules_the_shop_would_exceed_every_limit_and_disturb_nights() -> None:
    """A property that no log comes near would hold of anything."""
    free = load(_HEAD + _TAIL)
    over: set[str] = set()
    disturbed = 0
    for seed in range(8):
        made = made_up(seed, 250, without=(CALM, TROUBLED)[seed % 2])
        published = played(made, free, STARTS[seed % 3]).out.actions
        over |= exceeded(CATALOGUES[0], published)
        disturbed += len(at_night(free, published))
    assert over == {limit.id for limit in CATALOGUES[0].contact.limits}
    assert disturbed > 20
