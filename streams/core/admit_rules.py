"""What each input's fields must satisfy, as tables: the declared ranges of `schemas/avro`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.records import Rejection
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from streams.core.limits import (
    LAST_MINUTE_OF_DAY,
    MAX_DWELL_MS,
    MAX_ID_CHARS,
    MAX_LINES,
    MAX_PRICE_MINOR,
    MAX_QUANTITY,
    MAX_TEXT_CHARS,
)
from streams.core.zones import ZONES

_CURRENCY = re.compile(r"[A-Z]{3}")
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one record.

    `ids` must not be empty; `texts` may be missing and have a greatest length in characters;
    `numbers` may be missing and lie between two bounds, both included; `symbols` may be missing
    and must be known; `needs` names, per kind, the fields that must be there.
    """

    ids: tuple[str, ...]
    texts: tuple[tuple[str, int], ...] = ()
    numbers: tuple[tuple[str, float, float], ...] = ()
    symbols: tuple[str, ...] = ()
    shapes: tuple[tuple[str, re.Pattern[str], str], ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_MONEY = (0, MAX_PRICE_MINOR)
_LINE = Rules(
    ids=("product_id",),
    texts=(("family", MAX_TEXT_CHARS),),
    numbers=(("unit_price_minor", *_MONEY), ("discount_minor", *_MONEY)),
)
RULES: Mapping[str, Rules] = {
    CLICKSTREAM.name: Rules(
        ids=("event_id",),
        texts=(
            ("product_id", MAX_ID_CHARS),
            ("family", MAX_TEXT_CHARS),
            ("device", MAX_TEXT_CHARS),
            ("place", MAX_TEXT_CHARS),
            ("session_id", MAX_ID_CHARS),
        ),
        numbers=(("dwell_ms", 0, MAX_DWELL_MS), ("price_minor", *_MONEY)),
        symbols=("kind", "channel"),
        needs={
            "add_to_cart": ("product_id",),
            "remove_from_cart": ("product_id",),
            "wishlist": ("product_id",),
        },
    ),
    PURCHASES.name: Rules(
        ids=("event_id", "order_id"),
        symbols=("kind", "channel"),
        shapes=(("currency", _CURRENCY, "three capital letters (ISO 4217)"),),
    ),
    SUPPORT.name: Rules(
        ids=("event_id", "ticket_id"),
        texts=(
            ("topic", MAX_TEXT_CHARS),
            ("product_id", MAX_ID_CHARS),
            ("family", MAX_TEXT_CHARS),
        ),
        numbers=(("satisfaction", 1, 5),),
        symbols=("kind", "channel", "severity"),
        needs={"rated": ("satisfaction",)},
    ),
    PROFILE.name: Rules(
        ids=("event_id",),
        texts=(
            ("subject", MAX_TEXT_CHARS),
            ("value", MAX_TEXT_CHARS),
        ),
        numbers=(
            ("weight", -1.0, 1.0),
            ("quiet_from_minute", 0, LAST_MINUTE_OF_DAY),
            ("quiet_until_minute", 0, LAST_MINUTE_OF_DAY),
        ),
        symbols=("kind", "purpose"),
        needs={
            "preference": ("subject", "weight"),
            "survey_answer": ("subject", "value"),
            "goal": ("subject",),
            "demographic": ("subject", "value"),
            "consent": ("purpose", "granted"),
        },
    ),
    OUTCOMES.name: Rules(
        ids=("event_id", "decision_id"),
        texts=(("reason", MAX_TEXT_CHARS),),
        numbers=(("value_minor", *_MONEY),),
        symbols=("kind", "channel"),
    ),
}


def check(value: Mapping[str, Any], rules: Rules) -> Rejection | None:
    """Return why a decoded record breaks its rules, None when it keeps them."""
    for name in rules.ids:
        text = value[name]
        if not text or len(text) > MAX_ID_CHARS:
            return _wrong_id(name, text)
    for name, most in rules.texts:
        text = value[name]
        if text is not None and len(text) > most:
            return _reject("value_out_of_range", f"{name} has {len(text)} characters, over {most}")
    for name, low, high in rules.numbers:
        number = value[name]
        # Written so that NaN, which compares with nothing, is refused too.
        if number is not None and not low <= number <= high:
            return _wrong_number(name, number, f"{low:,} to {high:,}")
    for name in rules.symbols:
        if value[name] == _UNKNOWN:
            return _reject("unknown_symbol", f"{name} holds a symbol this version does not know")
    for name, shape, meaning in rules.shapes:
        text = value[name]
        if text is not None and not shape.fullmatch(text):
            return _wrong_shape(name, text, meaning)
    for name in rules.needs.get(value.get("kind", ""), ()):
        if value[name] is None or value[name] == "":
            return _reject("missing_field", f"{value['kind']} needs {name}")
    return None


def check_lines(lines: list[dict[str, Any]]) -> Rejection | None:
    """Return why the lines of a purchase are refused, None when they are fine."""
    if not lines:
        return _reject("missing_field", "lines is empty")
    if len(lines) > MAX_LINES:
        return _reject("value_out_of_range", f"{len(lines)} lines, over {MAX_LINES}")
    for number, line in enumerate(lines):
        quantity = line["quantity"]
        if not 0 < quantity <= MAX_QUANTITY:
            wanted = f"above 0, up to {MAX_QUANTITY:,}"
            return _wrong_number(f"lines[{number}].quantity", quantity, wanted)
        if (wrong := check(line, _LINE)) is not None:
            return _reject(wrong.reason, f"lines[{number}].{wrong.detail}")
    return None


def check_contact_setting(value: Mapping[str, Any]) -> Rejection | None:
    """Return why a contact setting is refused: quiet hours want both ends, or a zone is given."""
    start, end = value["quiet_from_minute"], value["quiet_until_minute"]
    if (start is None) != (end is None):
        return _reject("missing_field", "quiet hours need both quiet_from_minute and _until_minute")
    zone = value["time_zone"]
    if zone is not None and zone not in ZONES:
        return _reject("unknown_symbol", f"time_zone {zone!r} is no zone of the IANA database")
    if value["kind"] == "contact_setting" and start is None and not zone:
        return _reject("missing_field", "contact_setting needs a time_zone or quiet hours")
    return None


def _wrong_id(name: str, text: str) -> Rejection:
    if not text:
        return _reject("missing_field", f"{name} is empty")
    return _reject("value_out_of_range", f"{name} has {len(text)} characters, over {MAX_ID_CHARS}")


def _wrong_number(name: str, number: float, wanted: str) -> Rejection:
    if not math.isfinite(number):
        return _reject("not_finite", f"{name} is {number}")
    return _reject("value_out_of_range", f"{name} is {number}, not in {wanted}")


def _wrong_shape(name: str, text: str, meaning: str) -> Rejection:
    if not text:
        return _reject("missing_field", f"{name} is empty")
    return _reject("value_out_of_range", f"{name} is not {meaning}")


def _reject(reason: str, detail: str) -> Rejection:
    return Rejection(reason=reason, detail=detail)
