"""Confluent's wire format: byte 0, a 4-byte big-endian schema id, then Avro.

Reading never raises because of the bytes: what cannot be read is a `Rejection`. Times are read
and written as epoch milliseconds (plain integers), never as datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer
from fastavro.validation import ValidationError, validate

from schemas.avro_writer import Write, compile_writer
from schemas.bundled import (
    BUNDLED_IDS,
    BundledSchemas,
    SchemaSource,
    WriterSchema,
    bundled_schemas,
    plain_schema,
    prepare_writer,
)
from schemas.outputs import PUBLIC_NAMES, action_from_public, decision_from_public
from schemas.records import Decision, NextBestAction, Rejection
from schemas.topics import DECISIONS, NEXT_BEST_ACTIONS, TOPICS

__all__ = [
    "BUNDLED_IDS",
    "BundledSchemas",
    "SchemaSource",
    "WriterSchema",
    "bundled_schemas",
    "decode",
    "decode_action",
    "decode_decision",
    "encode_action",
    "encode_decision",
    "encode_event",
    "prepare_writer",
    "schema_id",
]

_MAGIC = 0
_HEADER_BYTES = 5
_SCHEMA_OF = {topic.name: topic.schema for topic in TOPICS if topic.schema is not None}


def schema_id(payload: bytes | None) -> int | None:
    """Return the schema id a value names, None when it is not framed.

    A source that has to ask a registry can so learn the ids of a batch before it is decoded.
    """
    if payload is None or len(payload) < _HEADER_BYTES or payload[0] != _MAGIC:
        return None
    return int.from_bytes(payload[1:_HEADER_BYTES], "big")


def decode(
    topic: str, payload: bytes | None, schemas: SchemaSource, unicode_errors: str = "strict"
) -> dict[str, Any] | Rejection:
    """Return the record in `payload` as `topic`'s current schema reads it.

    `topic` is a declared Avro topic, without an installation's prefix. Anything wrong with the
    bytes is a `Rejection`; only `schemas` itself may raise (a registry that is down). Texts that
    are not UTF-8 are handled as Python's error handler `unicode_errors` says: `surrogateescape`
    reads the rest of the record.
    """
    number = schema_id(payload)
    if payload is None or number is None:
        return _unframed(payload)
    writer = schemas.find(number)
    if writer is None:
        return _reject("unknown_schema_id", f"schema id {number} is unknown")
    if writer.problem is not None:
        return _reject("incompatible_schema", f"schema id {number}: {writer.problem}"[:500])
    if writer.name != _SCHEMA_OF[topic]:
        what = writer.name or f"{writer.record or 'no record'}, which is no record of ours"
        return _reject("wrong_record_type", f"schema id {number} is {what}, not {topic}"[:500])
    return _read(payload, writer, unicode_errors)


def encode_event(
    topic: str, value: Mapping[str, Any], ids: Mapping[str, int] = BUNDLED_IDS
) -> bytes:
    """Return `value` framed for an Avro topic; fields with a default may be left out.

    `ids` maps schema names to ids: those of the registry where there is one. Raises ValueError
    for a value that the topic's schema cannot hold, naming the field.
    """
    name = _SCHEMA_OF[topic]
    stream = BytesIO()
    stream.write(_header(ids[name]))
    schema = plain_schema(name)
    try:
        schemaless_writer(stream, schema, value, strict_allow_default=True)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"no event of {topic}: {_misfit(value, schema) or error}") from error
    return stream.getvalue()


def _misfit(value: Mapping[str, Any], schema: Any) -> str:
    """Return which field does not hold what its schema asks for; "" where that is not known."""
    try:
        validate(value, schema)
    except ValidationError as found:
        first = found.errors[0]
        wanted = first.schema
        if isinstance(wanted, Mapping) and "symbols" in wanted:
            wanted = f"one of {', '.join(wanted['symbols'])}"
        return f"{first.field or 'the record'} is {first.datum!r}, and not {wanted}"[:500]
    return ""


def encode_action(action: NextBestAction, ids: Mapping[str, int] = BUNDLED_IDS) -> bytes:
    """Return the value of a next-best-actions record."""
    name = NEXT_BEST_ACTIONS.name
    return _header(ids[name]) + _output_writer(name)(action)


def encode_decision(decision: Decision, ids: Mapping[str, int] = BUNDLED_IDS) -> bytes:
    """Return the value of a decisions record. Features are rounded to 32-bit floats."""
    return _header(ids[DECISIONS.name]) + _output_writer(DECISIONS.name)(decision)


def decode_action(payload: bytes, schemas: SchemaSource | None = None) -> NextBestAction:
    """Return the next-best-action in `payload`; ValueError when there is none to be read."""
    return action_from_public(_own(NEXT_BEST_ACTIONS.name, payload, schemas))


def decode_decision(payload: bytes, schemas: SchemaSource | None = None) -> Decision:
    """Return the decision in `payload`; ValueError when there is none to be read."""
    return decision_from_public(_own(DECISIONS.name, payload, schemas))


def _header(number: int) -> bytes:
    return b"\0" + number.to_bytes(4, "big")


@cache
def _output_writer(name: str) -> Write:
    attributes = {public: attribute for attribute, public in PUBLIC_NAMES.items()}
    return compile_writer(plain_schema(name), attributes)


def _own(topic: str, payload: bytes, schemas: SchemaSource | None) -> dict[str, Any]:
    value = decode(topic, payload, schemas or bundled_schemas())
    if isinstance(value, Rejection):
        raise ValueError(f"{topic}: {value.reason}: {value.detail}")
    return value


def _unframed(payload: bytes | None) -> Rejection:
    if payload is None:
        return _reject("null_value", "the record has no value")
    if not payload:
        return _reject("empty_value", "the value has no bytes")
    if payload[0] != _MAGIC:
        hint = "is it JSON, or framed with its schema id in a header?"
        return _reject("wrong_magic", f"the value begins with byte {payload[0]}, not 0: {hint}")
    return _reject("truncated", f"{len(payload)} bytes hold no schema id")


def _read(payload: bytes, writer: WriterSchema, unicode_errors: str) -> dict[str, Any] | Rejection:
    stream = BytesIO(payload)
    stream.seek(_HEADER_BYTES)
    try:
        value: Any = schemaless_reader(
            stream, writer.parsed, None, handle_unicode_errors=unicode_errors
        )
        left_over = len(payload) - stream.tell()
        if writer.resolve_to is not None and left_over == 0:
            # Read a second time rather than at once: where fastavro skips a field that only the
            # writer has, it does not notice that the bytes end within it.
            stream.seek(_HEADER_BYTES)
            value = schemaless_reader(
                stream, writer.parsed, writer.resolve_to, handle_unicode_errors=unicode_errors
            )
    except Exception as error:  # whatever bad bytes make a third party's reader raise
        return _broken(error, at_end=stream.tell() >= len(payload))
    if left_over:
        return _reject("trailing_bytes", f"{left_over} bytes are left over after the record")
    record: dict[str, Any] = value
    if writer.finer or writer.nullable:
        writer.settle(record)
    return record


def _broken(error: Exception, *, at_end: bool) -> Rejection:
    if isinstance(error, UnicodeDecodeError):
        return _reject("bad_utf8", f"a text field is not UTF-8: {error.reason}")
    # fastavro runs off the end of a number with an IndexError.
    if isinstance(error, EOFError) or (isinstance(error, IndexError) and at_end):
        return _reject("truncated", "the value ends before the record does")
    return _reject("malformed", f"the bytes are no such record: {type(error).__name__}")


def _reject(reason: str, detail: str) -> Rejection:
    return Rejection(reason=reason, detail=detail)
