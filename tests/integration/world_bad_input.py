"""Bad input of every kind, each made from an event that is good."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from schemas.topics import CLICKSTREAM, PURCHASES, SUPPORT
from schemas.wire import encode_event
from tests.integration.world import Given

Event = dict[str, Any]


def _view(**changes: Any) -> Callable[[Event], bytes]:
    return lambda event: encode_event(CLICKSTREAM.name, {**event, **changes})


def _unknown_symbol(event: Event) -> bytes:
    return encode_event(CLICKSTREAM.name, {**event, "kind": "unknown"})


# Reason -> how a clickstream value comes to deserve it. Several roads may lead to one reason.
SPOILT: tuple[tuple[str, str, Callable[[Event], bytes | None]], ...] = (
    ("null", "null_value", lambda event: None),
    ("empty", "empty_value", lambda event: b""),
    ("only_a_magic_byte", "truncated", lambda event: b"\0"),
    ("cut_short", "truncated", lambda event: _view()(event)[:-9]),
    ("json", "wrong_magic", lambda event: b'{"kind": "view"}'),
    ("schema_nobody_knows", "unknown_schema_id", lambda event: b"\0\0\0\x27\x0f" + b"abc"),
    (
        "a_ticket_among_clicks",
        "wrong_record_type",
        lambda event: encode_event(SUPPORT.name, {**event, "kind": "opened", "ticket_id": "t"}),
    ),
    ("something_behind", "trailing_bytes", lambda event: _view()(event) + b"!"),
    ("nobody", "missing_customer", _view(customer_id=" ")),
    ("no_product", "missing_field", _view(kind="add_to_cart", product_id=None)),
    ("a_negative_price", "value_out_of_range", _view(price_minor=-1)),
    ("a_price_of_millions", "value_out_of_range", _view(price_minor=10**15)),
    ("the_year_1970", "event_time_too_old", _view(occurred_at=0)),
    ("seconds", "event_time_too_old", _view(occurred_at=1_705_320_000)),
    ("microseconds", "event_time_in_future", _view(occurred_at=1_705_320_000_000_000)),
    ("the_far_future", "event_time_in_future", _view(occurred_at=32_503_680_000_000)),
    ("a_symbol_not_known", "unknown_symbol", _unknown_symbol),
    ("a_megabyte", "oversized", lambda event: _view()(event) + b"!" * 990_000),
)
_SMALL = [spoilt for spoilt in SPOILT if spoilt[0] != "a_megabyte"]


def broken(chances: random.Random, event: Event) -> Given:
    """Return a record made from a good click that must be refused."""
    _, reason, spoil = chances.choice(_SMALL)
    return Given(CLICKSTREAM.name, event["customer_id"].encode(), spoil(event), reason)


def order_of(quantity: float, event: Event) -> Given:
    """Return an order of so many pieces: a number that Avro can hold need not be one."""
    line = {"product_id": "p1", "quantity": quantity, "unit_price_minor": 100}
    order = {**event, "kind": "order", "order_id": "o1", "currency": "EUR", "lines": [line]}
    return Given(PURCHASES.name, b"order", encode_event(PURCHASES.name, order))
