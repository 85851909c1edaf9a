"""Merging: two identities turn out to be one person, and their states become one.

`merge(a, b)` equals `merge(b, a)`, and an empty state adds nothing. Each field of a state has a
rule; `tests/unit/core/folds/test_merge_fields.py` fails for a field without one. Decayed sums and
totals add up: folding the events of each identity and merging gives what folding all events into
one state gives, up to the sixth digit of sums. Of what is bounded (families, contacts, maps) the
strongest or latest entries are kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from copy import copy
from math import exp2

from schemas.symbols import PURPOSES
from streams.core.folds.clicks import cart_after_order
from streams.core.folds.merge_maps import (
    merged_cart,
    merged_habits,
    merged_recent_ids,
    merged_stated_values,
    merged_subscriptions,
    merged_suppression_counts,
    merged_tickets,
    merged_watermarks,
)
from streams.core.folds.merge_pending import merged_pending
from streams.core.folds.purchases import MONEY_SLOTS
from streams.core.folds.subscriptions import sum_up
from streams.core.folds.updates import cart_waits
from streams.core.state.baskets import CartItem
from streams.core.state.counted_ids import merged_ids
from streams.core.state.customer import CustomerState, new_family
from streams.core.state.decay import ERA_SLOTS, FAMILY_SUM_SLOTS, SUM_SLOTS, rounded
from streams.core.state.layout import (
    CONTACT_WIDTH,
    ERA_HALF_LIVES,
    FAMILY,
    HEAD,
    LATEST,
    MAX_CONTACTS,
    MAX_FAMILIES,
    TOTALS,
)

_ADDED = tuple(HEAD[f"total_{name}"] for name in TOTALS)
_LARGEST = (
    *(HEAD[f"latest_{name}"] for name in LATEST),
    HEAD["last_decision_ms"],
    # Fatigue under one identity is fatigue of the person.
    HEAD["ignored_in_a_row"],
    HEAD["due_cart_left_ms"],
    HEAD["due_gone_quiet_ms"],
    HEAD["erased_ms"],
    HEAD["newest_event_ms"],
    HEAD["automated_in_a_row"],
    HEAD["spend_currency"],
)
_EARLIEST = (HEAD["first_seen_ms"], HEAD["signed_up_ms"], HEAD["due_replenishment_ms"])
_WAITING = (HEAD["due_quiet_over_ms"], HEAD["waiting_moment"])
_QUIET = (HEAD["quiet_from_minute"], HEAD["quiet_until_minute"])


def merge(a: CustomerState, b: CustomerState) -> CustomerState:
    """Return one state for two identities of a person; neither `a` nor `b` is changed.

    `applied_offset` is the larger one, which means something only if both states are of the same
    timeline partition.
    """
    a, b = _in_one_currency(a, b)
    one = CustomerState()
    one.applied_offset = max(a.applied_offset, b.applied_offset)
    scales = _eras(one.head, a.head, b.head)
    for slots, factor_a, factor_b in zip(SUM_SLOTS, *scales, strict=True):
        for slot in slots:
            one.head[slot] = rounded(a.head[slot] * factor_a + b.head[slot] * factor_b)
    _head(one.head, a.head, b.head)
    _contact_setting(one, a, b)
    one.families = _families(a, b, scales)
    one.contacts = _contacts(a, b)
    one.recent_ids = merged_recent_ids(a.recent_ids, b.recent_ids)
    one.watermarks = merged_watermarks(a.watermarks, b.watermarks)
    one.known_ids = merged_ids(a.known_ids, b.known_ids)
    one.products = merged_habits(
        a.products,
        b.products,
        ordered_ms=(a.number("latest_ordered"), b.number("latest_ordered")),
    )
    ordered_ms = one.number("latest_ordered")
    one.cart = merged_cart(_cart_since(a, ordered_ms), _cart_since(b, ordered_ms))
    one.subscriptions = merged_subscriptions(a.subscriptions, b.subscriptions)
    sum_up(one)
    one.tickets = merged_tickets(a.tickets, b.tickets)
    one.preferences, one.answers = merged_stated_values(a, b)
    _channel_settings(one, a, b)
    one.suppression_counts = merged_suppression_counts(a.suppression_counts, b.suppression_counts)
    one.pending = merged_pending(a.pending, b.pending)
    one.enrolled = a.enrolled | b.enrolled
    if not cart_waits(one):
        one.head[HEAD["due_cart_left_ms"]] = 0.0
    return one


def _cart_since(state: CustomerState, ordered_ms: float) -> dict[str, CartItem]:
    """Return a state's cart, reduced by an order of the other identity if that came later."""
    if state.number("latest_ordered") == ordered_ms:
        return state.cart
    return cart_after_order(state.cart, ordered_ms)


def _in_one_currency(a: CustomerState, b: CustomerState) -> tuple[CustomerState, CustomerState]:
    """Return both with money in one currency only; the larger number's, so that order is no matter.

    They differ only around a change of the catalogue's currency: one of them has ordered since.
    """
    slot = HEAD["spend_currency"]
    one, other = a.head[slot], b.head[slot]
    if one == other or not one or not other:
        return a, b
    return (_without_money(a), b) if one < other else (a, _without_money(b))


def _without_money(state: CustomerState) -> CustomerState:
    bare = copy(state)
    bare.head = array("d", state.head)
    for slot in MONEY_SLOTS:
        bare.head[slot] = 0.0
    bare.families = {name: array("d", row) for name, row in state.families.items()}
    for row in bare.families.values():
        row[FAMILY["spend_30d"]] = 0.0
    return bare


_Scale = tuple[float, ...]


def _eras(one: array[float], a: array[float], b: array[float]) -> tuple[_Scale, _Scale]:
    """Move both to the later landmark of each half-life; return the factors for each side."""
    for slot in ERA_SLOTS:
        one[slot] = max(a[slot], b[slot])
    return (
        tuple(exp2(-ERA_HALF_LIVES * (one[slot] - a[slot])) for slot in ERA_SLOTS),
        tuple(exp2(-ERA_HALF_LIVES * (one[slot] - b[slot])) for slot in ERA_SLOTS),
    )


def _head(one: array[float], a: array[float], b: array[float]) -> None:
    for slot in _ADDED:
        one[slot] = a[slot] + b[slot]
    for slot in _LARGEST:
        one[slot] = max(a[slot], b[slot])
    for slot in _EARLIEST:
        one[slot] = _earlier(a[slot], b[slot])
    due, moment = _WAITING
    waiting = [(head[due], head[moment]) for head in (a, b)]
    # The moment that quiet hours hold back until the earlier time; a fired timer has none.
    one[due], one[moment] = min((pair for pair in waiting if pair[0]), default=max(waiting))
    # The latest statement counts; of two at the same time the more cautious: less satisfied,
    # opt-out.
    for slot in (HEAD["satisfaction"], *(HEAD[f"consent_{purpose}"] for purpose in PURPOSES)):
        latest = max((a, b), key=lambda head: (head[slot + 1], -head[slot]))
        one[slot : slot + 2] = latest[slot : slot + 2]


def _earlier(a: float, b: float) -> float:
    """Return the smaller of two times of which 0 is none."""
    return min(a, b) if a and b else a or b


def _contact_setting(one: CustomerState, a: CustomerState, b: CustomerState) -> None:
    slot = HEAD["contact_setting_ms"]
    later, earlier = sorted(
        (a, b),
        key=lambda s: (s.head[slot], *(s.head[q] for q in _QUIET), s.time_zone or ""),
        reverse=True,
    )
    one.head[slot] = later.head[slot]
    one.time_zone = later.time_zone or earlier.time_zone
    # Equal ends are no quiet hours: then those of the other identity are kept.
    known = later if later.head[_QUIET[0]] != later.head[_QUIET[1]] else earlier
    for quiet in _QUIET:
        one.head[quiet] = known.head[quiet]


def _families(
    a: CustomerState, b: CustomerState, scales: tuple[_Scale, _Scale]
) -> dict[str, array[float]]:
    families: dict[str, array[float]] = {}
    for name in sorted(a.families.keys() | b.families.keys()):
        row_a, row_b = (side.families.get(name) or new_family() for side in (a, b))
        one = families[name] = new_family()
        for slots, factor_a, factor_b in zip(FAMILY_SUM_SLOTS, *scales, strict=True):
            for slot in slots:
                one[slot] = rounded(row_a[slot] * factor_a + row_b[slot] * factor_b)
        _rhythm(one, row_a, row_b)
    lasting = FAMILY["interest_30d"]
    strongest = sorted(families, key=lambda name: (families[name][lasting], name), reverse=True)
    return {name: families[name] for name in sorted(strongest[:MAX_FAMILIES])}


def _rhythm(one: array[float], a: array[float], b: array[float]) -> None:
    first, last, days = FAMILY["first_order_day"], FAMILY["last_order_day"], FAMILY["order_days"]
    for slot in (last, FAMILY["last_order_ms"], FAMILY["last_seen_ms"]):
        one[slot] = max(a[slot], b[slot])
    one[first] = _earlier(a[first], b[first])
    shared: set[float] = set()
    if a[days] and b[days]:
        # Exact unless both also bought on one day in between.
        shared = {a[first], a[last]} & {b[first], b[last]}
    one[days] = a[days] + b[days] - len(shared)


def _contacts(a: CustomerState, b: CustomerState) -> array[float]:
    if not a.contacts or not b.contacts:
        # In the order in which they were made, also those of the same time.
        return a.contacts + b.contacts
    rows = sorted([*_rows(a.contacts), *_rows(b.contacts)])
    return array("d", [number for row in rows[-MAX_CONTACTS:] for number in row])


def _rows(contacts: array[float]) -> Iterable[tuple[float, ...]]:
    for start in range(0, len(contacts), CONTACT_WIDTH):
        yield tuple(contacts[start : start + CONTACT_WIDTH])


def _latest(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {name: max(a.get(name, 0), b.get(name, 0)) for name in sorted(a.keys() | b.keys())}


def _channel_settings(one: CustomerState, a: CustomerState, b: CustomerState) -> None:
    """Apply the latest statement on each channel; of two at the same time the opt-out."""
    given_ms = one.number("consent_marketing_ms") if one.number("consent_marketing") > 0 else 0.0
    closed = _latest(a.unsubscribed, b.unsubscribed)
    opened = _latest(a.resubscribed, b.resubscribed)
    one.unsubscribed = {
        channel: at_ms
        for channel, at_ms in closed.items()
        if at_ms >= max(given_ms, opened.get(channel, 0))
    }
    one.resubscribed = {c: at_ms for c, at_ms in opened.items() if at_ms > closed.get(c, 0)}
