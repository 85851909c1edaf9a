"""The gate: bytes of an input record become a `CustomerEvent`, or a `Rejection` that says why.

Admitted by rule, because state deals with them: any record key (it is never looked at),
duplicates, late events and events out of order (see `schemas.reasons.ACCEPTED_BY_RULE`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.bundled import SchemaSource
from schemas.records import (
    Click,
    CustomerEvent,
    OrderLine,
    Origin,
    Outcome,
    Profile,
    Purchase,
    Rejection,
    Support,
)
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from schemas.wire import decode
from streams.core.admit_rules import RULES, check, check_contact_setting, check_lines
from streams.core.chance import is_decision_for
from streams.core.limits import MAX_ID_CHARS, AdmitLimits

DEFAULT_LIMITS = AdmitLimits()

# How many of a unit make a millisecond, to name the mistake in a rejected event time.
_FINER_UNITS = (("microseconds", 1_000), ("nanoseconds", 1_000_000))

_Build = Callable[[dict[str, Any], Origin], CustomerEvent | Rejection]


def admit(
    topic: str,
    value: bytes | None,
    origin: Origin,
    schemas: SchemaSource,
    limits: AdmitLimits = DEFAULT_LIMITS,
) -> CustomerEvent | Rejection:
    """Return the event in an input record's value, or why it is refused.

    `topic` is one of `schemas.topics.INPUTS`, without an installation's prefix. Nothing in the
    bytes can raise; `schemas` may, when it cannot tell what an id means right now.
    """
    if value is not None and len(value) > limits.max_value_bytes:
        return _reject("oversized", f"{len(value)} bytes, over {limits.max_value_bytes}")
    record = decode(topic, value, schemas)
    if isinstance(record, Rejection):
        return record
    wrong = (
        _check_customer(record["customer_id"])
        or _check_time(record["occurred_at"], origin.seen_at_ms, limits)
        or check(record, RULES[topic])
    )
    if wrong is None and record["occurred_at"] > origin.seen_at_ms:
        # Nobody hears of a thing before it happens: the sender's clock is fast. Left as it is, the
        # event would outdate what the customer does next.
        record["occurred_at"] = origin.seen_at_ms
    return wrong or _BUILD[topic](record, origin)


def _check_customer(customer: str) -> Rejection | None:
    if not customer or customer.isspace():
        return _reject("missing_customer", "customer_id is empty or blank")
    if len(customer) > MAX_ID_CHARS:
        what = f"customer_id has {len(customer)} characters, over {MAX_ID_CHARS}"
        return _reject("value_out_of_range", what)
    # Control characters are kept free for keys of our own in the customers table.
    if not customer.isprintable():
        return _reject("value_out_of_range", "customer_id holds characters that cannot be printed")
    return None


def _check_time(at_ms: int, seen_at_ms: int, limits: AdmitLimits) -> Rejection | None:
    oldest, newest = limits.oldest_event_ms, seen_at_ms + limits.future_ms
    if oldest <= at_ms <= newest:
        return None
    if at_ms < oldest:
        hint = ": it looks like seconds" if oldest <= at_ms * 1_000 <= newest else ""
        return _reject("event_time_too_old", f"occurred_at {at_ms} is older than any event{hint}")
    hints = [u for u, per_ms in _FINER_UNITS if oldest <= at_ms // per_ms <= newest]
    hint = f": it looks like {hints[0]}" if hints else ""
    return _reject("event_time_in_future", f"occurred_at {at_ms} is after its arrival{hint}")


def _click(value: dict[str, Any], origin: Origin) -> CustomerEvent | Rejection:
    return Click(
        event_id=value["event_id"],
        customer=value["customer_id"],
        at_ms=value["occurred_at"],
        origin=origin,
        kind=value["kind"],
        product=value["product_id"],
        family=value["family"],
        channel=value["channel"],
        device=value["device"],
        place=value["place"],
        session=value["session_id"],
        dwell_ms=value["dwell_ms"],
        price_minor=value["price_minor"],
    )


def _purchase(value: dict[str, Any], origin: Origin) -> CustomerEvent | Rejection:
    lines = value["lines"]
    return check_lines(lines) or Purchase(
        event_id=value["event_id"],
        customer=value["customer_id"],
        at_ms=value["occurred_at"],
        origin=origin,
        kind=value["kind"],
        order_id=value["order_id"],
        currency=value["currency"],
        lines=[
            OrderLine(
                line["product_id"],
                line["family"],
                line["quantity"],
                line["unit_price_minor"],
                line["discount_minor"],
            )
            for line in lines
        ],
        channel=value["channel"],
    )


def _support(value: dict[str, Any], origin: Origin) -> CustomerEvent | Rejection:
    return Support(
        event_id=value["event_id"],
        customer=value["customer_id"],
        at_ms=value["occurred_at"],
        origin=origin,
        kind=value["kind"],
        ticket_id=value["ticket_id"],
        topic=value["topic"],
        severity=value["severity"],
        product=value["product_id"],
        family=value["family"],
        satisfaction=value["satisfaction"],
        channel=value["channel"],
    )


def _profile(value: dict[str, Any], origin: Origin) -> CustomerEvent | Rejection:
    return check_contact_setting(value) or Profile(
        event_id=value["event_id"],
        customer=value["customer_id"],
        at_ms=value["occurred_at"],
        origin=origin,
        kind=value["kind"],
        subject=value["subject"],
        value=value["value"],
        weight=value["weight"],
        purpose=value["purpose"],
        granted=value["granted"],
        time_zone=value["time_zone"],
        quiet_from_minute=value["quiet_from_minute"],
        quiet_until_minute=value["quiet_until_minute"],
    )


def _outcome(value: dict[str, Any], origin: Origin) -> CustomerEvent | Rejection:
    if not is_decision_for(value["customer_id"], value["decision_id"]):
        named, customer = value["decision_id"], value["customer_id"]
        return _reject("foreign_decision", f"{named!r} is no decision for customer {customer!r}")
    return Outcome(
        event_id=value["event_id"],
        customer=value["customer_id"],
        at_ms=value["occurred_at"],
        origin=origin,
        kind=value["kind"],
        decision_id=value["decision_id"],
        channel=value["channel"],
        reason=value["reason"],
        value_minor=value["value_minor"],
    )


_BUILD: Mapping[str, _Build] = {
    CLICKSTREAM.name: _click,
    PURCHASES.name: _purchase,
    SUPPORT.name: _support,
    PROFILE.name: _profile,
    OUTCOMES.name: _outcome,
}


def _reject(reason: str, detail: str) -> Rejection:
    return Rejection(reason=reason, detail=detail)
