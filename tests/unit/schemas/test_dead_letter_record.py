"""A refused record travels verbatim, with headers that tools for Kafka Connect can read."""

from __future__ import annotations

import pytest

from schemas.dead_letter_record import (
    MAX_KEY_BYTES,
    MAX_VALUE_BYTES,
    DeadLetter,
    dead_letter,
    read_dead_letter,
)
from schemas.reasons import REASONS
from schemas.records import Origin, Rejection
from schemas.topics import DEAD_LETTERS

ORIGIN = Origin("clickstream", 3, 4711, 1_717_236_000_040)
REJECTION = Rejection(reason="bad_utf8", detail="a text field is not UTF-8")


def letter(key: bytes | None, value: bytes | None, rejection: Rejection = REJECTION) -> DeadLetter:
    return read_dead_letter(*dead_letter(ORIGIN, key, value, rejection, 1_717_236_001_000, "0.1.0"))


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe not utf-8"])
@pytest.mark.parametrize("value", [None, b"", b"\0\0\0\0\1 anything \xff"])
def test_key_and_value_travel_verbatim(key: bytes | None, value: bytes | None) -> None:
    kept_key, kept_value, _ = dead_letter(ORIGIN, key, value, REJECTION, 0, "0.1.0")
    assert (kept_key, kept_value) == (key, value)


def test_headers_have_the_shape_of_kafka_connect() -> None:
    _, _, headers = dead_letter(ORIGIN, b"k", b"v", REJECTION, 1_717_236_001_000, "0.1.0")
    assert dict(headers) == {
        "__connect.errors.topic": b"clickstream",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"4711",
        "__connect.errors.connector.name": b"concierge",
        "__connect.errors.task.id": b"3",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": b"schemas.wire.decode",
        "__connect.errors.exception.class.name": b"schemas.records.Rejection",
        "__connect.errors.exception.message": b"a text field is not UTF-8",
        "concierge.reason": b"bad_utf8",
        "concierge.seen_at_ms": b"1717236000040",
        "concierge.first_failed_at_ms": b"1717236001000",
        "concierge.version": b"0.1.0",
        "concierge.key.bytes": b"1",
        "concierge.value.bytes": b"1",
    }


@pytest.mark.parametrize("reason", REASONS)
def test_what_was_written_is_read_again(reason: str) -> None:
    rejection = Rejection(reason=reason, detail="für Menschen")
    assert letter(b"k", b"v", rejection) == DeadLetter(
        origin=ORIGIN,
        key=b"k",
        value=b"v",
        rejection=rejection,
        first_failed_at_ms=1_717_236_001_000,
        version="0.1.0",
        value_bytes=1,
    )


def test_the_same_refusal_gives_the_same_bytes() -> None:
    assert dead_letter(ORIGIN, b"k", b"v", REJECTION, 5, "0") == dead_letter(
        ORIGIN, b"k", b"v", REJECTION, 5, "0"
    )


def test_a_record_too_large_for_the_topic_is_cut_and_says_so() -> None:
    huge = bytes(DEAD_LETTERS.max_message_bytes + 1)
    key, value, headers = dead_letter(ORIGIN, huge, huge, REJECTION, 5, "0")
    assert key is not None
    assert value is not None
    assert (len(key), len(value)) == (MAX_KEY_BYTES, MAX_VALUE_BYTES)
    size = len(key) + len(value) + sum(len(n) + len(v) for n, v in headers)
    assert size < DEAD_LETTERS.max_message_bytes
    assert read_dead_letter(key, value, headers).value_bytes == len(huge)


def test_a_reason_nobody_declared_is_a_bug() -> None:
    with pytest.raises(KeyError):
        letter(b"k", b"v", Rejection(reason="bad_luck", detail="x"))


@pytest.mark.parametrize("headers", [None, [], [("__connect.errors.topic", b"t")]])
def test_somebody_elses_record_is_no_dead_letter(
    headers: list[tuple[str, bytes | None]] | None,
) -> None:
    with pytest.raises(ValueError, match=r"no header __connect\.errors"):
        read_dead_letter(b"k", b"v", headers)
