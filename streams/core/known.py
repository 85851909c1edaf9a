"""The ids of events that counted, remembered by kind: what is fed twice counts once.

A kind of event has a memory of its own, so that a thousand views do not push out an order. It holds
the newest ids of the kind, by event time: of each 4 bytes of hash, behind 2 bytes of time in steps
of 12 hours. While the memory has room it is exact: each id counts once, in whichever order events
arrive. Once it is full, an event that is not among them and is no newer than the oldest of them
counts as known, because its id may have been dropped. So nothing ever counts twice, however often
a history is fed; the price is that a new event which arrives later than so many newer ones of its
kind is left out. A new id is mistaken for one of n known ones with a probability of n / 2**32.

Not asked by time: an event that still has a decision to answer, or that is a no (`by_time`).
"""

from __future__ import annotations

from functools import lru_cache

from schemas.records import Click, CustomerEvent, Outcome, Purchase, Support
from streams.core.layout import (
    HOUR_MS,
    MAX_ANSWER_IDS,
    MAX_CART_IDS,
    MAX_PURCHASE_IDS,
    MAX_SHOWN_IDS,
    MAX_SUPPORT_IDS,
)
from streams.core.sources import known_as
from streams.core.state import CustomerState

# A stored state names a kind by its number: they may only be appended to.
PURCHASES, ANSWERS, SHOWN, SUPPORT, CART = range(5)
MOST_IDS = {
    PURCHASES: MAX_PURCHASE_IDS,
    ANSWERS: MAX_ANSWER_IDS,
    SHOWN: MAX_SHOWN_IDS,
    SUPPORT: MAX_SUPPORT_IDS,
    CART: MAX_CART_IDS,
}
_CART_KINDS = frozenset({"add_to_cart", "remove_from_cart"})
_SHOWN_KINDS = frozenset({"delivered", "impression"})
_REFUSALS = frozenset({"reject", "objection", "unsubscribe"})

_HASH_BYTES, TIME_BYTES = 4, 2
ID_BYTES = _HASH_BYTES + TIME_BYTES
# Two bytes of 12 hours are 89 years: from 1990, when no event was that we are told of, to 2079.
_STEP_MS = 12 * HOUR_MS
_FIRST_MS = 631_152_000_000
_LAST_STEP = 256**TIME_BYTES - 1


def kind_of(event: CustomerEvent) -> int | None:
    """Return the kind under which an event's id is remembered; None for the ring of all others."""
    if isinstance(event, Click):
        return CART if event.kind in _CART_KINDS else None
    if isinstance(event, Outcome):
        return SHOWN if event.kind in _SHOWN_KINDS else ANSWERS
    if isinstance(event, Purchase):
        return PURCHASES
    return SUPPORT if isinstance(event, Support) else None


def is_known(state: CustomerState, kind: int, event: CustomerEvent) -> bool:
    """Tell whether an event counted before, or may have."""
    ids = state.known_ids.get(kind)
    if not ids:
        return False
    entry = _entry(event.origin.topic, event.event_id, event.at_ms)
    if _is_among(entry[TIME_BYTES:], ids):
        return True
    if len(ids) < MOST_IDS[kind] * ID_BYTES:
        return False
    # A memory that spans no time says nothing of what is older.
    oldest, newest = ids[:TIME_BYTES], ids[-ID_BYTES:-_HASH_BYTES]
    return entry[:TIME_BYTES] <= oldest < newest and _by_time(state, event)


def remember_id(state: CustomerState, kind: int, event: CustomerEvent) -> None:
    """Remember the id of an event that counts now."""
    ids = state.known_ids.get(kind, b"")
    entry = _entry(event.origin.topic, event.event_id, event.at_ms)
    if ids[-ID_BYTES:-_HASH_BYTES] <= entry[:TIME_BYTES]:
        ids += entry
    else:
        # A late one: behind those of its own time.
        ordered = sorted([*entries(ids), entry], key=_step_of)
        ids = b"".join(ordered)
    state.known_ids[kind] = ids[-MOST_IDS[kind] * ID_BYTES :]


def merged_ids(a: dict[int, bytes], b: dict[int, bytes]) -> dict[int, bytes]:
    """Return the newest ids of both, by kind."""
    return {
        kind: b"".join(
            sorted({*entries(a.get(kind, b"")), *entries(b.get(kind, b""))})[-MOST_IDS[kind] :]
        )
        for kind in sorted(a.keys() | b.keys())
    }


def entries(ids: bytes) -> list[bytes]:
    """Return the remembered ids that stand one behind the other, oldest first."""
    return [ids[start : start + ID_BYTES] for start in range(0, len(ids), ID_BYTES)]


def _step_of(entry: bytes) -> bytes:
    return entry[:TIME_BYTES]


# An event is asked for and then remembered, soon after.
@lru_cache(maxsize=64)
def _entry(topic: str, event_id: str, at_ms: int) -> bytes:
    return _step(at_ms) + known_as(topic, event_id)[:_HASH_BYTES]


def _step(at_ms: float) -> bytes:
    step: int = min(max(int(at_ms - _FIRST_MS) // _STEP_MS, 0), _LAST_STEP)
    return step.to_bytes(TIME_BYTES, "big")


def _is_among(known: bytes, ids: bytes) -> bool:
    place = ids.find(known)
    while place >= 0 and place % ID_BYTES != TIME_BYTES:
        place = ids.find(known, place + 1)
    return place >= 0


def _by_time(state: CustomerState, event: CustomerEvent) -> bool:
    if not isinstance(event, Outcome):
        return True
    if event.kind in _REFUSALS:
        return False
    return all(pending.decision_id != event.decision_id for pending in state.pending)
