"""The ids of events that counted, remembered by kind: what is fed twice counts once.

A kind of event has a memory of its own, so that a thousand views do not push out an order. It holds
the newest ids of the kind, by event time: of each 4 bytes of hash, behind its second in 4 bytes. In
front of them is the floor: the latest second of which an id was dropped, 0 while none was. An id
that is not remembered is refused as known if it is no newer than the floor, because it may have
been dropped. So no purchase and no outcome counts twice, however often and in whichever order a
history is fed, and nothing new is refused before something was dropped. The price is that a new
event which arrives later than so many newer ones of its kind is left out. A new id is mistaken for
one of n known ones with a probability of n / 2**32.

- A support event is never refused by its time: the customer is owed an answer, and a lost ticket is
  worse than one that counts twice. So of a longer history that is fed again, the older support
  events count again.
- Nor is a change of the cart, of which only the last ones are known: many products may be added
  within one second, and an app may report days late.
- Nor is an unsubscribe, which adds to no count. The effect of a refused outcome on its decision,
and
  every other opt-out, is still applied if that is harmless twice.
- A reject or an objection is distinguished by its content as well: a sender that gives one id to
all
  outcomes of a decision must not lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from schemas.records import Click, CustomerEvent, Outcome, Purchase, Support
from streams.core.state.customer import CustomerState
from streams.core.state.event_ids import event_id_hash
from streams.core.state.layout import (
    MAX_ANSWER_IDS,
    MAX_CART_IDS,
    MAX_PURCHASE_IDS,
    MAX_SHOWN_IDS,
    MAX_SUPPORT_IDS,
)
from streams.core.units import (
    SECOND_MS,
)

# A stored state names a kind by its number: they may only be appended to.
PURCHASES, ANSWERS, SHOWN, SUPPORT, CART = range(5)
MOST_IDS = {
    PURCHASES: MAX_PURCHASE_IDS,
    ANSWERS: MAX_ANSWER_IDS,
    SHOWN: MAX_SHOWN_IDS,
    SUPPORT: MAX_SUPPORT_IDS,
    CART: MAX_CART_IDS,
}
_NEVER_BY_TIME = frozenset({SUPPORT, CART})
_CART_KINDS = frozenset({"add_to_cart", "remove_from_cart"})
_SHOWN_KINDS = frozenset({"delivered", "impression"})
_REFUSALS = frozenset({"reject", "objection"})

_HASH_BYTES, TIME_BYTES = 4, 4
ID_BYTES = _HASH_BYTES + TIME_BYTES
# Four bytes of seconds are 136 years: from 1990, before which no event is expected, to 2126.
_FIRST_MS = 631_152_000_000
_LAST_STEP = 256**TIME_BYTES - 1
_EMPTY = bytes(TIME_BYTES)


def kind_of(event: CustomerEvent) -> int | None:
    """Return the kind under which an event's id is remembered; None for the ring of all others."""
    if isinstance(event, Click):
        return CART if event.kind in _CART_KINDS else None
    if isinstance(event, Outcome):
        return SHOWN if event.kind in _SHOWN_KINDS else ANSWERS
    if isinstance(event, Purchase):
        return PURCHASES
    return SUPPORT if isinstance(event, Support) else None


def remembered_as(event: CustomerEvent) -> bytes:
    """Return the hash by which an event's id is remembered."""
    return _entry(event)[TIME_BYTES:]


def is_known(state: CustomerState, kind: int, event: CustomerEvent) -> bool:
    """Return whether an event counted before, or may have."""
    ids = state.known_ids.get(kind)
    if not ids:
        return False
    entry = _entry(event)
    if _is_among(entry[TIME_BYTES:], ids):
        return True
    if kind in _NEVER_BY_TIME or event.kind == "unsubscribe":
        return False
    return entry[:TIME_BYTES] <= ids[:TIME_BYTES]


def remember_id(state: CustomerState, kind: int, event: CustomerEvent) -> None:
    """Remember the id of an event that counts now."""
    ids, entry = state.known_ids.get(kind, _EMPTY), _entry(event)
    is_full = len(ids) >= TIME_BYTES + MOST_IDS[kind] * ID_BYTES
    if ids[-ID_BYTES:-_HASH_BYTES] <= entry[:TIME_BYTES]:
        if is_full:
            floor = max(ids[:TIME_BYTES], ids[TIME_BYTES:ID_BYTES])
            ids = floor + ids[TIME_BYTES + ID_BYTES :]
        state.known_ids[kind] = ids + entry
        return
    # A late one: behind those of its own time.
    ordered = entries(ids)
    if is_full and kind in _NEVER_BY_TIME:
        # Not itself, however late it is: it must be known when it is sent again soon.
        del ordered[0]
    ordered = sorted([*ordered, entry], key=_step_of)
    state.known_ids[kind] = _bounded(kind, ids[:TIME_BYTES], ordered)


def merged_ids(a: dict[int, bytes], b: dict[int, bytes]) -> dict[int, bytes]:
    """Return the newest ids of both, by kind, and the higher floor."""
    merged = {}
    for kind in sorted(a.keys() | b.keys()):
        if kind not in a or kind not in b:
            merged[kind] = a[kind] if kind in a else b[kind]
            continue
        one, other = a[kind], b[kind]
        floor = max(one[:TIME_BYTES], other[:TIME_BYTES])
        merged[kind] = _bounded(kind, floor, sorted({*entries(one), *entries(other)}))
    return merged


def entries(ids: bytes) -> list[bytes]:
    """Return the remembered ids that follow the floor, each behind its second, oldest first."""
    return [ids[start : start + ID_BYTES] for start in range(TIME_BYTES, len(ids), ID_BYTES)]


def _bounded(kind: int, floor: bytes, ordered: Sequence[bytes]) -> bytes:
    """Return a memory of the newest of some ids; what is dropped raises the floor."""
    surplus = len(ordered) - MOST_IDS[kind]
    if surplus > 0:
        floor, ordered = max(floor, _step_of(ordered[surplus - 1])), ordered[surplus:]
    return b"".join((floor, *ordered))


def _step_of(entry: bytes) -> bytes:
    return entry[:TIME_BYTES]


def _entry(event: CustomerEvent) -> bytes:
    event_id = event.event_id
    if isinstance(event, Outcome) and event.kind in _REFUSALS:
        event_id = f"{event_id}/{event.kind}/{event.decision_id}"
    return _entry_of(event.origin.topic, event_id, event.at_ms)


# An event is asked for and then remembered, soon after.
@lru_cache(maxsize=64)
def _entry_of(topic: str, event_id: str, at_ms: int) -> bytes:
    # The floor of a memory that dropped nothing is 0, below every event.
    step: int = min(max(int(at_ms - _FIRST_MS) // SECOND_MS, 1), _LAST_STEP)
    return step.to_bytes(TIME_BYTES, "big") + event_id_hash(topic, event_id)[:_HASH_BYTES]


def _is_among(known: bytes, ids: bytes) -> bool:
    place = ids.find(known, ID_BYTES)
    while place >= 0 and place % ID_BYTES:
        place = ids.find(known, place + 1)
    return place >= 0
