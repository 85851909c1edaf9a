"""Merging the maps and lists of two states: each rule is symmetric, ties included."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import msgspec

from streams.core.folds.habits import SUREST, faded, trimmed
from streams.core.state.baskets import MAX_CART_MILLI, WHOLE, CartItem, Habit, Subscription
from streams.core.state.customer import CustomerState, StatedValue, SuppressionCount, Ticket, lasts
from streams.core.state.event_ids import Source, apart
from streams.core.state.layout import (
    MAX_ANSWERS,
    MAX_CART_BYTES,
    MAX_CART_ITEMS,
    MAX_PREFERENCES,
    MAX_RECENT_IDS,
    MAX_SUBSCRIPTIONS,
    MAX_SUPPRESSION_COUNTS,
    MAX_TICKETS,
    MAX_WATERMARKS,
)

_Key = TypeVar("_Key", bound=Hashable)


def merged_recent_ids(a: bytes, b: bytes) -> bytes:
    """Return the latest event ids of both, oldest first."""
    return b"".join(_interleaved(apart(a), apart(b))[-MAX_RECENT_IDS:])


def merged_watermarks(a: dict[Source, int], b: dict[Source, int]) -> dict[Source, int]:
    """Return the higher watermark of each source, those silent the longest first."""
    sources = _interleaved(list(a), list(b))[-MAX_WATERMARKS:]
    return {source: max(a.get(source, -1), b.get(source, -1)) for source in sources}


def _interleaved(a: Sequence[_Key], b: Sequence[_Key]) -> list[_Key]:
    """Join two lists that are oldest first by the distance of each entry from its list's end."""
    age: dict[_Key, int] = {}
    for side in (a, b):
        for place, key in enumerate(reversed(side)):
            age[key] = min(place, age.get(key, place))
    return sorted(age, key=lambda key: (-age[key], str(key)))


def merged_habits(
    a: dict[str, Habit], b: dict[str, Habit], *, ordered_ms: tuple[float, float]
) -> dict[str, Habit]:
    """Add up the days each product was bought; the most useful stay.

    `ordered_ms` has when each side ordered last: the later order is the latest one of both, and of
    two at the same time each product with the larger quantity.
    """
    latest_ms = max(ordered_ms)
    sides = [
        {
            name: habit if at_ms == latest_ms else _without_last(habit)
            for name, habit in side.items()
        }
        for side, at_ms in zip((a, b), ordered_ms, strict=True)
    ]
    habits = {name: _habit(sides[0].get(name), sides[1].get(name)) for name in _names(a, b)}
    return trimmed(habits)


def _without_last(habit: Habit) -> Habit:
    return msgspec.structs.replace(habit, last_milli=0)


def _habit(a: Habit | None, b: Habit | None) -> Habit:
    if a is None or b is None:
        return msgspec.structs.replace(_known(a, b))
    later, other = sorted((a, b), key=_recency, reverse=True)
    shared = a.last_day == b.last_day
    surer = max(a, b, key=lambda habit: (habit.sure, habit.last_day, habit.usual_milli))
    agree = a.usual_milli == b.usual_milli
    return Habit(
        days=a.days + b.days - shared,
        last_day=later.last_day,
        family=later.family,
        weight=later.weight + faded(other.weight, later.last_day - other.last_day) - WHOLE * shared,
        usual_milli=surer.usual_milli,
        sure=min(a.sure + b.sure, SUREST) if agree else surer.sure,
        last_milli=max(a.last_milli, b.last_milli),
    )


def _recency(habit: Habit) -> tuple[int, int, int]:
    return habit.last_day, habit.weight, habit.family


def merged_cart(a: dict[str, CartItem], b: dict[str, CartItem]) -> dict[str, CartItem]:
    """Add up what both put in and took out; the products touched last are kept."""
    items = {name: _cart_item(a.get(name), b.get(name)) for name in _names(a, b)}
    kept = sorted(items, key=lambda name: (items[name].at_ms, name))[-MAX_CART_ITEMS:]
    while sum(len(name.encode()) for name in kept) > MAX_CART_BYTES:
        del kept[0]
    return {name: items[name] for name in kept}


def _cart_item(a: CartItem | None, b: CartItem | None) -> CartItem:
    if a is None or b is None:
        return msgspec.structs.replace(_known(a, b))
    later = max(a, b, key=lambda item: (item.at_ms, item.family, item.latest_milli))
    return CartItem(
        later.family,
        min(a.quantity_milli + b.quantity_milli, MAX_CART_MILLI),
        later.at_ms,
        later.latest_milli,
        min(a.owed_milli + b.owed_milli, MAX_CART_MILLI),
    )


def merged_subscriptions(
    a: dict[int, Subscription], b: dict[int, Subscription]
) -> dict[int, Subscription]:
    """Join what is known of each subscription; active ones stay before ended ones."""
    both = {
        number: _subscription(a.get(number), b.get(number))
        for number in sorted(a.keys() | b.keys())
    }
    ranked = sorted(
        both,
        key=lambda n: (both[n].is_active, max(both[n].latest_ms, both[n].ended_ms), n),
    )
    return {number: both[number] for number in sorted(ranked[-MAX_SUBSCRIPTIONS:])}


def _subscription(a: Subscription | None, b: Subscription | None) -> Subscription:
    if a is None or b is None:
        return msgspec.structs.replace(_known(a, b))
    later = max(a, b, key=lambda each: (each.latest_ms, each.ended_ms, each.plan))
    ended_ms = max(a.ended_ms, b.ended_ms)
    began = [each.since_ms for each in (a, b) if each.since_ms > ended_ms]
    since_ms = min(began, default=later.since_ms)
    if later.latest_ms > ended_ms >= since_ms:
        since_ms = later.latest_ms
    return Subscription(later.plan, since_ms, later.latest_ms, ended_ms)


def merged_tickets(a: dict[str, Ticket], b: dict[str, Ticket]) -> dict[str, Ticket]:
    """Join the events of each ticket; of too many, open ones are kept first, then young ones."""
    tickets = {name: _ticket(a.get(name), b.get(name)) for name in _names(a, b)}
    ranked = sorted(
        tickets,
        key=lambda name: (
            tickets[name].is_open,
            tickets[name].heard_ms,
            name,
        ),
    )
    return {name: tickets[name] for name in sorted(ranked[-MAX_TICKETS:])}


def _ticket(a: Ticket | None, b: Ticket | None) -> Ticket:
    if a is None or b is None:
        return msgspec.structs.replace(_known(a, b))
    later = max(a, b, key=lambda ticket: (ticket.changed_at_ms, ticket.is_open))
    return Ticket(
        opened_at_ms=min(a.opened_at_ms, b.opened_at_ms),
        changed_at_ms=later.changed_at_ms,
        is_open=later.is_open,
        severity=max(a.severity, b.severity),
        family=max(a.family or "", b.family or "") or None,
        heard_ms=max(a.heard_ms, b.heard_ms),
        topic=_latest_word(a, b, "topic"),
        product=_latest_word(a, b, "product"),
    )


def _latest_word(a: Ticket, b: Ticket, name: str) -> str | None:
    said = [(each.heard_ms, word) for each in (a, b) if (word := getattr(each, name)) is not None]
    return max(said, default=(0, None))[1]


def merged_stated_values(
    a: CustomerState, b: CustomerState
) -> tuple[dict[str, StatedValue], dict[str, StatedValue]]:
    """Return the preferences and the answers of both: the latest word on each subject."""
    return (
        _latest_stated(a.preferences, b.preferences, MAX_PREFERENCES),
        _latest_stated(a.answers, b.answers, MAX_ANSWERS),
    )


def _latest_stated(
    a: dict[str, StatedValue], b: dict[str, StatedValue], most: int
) -> dict[str, StatedValue]:
    stated = {
        name: max(
            (side[name] for side in (a, b) if name in side),
            key=lambda word: (word.at_ms, word.weight, word.value or ""),
        )
        for name in _names(a, b)
    }
    ranked = sorted(stated, key=lambda name: (lasts(name, stated[name]), stated[name].at_ms, name))
    return {name: msgspec.structs.replace(stated[name]) for name in ranked[-most:]}


_Value = TypeVar("_Value")


def _known(a: _Value | None, b: _Value | None) -> _Value:
    value = b if a is None else a
    assert value is not None
    return value


def _names(a: dict[str, _Value], b: dict[str, _Value]) -> list[str]:
    return sorted(a.keys() | b.keys())


def merged_suppression_counts(
    a: dict[int, SuppressionCount], b: dict[int, SuppressionCount]
) -> dict[int, SuppressionCount]:
    """Return the suppression counts of both: of the same one the longer, with the higher count."""
    both = {
        number: SuppressionCount(
            max(side[number].count for side in (a, b) if number in side),
            max(side[number].until_ms for side in (a, b) if number in side),
        )
        for number in a.keys() | b.keys()
    }
    longest = sorted(both, key=lambda number: (both[number].until_ms, number), reverse=True)
    return {number: both[number] for number in sorted(longest[:MAX_SUPPRESSION_COUNTS])}
