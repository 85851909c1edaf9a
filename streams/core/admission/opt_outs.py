"""An opt-out is admitted if the fields that it needs are valid; other wrong fields are left out.

A withdrawal may come from a form with other fields in it. If it were refused as a whole for a wrong
time zone, it would lie among the dead letters while the customer is contacted again. So of these
kinds, and of no other, a wrong field that the kind does not need is set to its default and reported
to the caller. A wrong customer id is
still refused, because it must be certain which customer opts out.

An opt-out also needs no valid event time (it then counts from its arrival, the latest time that it
can have), no event id (its topic offset is one), and an unsubscribe no decision (it then closes the
channel that it names, otherwise all that reach out).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from schemas.bundled import full_schema
from schemas.records import Origin
from schemas.topics import OUTCOMES, PROFILE
from streams.core.size_limits import LAST_MINUTE_OF_DAY

Record = dict[str, Any]


class Dropped(NamedTuple):
    """A field that was left out of an admitted event, and the reason code of what was wrong."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """When an event of a kind says no, and the fields that it then needs beside the customer's."""

    needs: tuple[str, ...] = ()
    says_no: Callable[[Record], bool] = lambda record: True


def _not_granted(record: Record) -> bool:
    return record["granted"] is False


def _disliked(record: Record) -> bool:
    return record["weight"] is not None and -1.0 <= record["weight"] < 0.0


def _asks_for_quiet(record: Record) -> bool:
    ends = record["quiet_from_minute"], record["quiet_until_minute"]
    return all(end is not None and 0 <= end <= LAST_MINUTE_OF_DAY for end in ends)


OPT_OUTS: Mapping[tuple[str, str], OptOut] = {
    (PROFILE.name, "consent"): OptOut(("purpose",), _not_granted),
    (PROFILE.name, "channel_setting"): OptOut(("channel",), _not_granted),
    (PROFILE.name, "erasure"): OptOut(),
    (PROFILE.name, "contact_setting"): OptOut(
        ("quiet_from_minute", "quiet_until_minute"), _asks_for_quiet
    ),
    (PROFILE.name, "preference"): OptOut(("subject", "weight"), _disliked),
    (OUTCOMES.name, "unsubscribe"): OptOut(),
    (OUTCOMES.name, "objection"): OptOut(("decision_id",)),
    (OUTCOMES.name, "reject"): OptOut(("decision_id",)),
}
TOPICS_OF_OPT_OUTS = frozenset(topic for topic, _ in OPT_OUTS)


def opt_out_of(topic: str, record: Record) -> OptOut | None:
    """Return how a decoded record says no, None when it does not."""
    found = OPT_OUTS.get((topic, record["kind"]))
    return found if found is not None and found.says_no(record) else None


def leave_out(
    topic: str, record: Record, wrong: Iterable[Dropped], opt_out: OptOut, origin: Origin
) -> list[Dropped] | None:
    """Set wrong fields to their defaults, in place; return them, None if one of them is needed."""
    defaults = {
        **_defaults(topic),
        "event_id": f"{origin.topic}/{origin.partition}/{origin.offset}",
        "occurred_at": origin.seen_at_ms,
        "decision_id": "",
    }
    # A field may be wrong in two ways; the first is reported.
    found = {each.field: each for each in reversed(list(wrong))}
    if not found.keys() <= defaults.keys() - set(opt_out.needs):
        return None
    for name in found:
        record[name] = defaults[name]
    return list(found.values())


def badly_encoded(record: Record) -> list[Dropped]:
    """Return the texts of a leniently decoded record that are not UTF-8."""
    return [
        Dropped(name, "bad_utf8")
        for name, value in record.items()
        if isinstance(value, str) and any("\udc80" <= character <= "\udcff" for character in value)
    ]


@cache
def _defaults(topic: str) -> Mapping[str, Any]:
    fields = full_schema(topic)["fields"]
    return {field["name"]: field["default"] for field in fields if "default" in field}
