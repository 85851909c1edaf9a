"""What each input's fields must satisfy, as tables: the declared ranges of `schemas/avro`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.records import Rejection
from schemas.symbols import PLACEHOLDERS
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from streams.core.size_limits import (
    LAST_MINUTE_OF_DAY,
    MAX_DWELL_MS,
    MAX_ID_CHARS,
    MAX_LINES,
    MAX_PRICE_MINOR,
    MAX_QUANTITY,
    MAX_TEXT_CHARS,
    MIN_QUANTITY,
)
from streams.core.time_zones import ZONES

_CURRENCY = re.compile(r"[A-Z]{3}")
_UNKNOWN = "unknown"
CUSTOMER = "customer_id"
_RANGE = "value_out_of_range"
# The longest name of a zone has 32; a customer's text is not repeated at length.
_MAX_ZONE_CHARS = 64


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one record.

    `ids` must not be empty, `optional_ids` may be missing; neither may be a placeholder. `texts`
    may be missing and have a greatest length in characters; `numbers` may be missing and lie
    between two bounds, both included; `symbols` may be missing and must be known; `needs` names,
    per kind, the fields that must be there.
    """

    ids: tuple[str, ...]
    optional_ids: tuple[str, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    numbers: tuple[tuple[str, float, float], ...] = ()
    symbols: tuple[str, ...] = ()
    shapes: tuple[tuple[str, re.Pattern[str], str], ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_MONEY = (0, MAX_PRICE_MINOR)
LINE = Rules(
    ids=("product_id",),
    optional_ids=("family",),
    texts=(("family", MAX_TEXT_CHARS),),
    numbers=(("unit_price_minor", *_MONEY), ("discount_minor", *_MONEY)),
)
RULES: Mapping[str, Rules] = {
    CLICKSTREAM.name: Rules(
        ids=("customer_id", "event_id"),
        optional_ids=("product_id", "family", "session_id"),
        texts=(
            ("product_id", MAX_ID_CHARS),
            ("family", MAX_TEXT_CHARS),
            ("device", MAX_TEXT_CHARS),
            ("place", MAX_TEXT_CHARS),
            ("session_id", MAX_ID_CHARS),
        ),
        numbers=(
            ("dwell_ms", 0, MAX_DWELL_MS),
            ("price_minor", *_MONEY),
            ("quantity", MIN_QUANTITY, MAX_QUANTITY),
        ),
        symbols=("kind", "channel"),
        needs={
            "add_to_cart": ("product_id",),
            "remove_from_cart": ("product_id",),
            "wishlist": ("product_id",),
        },
    ),
    PURCHASES.name: Rules(
        ids=("customer_id", "event_id", "order_id"),
        symbols=("kind", "channel"),
        shapes=(("currency", _CURRENCY, "three capital letters (ISO 4217)"),),
    ),
    SUPPORT.name: Rules(
        ids=("customer_id", "event_id", "ticket_id"),
        optional_ids=("product_id", "family"),
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
        ids=("customer_id", "event_id"),
        optional_ids=("subject",),
        texts=(
            ("subject", MAX_TEXT_CHARS),
            ("value", MAX_TEXT_CHARS),
        ),
        numbers=(
            ("weight", -1.0, 1.0),
            ("quiet_from_minute", 0, LAST_MINUTE_OF_DAY),
            ("quiet_until_minute", 0, LAST_MINUTE_OF_DAY),
        ),
        symbols=("kind", "purpose", "channel"),
        needs={
            "preference": ("subject", "weight"),
            "survey_answer": ("subject", "value"),
            "goal": ("subject",),
            "demographic": ("subject", "value"),
            "consent": ("purpose", "granted"),
            "channel_setting": ("channel", "granted"),
        },
    ),
    OUTCOMES.name: Rules(
        ids=("customer_id", "event_id", "decision_id"),
        texts=(("reason", MAX_TEXT_CHARS),),
        numbers=(("value_minor", *_MONEY),),
        symbols=("kind", "channel"),
    ),
}


class Problem(NamedTuple):
    """What is wrong with one field: a reason code of `schemas.reasons` and a sentence for people.

    A kind that lacks what it needs is the problem of the field that is missing.
    """

    field: str
    reason: str
    detail: str

    def rejection(self) -> Rejection:
        """Return the refusal of the whole record for this."""
        return Rejection(reason=self.reason, detail=self.detail)


def problems(value: Mapping[str, Any], rules: Rules) -> Iterator[Problem]:
    """Yield what is wrong with the fields of a decoded record whose ids were stripped."""
    for name in rules.ids:
        text = value[name]
        if not text or len(text) > MAX_ID_CHARS or text in PLACEHOLDERS:
            yield _wrong_id(name, text)
    for name, most in rules.texts:
        text = value[name]
        if text is not None and len(text) > most:
            yield Problem(name, _RANGE, f"{name} has {len(text)} characters, over {most}")
    for name, low, high in rules.numbers:
        number = value[name]
        # Written so that NaN, which compares with nothing, is refused too.
        if number is not None and not low <= number <= high:
            yield _wrong_number(name, number, f"{low:,} to {high:,}")
    for name in rules.symbols:
        if value[name] == _UNKNOWN:
            what = f"{name} holds a symbol this version does not know"
            yield Problem(name, "unknown_symbol", what)
    for name, shape, meaning in rules.shapes:
        text = value[name]
        if text is not None and not shape.fullmatch(text):
            yield _wrong_shape(name, text, meaning)
    for name in rules.needs.get(value.get("kind", ""), ()):
        if value[name] is None or value[name] == "":
            yield Problem(name, "missing_field", f"{value['kind']} needs {name}")


def problem_of_lines(lines: list[dict[str, Any]]) -> Problem | None:
    """Return what is wrong with the lines of a purchase, None when they are fine."""
    if not lines:
        return Problem("lines", "missing_field", "lines is empty")
    if len(lines) > MAX_LINES:
        return Problem("lines", _RANGE, f"{len(lines)} lines, over {MAX_LINES}")
    for number, line in enumerate(lines):
        quantity = line["quantity"]
        if not 0 < quantity <= MAX_QUANTITY:
            wanted = f"above 0, up to {MAX_QUANTITY:,}"
            return _wrong_number(f"lines[{number}].quantity", quantity, wanted)
        if (wrong := next(problems(line, LINE), None)) is not None:
            place = f"lines[{number}]."
            return Problem(place + wrong.field, wrong.reason, place + wrong.detail)
    return None


def contact_problems(value: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a contact setting: quiet hours need both ends, or there is a zone.

    And with the setting of a channel: what opens must name one.
    """
    start, end = value["quiet_from_minute"], value["quiet_until_minute"]
    if (start is None) != (end is None):
        given = "quiet_from_minute" if end is None else "quiet_until_minute"
        what = "quiet hours need both quiet_from_minute and _until_minute"
        yield Problem(given, "missing_field", what)
    zone = value["time_zone"]
    if zone is not None and zone not in ZONES:
        what = f"time_zone {zone[:_MAX_ZONE_CHARS]!r} is no zone of the IANA database"
        yield Problem("time_zone", "unknown_symbol", what)
    if value["kind"] == "contact_setting" and start is None and not zone:
        what = "contact_setting needs a time_zone or quiet hours"
        yield Problem("time_zone", "missing_field", what)
    if value["kind"] == "channel_setting" and value["granted"] and value["channel"] == "other":
        yield Problem("channel", _RANGE, "channel_setting opens one channel, and `other` is none")


def _wrong_id(name: str, text: str) -> Problem:
    if not text:
        reason = "missing_customer" if name == CUSTOMER else "missing_field"
        return Problem(name, reason, f"{name} is empty or blank")
    if text in PLACEHOLDERS:
        what = f"{name} is {text!r}, which programs write where they know no id"
        return Problem(name, "placeholder_id", what)
    return Problem(name, _RANGE, f"{name} has {len(text)} characters, over {MAX_ID_CHARS}")


def _wrong_number(name: str, number: float, wanted: str) -> Problem:
    if not math.isfinite(number):
        return Problem(name, "not_finite", f"{name} is {number}")
    return Problem(name, _RANGE, f"{name} is {number}, not in {wanted}")


def _wrong_shape(name: str, text: str, meaning: str) -> Problem:
    if not text:
        return Problem(name, "missing_field", f"{name} is empty")
    return Problem(name, _RANGE, f"{name} is not {meaning}")
