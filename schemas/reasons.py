"""Every reason for which input is refused, and every oddity that is accepted by rule.

A refused record's fate is always the same: it goes to the dead-letter topic, verbatim, and work
goes on. `remedy` says what has to happen before sending it again can succeed. What is refused is
counted by these codes; past a configured rate of dead letters the worker stops instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.symbols import PLACEHOLDERS

# Names of Kafka Connect's stages, which tools for its dead letters know.
Stage = Literal["VALUE_CONVERTER", "TRANSFORMATION"]
Remedy = Literal["fix_at_source", "send_again_after_upgrade"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code: what it means, where it arises and what would help."""

    code: str
    meaning: str
    stage: Stage
    remedy: Remedy = "fix_at_source"


# Refused before the bytes have become a record.
_UNREADABLE = (
    ("null_value", "the record has no value; inputs know no tombstones"),
    ("empty_value", "the value has no bytes at all"),
    ("oversized", "the value is larger than any valid event can be"),
    ("wrong_magic", "the value does not begin with byte 0, so it is not in Confluent's framing"),
    ("truncated", "the value ends before the record does"),
    ("wrong_record_type", "the schema id belongs to another topic's record"),
    ("malformed", "the bytes are no Avro of the schema they name"),
    ("bad_utf8", "a text field is not UTF-8"),
    ("trailing_bytes", "bytes are left over after the record"),
)
# Refused because this version cannot know what it means; a later one, or a registration, may.
_NOT_YET_READABLE = (
    ("unknown_schema_id", "no schema is known under the id that the value names"),
    ("incompatible_schema", "the schema it was written with cannot be read as this topic's record"),
)
# Refused because of what the record says.
_UNACCEPTABLE = (
    ("missing_customer", "the customer id is empty or blank"),
    (
        "placeholder_id",
        "an id is a word that programs write for a missing value: "
        + ", ".join(sorted(PLACEHOLDERS)),
    ),
    ("missing_field", "a field that this kind of event needs is empty"),
    ("not_finite", "a number is NaN or infinite"),
    ("value_out_of_range", "a number, text or list is outside its declared range"),
    ("foreign_decision", "the outcome names no decision that was made for its customer"),
    ("event_time_too_old", "the event time lies before any real event (seconds for milliseconds?)"),
    ("event_time_in_future", "the event time lies after its arrival (microseconds?)"),
)

_UNKNOWN_SYMBOL = Reason(
    "unknown_symbol",
    "an enum holds a symbol this version does not know, or `unknown` itself",
    "TRANSFORMATION",
    # Refused rather than guessed: a dead letter can be sent again, a wrong guess stays in state.
    "send_again_after_upgrade",
)

ALL = (
    *(Reason(code, meaning, "VALUE_CONVERTER") for code, meaning in _UNREADABLE),
    *(
        Reason(code, meaning, "VALUE_CONVERTER", "send_again_after_upgrade")
        for code, meaning in _NOT_YET_READABLE
    ),
    *(Reason(code, meaning, "TRANSFORMATION") for code, meaning in _UNACCEPTABLE),
    _UNKNOWN_SYMBOL,
)
REASONS = {reason.code: reason for reason in ALL}

# Odd, and accepted all the same; each by the rule beside it.
ACCEPTED_BY_RULE = {
    "odd_key": "the key of an input record is never read, so any bytes or none will do: "
    "the customer is the one the value names",
    "duplicate_event": "admitted again and folded once: the customer's state remembers the ids "
    "of recent events; a no under an id that was used before still closes what it names",
    "late_event": "admitted whatever its delay, back to the oldest believable event time: decayed "
    "sums do not depend on the order of arrival",
    "opt_out_with_a_flaw": "a customer's no (withdrawal, erasure, unsubscribe, objection, dislike, "
    "quiet hours) is admitted without the wrong fields that its kind does not need; these are "
    "counted in concierge_dropped_fields_total",
    "blanks_around_an_id": "removed: an id is compared without them",
    "out_of_order_event": "admitted in the order of arrival: the newest is decided by event time",
}
