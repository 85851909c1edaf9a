"""Checked records of the input topics as typed events: one builder a topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.records import (
    Click,
    CustomerEvent,
    OrderLine,
    Origin,
    Outcome,
    Profile,
    Purchase,
    Support,
)
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT


def _click(value: dict[str, Any], origin: Origin) -> CustomerEvent:
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
        quantity=value["quantity"],
    )


def _purchase(value: dict[str, Any], origin: Origin) -> CustomerEvent:
    return Purchase(
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
            for line in value["lines"]
        ],
        channel=value["channel"],
    )


def _support(value: dict[str, Any], origin: Origin) -> CustomerEvent:
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


def _profile(value: dict[str, Any], origin: Origin) -> CustomerEvent:
    return Profile(
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
        channel=value["channel"],
    )


def _outcome(value: dict[str, Any], origin: Origin) -> CustomerEvent:
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


BUILD: Mapping[str, Callable[[dict[str, Any], Origin], CustomerEvent]] = {
    CLICKSTREAM.name: _click,
    PURCHASES.name: _purchase,
    SUPPORT.name: _support,
    PROFILE.name: _profile,
    OUTCOMES.name: _outcome,
}
