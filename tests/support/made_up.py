"""Made-up logs in which everything happens, and what comes out of them; hypothesis strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from hypothesis import strategies as st

from schemas.records import CustomerEvent, OrderLine, Switch, Tick, TimelineRecord
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Outputs
from streams.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import NOON_MS, Feed, Positioned, use
from tests.support.memory import Log, MemoryVersions


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens in a made-up log; numbers choose among what is possible."""

    what: str
    customer: int
    pause_ms: int
    late_ms: int
    choice: int


EVENTS: Mapping[str, Callable[[Feed, str, int, int], CustomerEvent]] = {
    "view": lambda feed, who, at, n: feed.click(who, at, family=_family(n), dwell_ms=n * 100),
    "search": lambda feed, who, at, n: feed.click(who, at, "search", family=_family(n)),
    "add": lambda feed, who, at, n: feed.click(
        who, at, "add_to_cart", product=f"p{n % 3}", family=_family(n)
    ),
    "remove": lambda feed, who, at, n: feed.click(who, at, "remove_from_cart", product=f"p{n % 3}"),
    "order": lambda feed, who, at, n: feed.order(
        who, at, OrderLine(f"p{n % 3}", _family(n), 1.0 + n, 250, n)
    ),
    "refund": lambda feed, who, at, n: feed.order(who, at, kind="refund"),
    "ticket": lambda feed, who, at, n: feed.support(
        who,
        at,
        ("opened", "message", "resolved", "reopened", "rated")[n % 5],
        ticket_id=f"t{n % 2}",
        satisfaction=3 if n % 5 == 4 else None,
    ),
    "sign_up": lambda feed, who, at, n: feed.profile(who, at, "signed_up"),
    "consent": lambda feed, who, at, n: feed.consent(
        who, at, ("marketing", "personalization")[n % 2], granted=n % 3 > 0
    ),
    "preference": lambda feed, who, at, n: feed.profile(
        who, at, "preference", subject=_family(n) or "tea", weight=(n % 5 - 2) / 2
    ),
    "hours": lambda feed, who, at, n: feed.profile(
        who,
        at,
        "contact_setting",
        time_zone=("Europe/Berlin", "Asia/Tokyo")[n % 2],
        quiet_from_minute=n * 90,
        quiet_until_minute=(n * 90 + 400) % 1440,
    ),
    "erase": lambda feed, who, at, n: feed.profile(who, at, "erasure"),
}
_COMMON = ("view", "view", "search", "add", "order", "ticket", "outcome", "outcome", "tick", "tick")
_RARE = (*EVENTS, "again", "replay", "switch_catalogue", "switch_model")


# Logs of a kind: as many as the most examples a law asks for.
_LOGS = 40


def _family(n: int) -> str | None:
    return ("tea", "coffee", None, "cocoa")[n % 4]


def made_up(
    seed: int, length: int, *, customers: int = 3, without: tuple[str, ...] = ()
) -> list[Step]:
    """Make up what happens in a log; a shorter one of the same seed is its beginning."""
    chance = Random(seed)
    allowed = [what for what in (*_COMMON * 3, *_RARE) if what not in without]
    pauses = (0, 300, 3 * SECOND_MS, MINUTE_MS, 9 * MINUTE_MS, 40 * MINUTE_MS, 5 * HOUR_MS)
    rare_pauses = (*pauses * 3, 2 * DAY_MS)
    lateness = (*(0,) * 12, 30 * SECOND_MS, 10 * MINUTE_MS, 2 * HOUR_MS, 4 * DAY_MS)
    return [
        Step(
            chance.choice(allowed),
            # One customer is busier than all the others.
            chance.randrange(customers) if chance.random() < 0.6 else 0,
            chance.choice(rare_pauses),
            chance.choice(lateness),
            chance.randrange(10),
        )
        for _ in range(length)
    ]


def steps(
    longest: int = 150, *, customers: int = 3, without: tuple[str, ...] = ()
) -> st.SearchStrategy[list[Step]]:
    """Draw what happens in a log; `without` names what must not. Shrinks to the shortest there is.

    One of a few logs: playing one takes far longer than checking a law on it, and so laws that
    look at the same logs share them (see `play`).
    """
    shortest = longest // 2
    lengths = [shortest + n * (longest - shortest) // (_LOGS - 1) for n in range(_LOGS)]
    logs = [
        made_up(seed, length, customers=customers, without=without)
        for seed, length in enumerate(lengths)
    ]
    return st.sampled_from(logs)


@dataclass(slots=True)
class Played:
    """A log, and what came out when it was played record by record."""

    records: list[Positioned]
    out: Outputs
    log: Log
    # Decision id -> the offset of the record that brought it about; the same for its lesson.
    decided_at: dict[str, int]
    settled_at: dict[str, int]


def play(
    made: Sequence[Step],
    versions: MemoryVersions,
    catalogues: Sequence[Catalogue],
    start_ms: int = NOON_MS,
) -> Played:
    """Turn steps into a log, answering the actions that come out of it on the way.

    The same steps are played once; what is returned may be played on.
    """
    versions_of = tuple(catalogue.version for catalogue in catalogues)
    once = _played(tuple(made), versions, versions_of, start_ms)
    return replace(once, log=once.log.copy())


@lru_cache(maxsize=8 * _LOGS)
def _played(
    made: Sequence[Step], versions: MemoryVersions, names: Sequence[str], start_ms: int
) -> Played:
    catalogues = [versions.catalogues[name] for name in names]
    feed, log = Feed(partitions=2), Log(versions)
    played = Played([], Outputs(), log, {}, {})
    sent: list[CustomerEvent] = []
    now_ms = start_ms

    def write(record: TimelineRecord) -> None:
        place = len(played.records)
        played.records.append((place, record))
        out = log.play([(place, record)])
        played.out.actions += out.actions
        played.out.decisions += out.decisions
        played.decided_at |= {decision.decision_id: place for decision in out.decisions}
        played.settled_at |= {lesson.decision_id: place for lesson in out.lessons}
        played.out.lessons += out.lessons
        played.out.notes += out.notes

    write(use(catalogues[0]))
    for step in made:
        now_ms += step.pause_ms
        record = _record(step, feed, now_ms, sent, played, catalogues)
        if record is None:
            continue
        if not isinstance(record, Tick | Switch) and record not in sent:
            sent.append(record)
        write(record)
    return played


def _record(
    step: Step,
    feed: Feed,
    now_ms: int,
    sent: Sequence[CustomerEvent],
    played: Played,
    catalogues: Sequence[Catalogue],
) -> TimelineRecord | None:
    who, at_ms, n = f"customer-{step.customer}", now_ms - step.late_ms, step.choice
    if step.what == "tick":
        return Tick(now_ms)
    if step.what == "switch_catalogue":
        return use(catalogues[n % len(catalogues)])
    if step.what == "switch_model":
        return Switch("model", "main", f"v{n % 3}")
    if step.what in ("again", "replay"):
        if not sent:
            return None
        event = sent[-1 - n % len(sent)]
        return feed.again(event) if step.what == "again" else event
    if step.what == "outcome":
        theirs = [action for action in played.out.actions if action.customer == who]
        if not theirs:
            return None
        kinds = ("click", "accept", "impression", "reject", "unsubscribe")
        kind = kinds[min(n, 4)] if n < 9 else "delivered"
        action = theirs[-1 - n % min(len(theirs), 3)]
        if kind == "unsubscribe" and n != 4:
            kind = "accept"
        return feed.outcome(who, at_ms, kind, action.decision_id, channel=action.channel)
    return EVENTS[step.what](feed, who, at_ms, n)
