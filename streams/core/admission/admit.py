"""The gate: bytes of an input record become a `CustomerEvent`, or a `Rejection` that says why.

Admitted by rule, because state deals with them: any record key (it is never looked at),
duplicates, late events and events out of order (see `schemas.reasons.ACCEPTED_BY_RULE`).

The surprising part: a customer's no (`admit_opt_outs`) is admitted without its wrong fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from schemas.bundled import SchemaSource
from schemas.records import CustomerEvent, Origin, Rejection
from schemas.topics import CLICKSTREAM, OUTCOMES, PROFILE, PURCHASES, SUPPORT
from schemas.wire import decode
from streams.core.admission.field_rules import (
    CUSTOMER,
    LINE,
    RULES,
    Problem,
    contact_problems,
    problem_of_lines,
    problems,
)
from streams.core.admission.opt_outs import (
    TOPICS_OF_OPT_OUTS,
    Dropped,
    badly_encoded,
    leave_out,
    opt_out_of,
)
from streams.core.admission.typed_events import BUILD
from streams.core.hashing import is_decision_for
from streams.core.ids import clean_ids
from streams.core.size_limits import AdmitLimits

DEFAULT_LIMITS = AdmitLimits()

# How many of a unit make a millisecond, to name the mistake in a rejected event time.
_FINER_UNITS = (("microseconds", 1_000), ("nanoseconds", 1_000_000))

# An event with what was left out of it, or a refusal.
Admission = tuple[CustomerEvent | Rejection, Sequence[Dropped]]


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
    return admit_noting(topic, value, origin, schemas, limits)[0]


def admit_noting(
    topic: str,
    value: bytes | None,
    origin: Origin,
    schemas: SchemaSource,
    limits: AdmitLimits = DEFAULT_LIMITS,
) -> Admission:
    """Return what `admit` does, and the wrong fields that were left out of the event."""
    if value is not None and len(value) > limits.max_value_bytes:
        what = f"{len(value)} bytes, over {limits.max_value_bytes}"
        return Rejection(reason="oversized", detail=what), ()
    record = decode(topic, value, schemas)
    if not isinstance(record, Rejection):
        return _judge(topic, record, origin, limits)
    if record.reason == "bad_utf8" and topic in TOPICS_OF_OPT_OUTS:
        lenient = decode(topic, value, schemas, unicode_errors="surrogateescape")
        if not isinstance(lenient, Rejection):
            return _judge_badly_encoded(topic, lenient, origin, limits, record)
    return record, ()


def _judge(topic: str, record: dict[str, Any], origin: Origin, limits: AdmitLimits) -> Admission:
    rules = RULES[topic]
    left_out = clean_ids(record, rules.ids, rules.optional_ids)
    if topic == PURCHASES.name:
        for line in record["lines"]:
            left_out += clean_ids(line, LINE.ids, LINE.optional_ids)
    dropped = [Dropped(name, "placeholder_id") for name in left_out] if left_out else []
    # One after the other up to the first that is wrong: nearly no record is.
    wrong = (
        next(problems(record, rules), None)
        or _unprintable(record[CUSTOMER])
        or _wrong_time(record["occurred_at"], origin.seen_at_ms, limits)
        or next(_RULES_BESIDE[topic](record), None)
    )
    if wrong is not None:
        opt_out = opt_out_of(topic, record)
        if opt_out is None:
            return _refusal(wrong, left_out), ()
        found = [
            *problems(record, rules),
            _unprintable(record[CUSTOMER]),
            _wrong_time(record["occurred_at"], origin.seen_at_ms, limits),
            *_RULES_BESIDE[topic](record),
        ]
        flaws = [Dropped(each.field, each.reason) for each in found if each is not None]
        without = leave_out(topic, record, flaws, opt_out, origin)
        if without is None:
            return _refusal(wrong, left_out), ()
        dropped += without
    elif record["occurred_at"] > origin.seen_at_ms:
        # The sender's clock is fast, because no event arrives before it happens. With its own
        # time the event would make what the customer does next look late.
        record["occurred_at"] = origin.seen_at_ms
    return BUILD[topic](record, origin), dropped


def _judge_badly_encoded(
    topic: str, record: dict[str, Any], origin: Origin, limits: AdmitLimits, refused: Rejection
) -> Admission:
    """Judge a record some texts of which are not UTF-8: only an opt-out can be admitted without
    them.
    """
    opt_out = opt_out_of(topic, record)
    if opt_out is None:
        return refused, ()
    dropped = leave_out(topic, record, badly_encoded(record), opt_out, origin)
    if dropped is None:
        return refused, ()
    event, also = _judge(topic, record, origin, limits)
    return event, () if isinstance(event, Rejection) else [*dropped, *also]


def _refusal(wrong: Problem, left_out: list[str]) -> Rejection:
    """Return the refusal; of a field that is missing it says so if it held a placeholder."""
    if wrong.reason == "missing_field" and wrong.field in left_out:
        what = f"{wrong.detail}, and it holds what programs write where they know no id"
        return Rejection(reason="placeholder_id", detail=what)
    return wrong.rejection()


def _unprintable(customer: str) -> Problem | None:
    # Control characters are kept free for keys of our own in the customers table.
    if customer.isprintable():
        return None
    what = "customer_id holds characters that cannot be printed"
    return Problem(CUSTOMER, "value_out_of_range", what)


def _wrong_time(at_ms: int, seen_at_ms: int, limits: AdmitLimits) -> Problem | None:
    oldest, newest = limits.oldest_event_ms, seen_at_ms + limits.future_ms
    if oldest <= at_ms <= newest:
        return None
    if at_ms < oldest:
        hint = ": it looks like seconds" if oldest <= at_ms * 1_000 <= newest else ""
        what = f"occurred_at {at_ms} is older than any event{hint}"
        return Problem("occurred_at", "event_time_too_old", what)
    hints = [u for u, per_ms in _FINER_UNITS if oldest <= at_ms // per_ms <= newest]
    hint = f": it looks like {hints[0]}" if hints else ""
    what = f"occurred_at {at_ms} is after its arrival{hint}"
    return Problem("occurred_at", "event_time_in_future", what)


def _no_more(record: dict[str, Any]) -> Iterator[Problem]:
    return iter(())


def _order_problems(record: dict[str, Any]) -> Iterator[Problem]:
    if (wrong := problem_of_lines(record["lines"])) is not None:
        yield wrong


def _outcome_problems(record: dict[str, Any]) -> Iterator[Problem]:
    customer, named = record[CUSTOMER], record["decision_id"]
    if not is_decision_for(customer, named):
        what = f"{named!r} is no decision for customer {customer!r}"
        yield Problem("decision_id", "foreign_decision", what)


# What is more than the range of one field.
_RULES_BESIDE: Mapping[str, Callable[[dict[str, Any]], Iterator[Problem]]] = {
    CLICKSTREAM.name: _no_more,
    PURCHASES.name: _order_problems,
    SUPPORT.name: _no_more,
    PROFILE.name: contact_problems,
    OUTCOMES.name: _outcome_problems,
}
