"""Every kind of bad input has one named fate: a dead letter with its reason, or a written rule."""

from __future__ import annotations

import pytest

from schemas.reasons import ACCEPTED_BY_RULE, REASONS
from schemas.records import Click, CustomerEvent, Origin, Rejection
from schemas.wire import bundled_schemas, encode_event
from streams.core.admission.admit import admit
from streams.core.size_limits import DAY_MS, AdmitLimits
from tests.support.example_files import accepted_examples

SEEN_AT_MS = 1_717_236_000_040
VIEW = accepted_examples("clickstream")["a_view_with_everything.json"]
ORDER = accepted_examples("purchases")["an_order_of_two_lines.json"]
GOOD = encode_event("clickstream", VIEW)


def outcome(value: bytes | None, topic: str = "clickstream") -> CustomerEvent | Rejection:
    return admit(topic, value, Origin(topic, 3, 4711, SEEN_AT_MS), bundled_schemas())


def refused(value: bytes | None, topic: str = "clickstream") -> tuple[str, str]:
    result = outcome(value, topic)
    assert isinstance(result, Rejection), result
    assert result.reason in REASONS
    return result.reason, result.detail


def click(**changes: object) -> bytes:
    return encode_event("clickstream", VIEW | changes)


def line(**changes: object) -> bytes:
    changed = ORDER["lines"][0] | changes
    return encode_event("purchases", ORDER | {"lines": [changed]})


def test_a_null_value_is_refused() -> None:
    assert refused(None)[0] == "null_value"


def test_an_empty_value_is_refused() -> None:
    assert refused(b"")[0] == "empty_value"


def test_a_truncated_value_is_refused_wherever_it_ends() -> None:
    reasons = {refused(GOOD[:size])[0] for size in range(1, len(GOOD))}
    assert reasons == {"truncated"}


def test_a_wrong_magic_byte_is_refused() -> None:
    reason, detail = refused(b'{"event_id": 1}')
    assert reason == "wrong_magic"
    assert "JSON" in detail


def test_an_unknown_schema_id_is_refused() -> None:
    assert refused(b"\0\xff\xff\xff\xff" + GOOD[5:])[0] == "unknown_schema_id"


def test_the_record_of_another_topic_is_refused() -> None:
    assert refused(encode_event("purchases", ORDER))[0] == "wrong_record_type"


def test_trailing_bytes_are_refused() -> None:
    assert refused(GOOD + b"\0")[0] == "trailing_bytes"


@pytest.mark.parametrize("quantity", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(quantity: float) -> None:
    assert refused(line(quantity=quantity), "purchases")[0] == "not_finite"


def test_a_negative_number_is_refused() -> None:
    assert refused(click(dwell_ms=-1))[0] == "value_out_of_range"
    assert refused(line(quantity=-1.0), "purchases")[0] == "value_out_of_range"


def test_an_absurd_number_is_refused() -> None:
    assert refused(click(price_minor=2**62))[0] == "value_out_of_range"
    assert refused(line(quantity=1e300), "purchases")[0] == "value_out_of_range"


def test_the_year_1970_is_refused() -> None:
    assert refused(click(occurred_at=0))[0] == "event_time_too_old"


def test_the_far_future_is_refused() -> None:
    assert refused(click(occurred_at=2**62))[0] == "event_time_in_future"
    assert refused(click(occurred_at=SEEN_AT_MS + DAY_MS + 1))[0] == "event_time_in_future"


def test_seconds_are_refused_and_called_so() -> None:
    reason, detail = refused(click(occurred_at=SEEN_AT_MS // 1_000))
    assert reason == "event_time_too_old"
    assert "looks like seconds" in detail


@pytest.mark.parametrize(("unit", "per_ms"), [("microseconds", 1_000), ("nanoseconds", 10**6)])
def test_finer_units_are_refused_and_called_so(unit: str, per_ms: int) -> None:
    reason, detail = refused(click(occurred_at=SEEN_AT_MS * per_ms))
    assert reason == "event_time_in_future"
    assert f"looks like {unit}" in detail


def test_an_unknown_symbol_is_refused() -> None:
    assert refused(click(kind="unknown"))[0] == "unknown_symbol"
    assert refused(click(channel="unknown"))[0] == "unknown_symbol"


@pytest.mark.parametrize("customer", ["", " ", "\t\n"])
def test_a_missing_customer_is_refused(customer: str) -> None:
    assert refused(click(customer_id=customer))[0] == "missing_customer"


def test_a_customer_that_could_be_taken_for_our_own_key_is_refused() -> None:
    assert refused(click(customer_id="\x00partition"))[0] == "value_out_of_range"


def test_a_value_of_a_megabyte_is_refused_unread() -> None:
    reason, detail = refused(GOOD + bytes(1_000_000))
    assert reason == "oversized"
    assert "1000" in detail


def test_a_value_of_the_greatest_size_is_still_read() -> None:
    limits = AdmitLimits(max_value_bytes=len(GOOD))
    origin = Origin("clickstream", 0, 0, SEEN_AT_MS)
    assert isinstance(admit("clickstream", GOOD, origin, bundled_schemas(), limits), Click)


def test_a_long_text_below_the_size_limit_is_refused() -> None:
    assert refused(click(place="x" * 257))[0] == "value_out_of_range"


def test_text_that_is_not_utf_8_is_refused() -> None:
    assert refused(GOOD.replace(b"Leeds", b"L\xff\xfeds"))[0] == "bad_utf8"


def test_a_key_that_is_not_utf_8_changes_nothing() -> None:
    """The rule: the gate is not even shown the key."""
    assert "odd_key" in ACCEPTED_BY_RULE
    assert isinstance(outcome(GOOD), Click)


def test_a_duplicate_is_admitted_as_the_same_event() -> None:
    assert "duplicate_event" in ACCEPTED_BY_RULE
    assert outcome(GOOD) == outcome(GOOD)


def test_a_late_event_is_admitted_however_late() -> None:
    assert "late_event" in ACCEPTED_BY_RULE
    assert isinstance(outcome(click(occurred_at=AdmitLimits().oldest_event_ms)), Click)


def test_events_out_of_order_are_admitted_with_their_own_times() -> None:
    assert "out_of_order_event" in ACCEPTED_BY_RULE
    times = [SEEN_AT_MS, SEEN_AT_MS - 5_000, SEEN_AT_MS - 1]
    events = [outcome(click(occurred_at=at)) for at in times]
    assert [event.at_ms for event in events if isinstance(event, Click)] == times


def test_every_reason_has_a_meaning_and_a_remedy() -> None:
    for code, reason in REASONS.items():
        assert reason.code == code
        assert len(reason.meaning) > 10
        assert not set(reason.meaning) & set("\n{}")
