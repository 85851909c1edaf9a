"""A customer's state as people read it: named, decayed to now, times as dates, nothing empty.

For support and the command line; nothing decides by it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.symbols import CHANNELS, PURPOSES, SEVERITIES
from streams.core.hashing import family_number
from streams.core.moments import MOMENTS
from streams.core.money import currency_of
from streams.core.state.customer import CustomerState
from streams.core.state.decay import ERA_SLOTS, decayed_value
from streams.core.state.event_ids import by_name
from streams.core.state.layout import (
    CONTACT,
    CONTACT_WIDTH,
    FAMILY,
    HALF_LIFE_NAMES,
    LATEST,
    SUMS,
    TOTALS,
)
from streams.core.state.timers import due_timers

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_CONSENT = {1.0: "given", -1.0: "withdrawn"}
_FOREVER_MS = 2**53


def view(state: CustomerState, at_ms: int) -> dict[str, Any]:
    """Return what is known of a customer at `at_ms`, as plain values fit for JSON.

    Sums are their values at `at_ms`, rounded to 3 decimals; those that round to 0, and unknown
    values, are left out.
    """
    known: dict[str, Any] = _without_blanks(
        {**_seen(state, at_ms), **_told(state), **_our_side(state)}
    )
    return known


def _seen(state: CustomerState, at_ms: int) -> dict[str, Any]:
    """Return what we saw the customer do."""
    families = {family_number(name): name for name in state.families}
    return {
        "first_seen": _time(state.number("first_seen_ms")),
        "signed_up": _time(state.number("signed_up_ms")),
        "latest": {name: _time(state.number(f"latest_{name}")) for name in LATEST},
        "currency": currency_of(state.number("spend_currency")),
        "totals": {name: _plain(state.number(f"total_{name}")) for name in TOTALS},
        "sums": {
            name: _sums([state.number(f"{name}_{h}") for h in HALF_LIFE_NAMES], state, at_ms)
            for name in SUMS
        },
        "families": {name: _family(state, name, at_ms) for name in sorted(state.families)},
        "usual_products": {
            name: {
                "days": habit.days,
                "last": _day(habit.last_day),
                "quantity": habit.usual_milli / 1_000,
                "in_latest_order": _plain(habit.last_milli / 1_000),
                "family": families.get(habit.family),
            }
            for name, habit in sorted(state.products.items())
        },
        "cart": {
            name: {
                "quantity": item.quantity_milli / 1_000,
                "family": families.get(item.family),
                "since": _time(item.at_ms),
            }
            for name, item in state.cart.items()
            if item.quantity_milli > 0
        },
        "subscriptions": [
            {
                "plan": each.plan,
                "is": "active" if each.is_active else "ended",
                "since": _time(each.since_ms),
                "renewed": _time(each.latest_ms),
                "ended": _time(each.ended_ms),
            }
            for each in state.subscriptions.values()
        ],
        "tickets": _tickets(state),
        "satisfaction": _plain(state.number("satisfaction")),
    }


def _told(state: CustomerState) -> dict[str, Any]:
    """Return what the customer stated, and the settings of contact."""
    return {
        "preferences": {
            name: {"weight": told.weight, "value": told.value, "told": _time(told.at_ms)}
            for name, told in state.preferences.items()
        },
        "answers": {
            name: {"value": told.value, "told": _time(told.at_ms)}
            for name, told in state.answers.items()
        },
        "consent": {
            purpose: {
                "is": _CONSENT.get(state.number(f"consent_{purpose}")),
                "since": _time(state.number(f"consent_{purpose}_ms")),
            }
            for purpose in PURPOSES
        },
        "unsubscribed": {channel: _time(t) for channel, t in sorted(state.unsubscribed.items())},
        "opened_again": {channel: _time(t) for channel, t in sorted(state.resubscribed.items())},
        "time_zone": state.time_zone,
        "quiet_hours": _quiet_hours(state),
        "erased": _time(state.number("erased_ms")),
    }


def _our_side(state: CustomerState) -> dict[str, Any]:
    """Return what we did, what we wait for and what is due."""
    return {
        "contacts": _contacts(state),
        "ignored_in_a_row": _plain(state.number("ignored_in_a_row")),
        "automated_in_a_row": _plain(state.number("automated_in_a_row")),
        "resting": [
            {"until": _time(count.until_ms), "answers_in_a_row": _plain(count.count)}
            for count in state.suppression_counts.values()
        ],
        "waiting": _waiting(state),
        "awaiting_outcome": [
            {
                "decision": pending.decision_id,
                "action": pending.action,
                "channel": pending.channel,
                "decided": _time(pending.decided_at_ms),
                "until": _time(pending.window_end_ms),
                "rewarded": pending.rewarded,
            }
            for pending in state.pending
        ],
        "timers": {name: _time(due_ms) for due_ms, name in due_timers(state, _FOREVER_MS)},
        "sources": dict(sorted(by_name(state.watermarks).items())),
    }


def _sums(sums: list[float], state: CustomerState, at_ms: int) -> dict[str, int | float | None]:
    """Return three decayed sums at `at_ms` by the name of their half-life."""
    return {
        name: _plain(decayed_value(total, state.head[ERA_SLOTS[number]], number, at_ms))
        for number, (name, total) in enumerate(zip(HALF_LIFE_NAMES, sums, strict=True))
    }


def _family(state: CustomerState, name: str, at_ms: int) -> dict[str, Any]:
    row = state.families[name]
    days = row[FAMILY["order_days"]]
    era_30d = state.head[ERA_SLOTS[2]]
    return {
        "interest": _sums([row[FAMILY[f"interest_{h}"]] for h in HALF_LIFE_NAMES], state, at_ms),
        "orders_30d": _plain(decayed_value(row[FAMILY["orders_30d"]], era_30d, 2, at_ms)),
        "spend_30d": _plain(decayed_value(row[FAMILY["spend_30d"]], era_30d, 2, at_ms)),
        "order_days": _plain(days),
        "first_order": _day(row[FAMILY["first_order_day"]]) if days else None,
        "last_order": _time(row[FAMILY["last_order_ms"]]),
        "last_seen": _time(row[FAMILY["last_seen_ms"]]),
    }


def _tickets(state: CustomerState) -> dict[str, Any]:
    return {
        name: {
            "is": "open" if ticket.is_open else "resolved",
            "severity": SEVERITIES[ticket.severity],
            "opened": _time(ticket.opened_at_ms),
            "changed": _time(ticket.changed_at_ms),
            "last_heard": _time(ticket.heard_ms),
            "topic": ticket.topic,
            "product": ticket.product,
            "family": ticket.family,
        }
        for name, ticket in state.tickets.items()
    }


def _contacts(state: CustomerState) -> list[dict[str, Any]]:
    """Return when and where we wrote; of the action only a hash is kept."""
    starts = range(0, len(state.contacts), CONTACT_WIDTH)
    return [
        {
            "at": _time(state.contacts[start + CONTACT["at_ms"]]),
            "channel": CHANNELS[int(state.contacts[start + CONTACT["channel"]])],
        }
        for start in starts
    ]


def _waiting(state: CustomerState) -> str | None:
    """Return the moment that waits for quiet hours to end."""
    waits = state.number("due_quiet_over_ms") > 0
    return list(MOMENTS)[int(state.number("waiting_moment"))] if waits else None


def _quiet_hours(state: CustomerState) -> str | None:
    start, end = int(state.number("quiet_from_minute")), int(state.number("quiet_until_minute"))
    if start == end:
        return None
    return f"{start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02}"


def _plain(number: float) -> int | float | None:
    """Round to 3 decimals, whole numbers as such; None for 0."""
    rounded = round(number, 3)
    return (int(rounded) if rounded == int(rounded) else rounded) or None


def _time(at_ms: float) -> str | None:
    if at_ms <= 0:
        return None
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _day(day: float) -> str:
    return datetime.fromordinal(_EPOCH_DAY + int(day)).date().isoformat()


def _without_blanks(value: Any) -> Any:
    """Drop what is None or empty, all the way down; False and 0 in lists are values."""
    if isinstance(value, dict):
        kept = {name: _without_blanks(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, {}, [])}
    if isinstance(value, list):
        return [_without_blanks(inner) for inner in value]
    return value
