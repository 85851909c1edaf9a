"""A refused record on its way to the dead-letter topic, and back for people.

Key and value are unchanged. Where and why are headers in Kafka Connect's shape
(`__connect.errors.*`), so that tools made for Connect's dead letters can read them, plus a few of
our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.reasons import REASONS
from schemas.records import Origin, Rejection
from schemas.topics import DEAD_LETTERS, KIB

Headers = list[tuple[str, bytes]]
HeaderValue = str | bytes | None
ReadHeaders = Iterable[tuple[str, HeaderValue]] | Mapping[str, HeaderValue] | None

_CONNECT = "__connect.errors."
_REASON = "concierge.reason"
_SEEN_AT = "concierge.seen_at_ms"
_FIRST_FAILED_AT = "concierge.first_failed_at_ms"
_VERSION = "concierge.version"
_KEY_BYTES = "concierge.key.bytes"
_VALUE_BYTES = "concierge.value.bytes"

CONNECTOR = "concierge"
# Where a stage's refusals come from, for Connect's `class.name`.
_CLASSES = {
    "VALUE_CONVERTER": "schemas.wire.decode",
    "TRANSFORMATION": "streams.core.admission.admit.admit",
}

# Input topics may allow records larger than dead-letters does. They are cut, so that they do not
# stop the worker for good; the origin in the headers says where the whole record is.
MAX_KEY_BYTES = 64 * KIB
MAX_VALUE_BYTES = DEAD_LETTERS.max_message_bytes - MAX_KEY_BYTES - 64 * KIB


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused record as it was, where it came from and why it was refused.

    `value_bytes` is the length of the original value: more than `value` holds when it was cut.
    """

    origin: Origin
    key: bytes | None
    value: bytes | None
    rejection: Rejection
    first_failed_at_ms: int
    version: str
    value_bytes: int


def dead_letter(
    origin: Origin,
    key: bytes | None,
    value: bytes | None,
    rejection: Rejection,
    first_failed_at_ms: int,
    version: str,
) -> tuple[bytes | None, bytes | None, Headers]:
    """Return key, value and headers of the dead letter for a refused record.

    `first_failed_at_ms` is the wall time of the first refusal, `version` that of the software.
    Raises KeyError for a reason that `schemas.reasons` does not declare.
    """
    stage = REASONS[rejection.reason].stage
    texts = {
        _CONNECT + "topic": origin.topic,
        _CONNECT + "partition": str(origin.partition),
        _CONNECT + "offset": str(origin.offset),
        _CONNECT + "connector.name": CONNECTOR,
        # Connect's task is the unit of work; here that is a source partition.
        _CONNECT + "task.id": str(origin.partition),
        _CONNECT + "stage": stage,
        _CONNECT + "class.name": _CLASSES[stage],
        _CONNECT + "exception.class.name": "schemas.records.Rejection",
        _CONNECT + "exception.message": rejection.detail,
        _REASON: rejection.reason,
        _SEEN_AT: str(origin.seen_at_ms),
        _FIRST_FAILED_AT: str(first_failed_at_ms),
        _VERSION: version,
        _KEY_BYTES: str(len(key or b"")),
        _VALUE_BYTES: str(len(value or b"")),
    }
    headers = [(name, text.encode()) for name, text in texts.items()]
    return _cut(key, MAX_KEY_BYTES), _cut(value, MAX_VALUE_BYTES), headers


def read_dead_letter(key: bytes | None, value: bytes | None, headers: ReadHeaders) -> DeadLetter:
    """Return the dead letter in a record; ValueError when its headers are not ours.

    `headers` are as a Kafka client hands them out.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    texts = {name: _text(raw) for name, raw in pairs}
    try:
        origin = Origin(
            texts[_CONNECT + "topic"],
            int(texts[_CONNECT + "partition"]),
            int(texts[_CONNECT + "offset"]),
            int(texts[_SEEN_AT]),
        )
        return DeadLetter(
            origin=origin,
            key=key,
            value=value,
            rejection=_rejection(texts),
            first_failed_at_ms=int(texts[_FIRST_FAILED_AT]),
            version=texts[_VERSION],
            value_bytes=int(texts[_VALUE_BYTES]),
        )
    except KeyError as error:
        raise ValueError(f"not a dead letter of ours: no header {error.args[0]}") from error


def _rejection(texts: Mapping[str, str]) -> Rejection:
    return Rejection(reason=texts[_REASON], detail=texts[_CONNECT + "exception.message"])


def _text(raw: str | bytes | None) -> str:
    return raw if isinstance(raw, str) else (raw or b"").decode("utf-8", "replace")


def _cut(raw: bytes | None, most: int) -> bytes | None:
    return raw if raw is None else raw[:most]
