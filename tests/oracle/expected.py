"""What must be true of a customer, worked out anew from everything that was ever sent.

Slow and plain on purpose, and in code of its own: each number is computed by its definition from
the whole list of a customer's events, sorted by the time at which they happened.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Message

import schemas
from tests.oracle.cart import cart
from tests.oracle.sums import DAY_MS, Event, families, sums, totals

# What opens or closes a ticket; the latest of them stands.
_TICKET_WORDS = ("opened", "reopened", "escalated", "resolved")
_ANSWERS = ("survey_answer", "goal", "demographic")
_RESPONSES = ("click", "accept", "reject", "objection", "unsubscribe")


def read(topic: str, message: Message) -> Event:
    """Return the event in a record of an input topic, with its place, by plain fastavro."""
    value = BytesIO((message.value() or b"")[5:])
    event: Any = fastavro.schemaless_reader(value, _schema(topic), None)
    when: datetime = event["occurred_at"]
    event["at"] = round(when.timestamp() * 1000)
    event["topic"] = topic
    event["source"] = f"{topic}/{message.partition()}"
    event["offset"] = message.offset()
    event["arrived"] = (message.timestamp()[1], message.offset())
    return dict(event)


@cache
def _schema(topic: str) -> Any:
    path = Path(schemas.__file__).parent / "avro" / f"{topic}.avsc"
    return fastavro.parse_schema(json.loads(path.read_text("utf-8")))


def by_customer(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return each customer's events by the time they happened, those sent again left out."""
    found: dict[str, list[Event]] = defaultdict(list)
    known: set[tuple[str, str]] = set()
    for event in sorted(events, key=lambda e: (e["at"], e["offset"])):
        if (event["topic"], event["event_id"]) not in known:
            known.add((event["topic"], event["event_id"]))
            found[event["customer_id"]].append(event)
    return found


def expected(events: list[Event], now_ms: int, quiet_ms: int) -> dict[str, Any]:
    """Return what is to be known at `now_ms` of a customer who did `events` (in that order).

    `now_ms` is also the time of the last tick, which came after all events; `quiet_ms` is after
    how long somebody has gone quiet.
    """
    erasure: Event = next(
        (e for e in events if e["kind"] == "erasure"), {"at": 0, "arrived": (0, 0)}
    )
    erased_ms = erasure["at"]
    kept = [e for e in events if e["at"] > erased_ms]
    # What somebody said before they were forgotten, and what we heard of only then is void, but
    # for a no.
    late = [e for e in events if e["at"] <= erased_ms and e["arrived"] > erasure["arrived"]]
    said = [e for e in events if e not in late]
    late_no = [e for e in late if e["kind"] == "unsubscribe" or e.get("granted") is False]
    seen_ms = _latest(kept, lambda e: _is_seen(e))
    return {
        "sums": sums(kept, now_ms),
        "families": families(kept, now_ms),
        "totals": totals(kept),
        "latest": _latest_of_each(kept),
        "first_seen_ms": min((e["at"] for e in kept), default=0),
        "signed_up_ms": min((e["at"] for e in kept if e["kind"] == "signed_up"), default=0),
        "erased_ms": erased_ms,
        "due_gone_quiet_ms": seen_ms + quiet_ms if seen_ms and seen_ms + quiet_ms > now_ms else 0,
        "cart": cart(kept, ordered_ms=_latest(kept, lambda e: e["kind"] == "order")),
        "products": _products(kept),
        "tickets": _tickets(kept),
        "satisfaction": _satisfaction(kept),
        "preferences": {
            subject: (at, weight, None)
            for subject, (at, weight, _) in _told(kept, ("preference",)).items()
        },
        "answers": _told(kept, _ANSWERS),
        "contact_setting": _contact_setting(kept),
        "consent": _consent(said, erased_ms, late_no),
        "unsubscribed": _unsubscribed(said, kept, late_no),
    }


def sources(events: Iterable[Event]) -> dict[str, int]:
    """Return the highest offset of each source, of one customer's events, repeated or not."""
    found: dict[str, int] = {}
    for event in events:
        found[event["source"]] = max(found.get(event["source"], -1), event["offset"])
    return found


def _is_seen(e: Event) -> bool:
    if e["kind"] in ("subscription_change", "subscription_end"):
        return False
    if e["topic"] == "support":
        return e["kind"] in ("opened", "message", "reopened", "rated")
    return e["topic"] != "outcomes" or e["kind"] in _RESPONSES


def _latest(events: list[Event], counts: Any) -> int:
    return max((e["at"] for e in events if counts(e)), default=0)


def _latest_of_each(events: list[Event]) -> dict[str, int]:
    found = {
        "seen": _latest(events, _is_seen),
        "browsed": _latest(events, lambda e: e["topic"] == "clickstream"),
        "ordered": _latest(events, lambda e: e["kind"] == "order"),
        "refunded": _latest(events, lambda e: e["kind"] in ("refund", "return")),
        "ticket": _latest(events, lambda e: e["topic"] == "support"),
        "told": _latest(events, lambda e: e["topic"] == "profile"),
        "responded": _latest(
            events, lambda e: e["topic"] == "outcomes" and e["kind"] in _RESPONSES
        ),
    }
    carted_ms = _latest(events, lambda e: e["kind"] in ("add_to_cart", "remove_from_cart"))
    if carted_ms > found["ordered"]:
        # Of a cart that was ordered it depends on what was heard of first.
        found["carted"] = carted_ms
    return found


def _products(events: list[Event]) -> dict[str, tuple[int, int]]:
    days: dict[str, set[int]] = defaultdict(set)
    for e in events:
        if e["kind"] == "order":
            for line in e["lines"]:
                days[line["product_id"]].add(e["at"] // DAY_MS)
    return {product: (len(bought), max(bought)) for product, bought in days.items()}


def _tickets(events: list[Event]) -> dict[str, tuple[bool, int]]:
    """Return whether each ticket is open, and the earliest time it was heard of."""
    steps: dict[str, list[Event]] = defaultdict(list)
    in_topic = [e for e in events if e["topic"] == "support"]
    for e in sorted(in_topic, key=lambda e: e["offset"]):
        # A rating alone makes no ticket.
        if e["kind"] != "rated" or e["ticket_id"] in steps:
            steps[e["ticket_id"]].append(e)
    found = {}
    for ticket, told in steps.items():
        words = [e for e in told if e["kind"] in _TICKET_WORDS]
        last = max(words, key=lambda e: (e["at"], e["offset"]), default=None)
        is_open = last is None or last["kind"] != "resolved"
        found[ticket] = (is_open, min(e["at"] for e in told))
    return found


def _satisfaction(events: list[Event]) -> int:
    rated = [e["satisfaction"] for e in events if e.get("satisfaction") is not None]
    return rated[-1] if rated else 0


def _told(events: list[Event], kinds: tuple[str, ...]) -> dict[str, tuple[int, float, Any]]:
    return {
        e["subject"]: (e["at"], e["weight"] or 0.0, e["value"])
        for e in events
        if e["kind"] in kinds
    }


def _contact_setting(events: list[Event]) -> tuple[str | None, float, float]:
    zone, start, end = None, 0, 0
    # What an older setting says is not taken over once a newer one is known.
    newest_ms = 0
    in_topic = [e for e in events if e["kind"] == "contact_setting"]
    for e in sorted(in_topic, key=lambda e: e["offset"]):
        if e["at"] >= newest_ms:
            newest_ms = e["at"]
            zone = e["time_zone"] or zone
            if e["quiet_from_minute"] is not None:
                start, end = e["quiet_from_minute"], e["quiet_until_minute"]
    return zone, start, end


def _consent(
    events: list[Event], erased_ms: int, late_no: list[Event]
) -> dict[str, tuple[float, int]]:
    found = {}
    for purpose in ("personalization", "marketing"):
        said = [e for e in events if e["kind"] == "consent" and e["purpose"] == purpose]
        before = [e for e in said if e["at"] <= erased_ms]
        if before and before[-1]["granted"]:
            # A yes is forgotten with the person; who said no is still left alone.
            said = said[len(before) :]
        found[purpose] = (1.0 if said[-1]["granted"] else -1.0, said[-1]["at"]) if said else (0, 0)
        for e in late_no:
            if e.get("purpose") == purpose and e["at"] >= found[purpose][1]:
                found[purpose] = (-1.0, e["at"])
    return found


def _unsubscribed(said: list[Event], kept: list[Event], late_no: list[Event]) -> dict[str, int]:
    found = _closed(said)
    # Against a no that was heard of behind an erasure no earlier yes helps: that is forgotten.
    for channel, at in _closed([*late_no, *(e for e in kept if not _closes(e))]).items():
        found[channel] = max(found.get(channel, 0), at)
    return found


def _closed(events: list[Event]) -> dict[str, int]:
    found: dict[str, int] = {}
    # Of a yes and a no at the same time the no counts.
    for e in sorted(events, key=lambda e: (e["at"], _closes(e))):
        if _closes(e):
            found[e["channel"]] = e["at"]
        elif e["kind"] == "channel_setting":
            found.pop(e["channel"], None)
        elif e["kind"] == "consent" and e["purpose"] == "marketing" and e["granted"]:
            found = {channel: at for channel, at in found.items() if at >= e["at"]}
    return found


def _closes(e: Event) -> bool:
    return e["kind"] == "unsubscribe" or (e["kind"] == "channel_setting" and not e["granted"])
