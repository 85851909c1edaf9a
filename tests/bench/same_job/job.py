"""The small job that every contender does: the same bytes in, the same state, the same bytes out.

It is loaded by processes that have nothing of Concierge installed, so it asks for fastavro alone.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

_CLICKSTREAM = Path(__file__).resolve().parents[3] / "schemas" / "avro" / "clickstream.avsc"
_CLICK_ID, _TOTALS_ID = 1, 900
_HEADER_BYTES = 5

TOTALS: dict[str, Any] = {
    "type": "record",
    "name": "ClickTotals",
    "fields": [
        {"name": "customer_id", "type": "string"},
        {"name": "seen", "type": "long"},
        {"name": "dwell_ms", "type": "long"},
        {"name": "price_minor", "type": "long"},
        {"name": "last_ms", "type": "long"},
    ],
}


def _without_logical_types(schema: Any) -> Any:
    # Times stay integers, as in the product: datetimes cost a third more.
    if isinstance(schema, list):
        return [_without_logical_types(part) for part in schema]
    if isinstance(schema, dict):
        return {k: _without_logical_types(v) for k, v in schema.items() if k != "logicalType"}
    return schema


_CLICK = parse_schema(_without_logical_types(json.loads(_CLICKSTREAM.read_text("utf-8"))))
_TOTALS = parse_schema(TOTALS)
_CLICK_HEADER = b"\0" + _CLICK_ID.to_bytes(4, "big")
_TOTALS_HEADER = b"\0" + _TOTALS_ID.to_bytes(4, "big")


def new_totals() -> list[int]:
    """Return the state of a customer never seen: clicks, dwell time, prices, newest click."""
    return [0, 0, 0, 0]


def encode_click(click: dict[str, Any]) -> bytes:
    """Return a click in Confluent's framing."""
    stream = BytesIO()
    stream.write(_CLICK_HEADER)
    schemaless_writer(stream, _CLICK, click)
    return stream.getvalue()


def decode_click(payload: bytes) -> dict[str, Any]:
    """Return the click in a framed value."""
    stream = BytesIO(payload)
    stream.seek(_HEADER_BYTES)
    click: Any = schemaless_reader(stream, _CLICK, None)
    return dict(click)


def apply(totals: list[int], click: dict[str, Any]) -> None:
    """Add a click to its customer's totals."""
    totals[0] += 1
    totals[1] += click["dwell_ms"]
    totals[2] += click["price_minor"]
    totals[3] = max(totals[3], click["occurred_at"])


def encode_totals(customer: str, totals: list[int]) -> bytes:
    """Return the output for a customer's totals, framed."""
    stream = BytesIO()
    stream.write(_TOTALS_HEADER)
    seen, dwell_ms, price_minor, last_ms = totals
    value = {
        "customer_id": customer,
        "seen": seen,
        "dwell_ms": dwell_ms,
        "price_minor": price_minor,
        "last_ms": last_ms,
    }
    schemaless_writer(stream, _TOTALS, value)
    return stream.getvalue()


def decode_totals(payload: bytes) -> tuple[str, list[int]]:
    """Return the customer and the totals of an output."""
    stream = BytesIO(payload)
    stream.seek(_HEADER_BYTES)
    value: Any = schemaless_reader(stream, _TOTALS, None)
    return value["customer_id"], [
        value["seen"],
        value["dwell_ms"],
        value["price_minor"],
        value["last_ms"],
    ]
