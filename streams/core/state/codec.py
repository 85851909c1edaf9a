"""State as bytes and back: schema-versioned MessagePack, no pickle.

An encoded customer begins with the earliest due time of their timers (8 bytes, little endian), so
that a timer index can be rebuilt after a restart without decoding states. The rest is LZ4: the many
slots that are 0 take almost no bytes, for some 3 us to write and read them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from struct import Struct

import msgspec
from cramjam import DecompressionError, lz4

from streams.core.state.customer import (
    CustomerState,
)
from streams.core.state.enrolment import enrolled_before, enrolled_bytes
from streams.core.state.layout import CONTACT_WIDTH, FAMILY_WIDTH, HEAD, HEAD_WIDTH
from streams.core.state.packing import join_halves, split_halves, widened
from streams.core.state.partition import (
    PartitionState,
)
from streams.core.state.stored_state import UPGRADES, Stored
from streams.core.state.timers import next_due_ms

SCHEMA_VERSION = 4
# The reserved key of a partition's own state; no customer id may begin with a NUL.
PARTITION_KEY = "\x00partition"

_OLDEST_VERSION = 1
_WIDTHS = HEAD_WIDTH, FAMILY_WIDTH, CONTACT_WIDTH
_LAST_DECISION = HEAD["last_decision_ms"]

_DUE = Struct("<q")
_ARRAY_16 = b"\xdc"
# A byte that MessagePack never uses; the schema version and an LZ4 block follow.
_COMPRESSED = b"\xc1"
_PREFIX = _DUE.size + len(_COMPRESSED)
_TODAY = _COMPRESSED + bytes([SCHEMA_VERSION])


class StateError(ValueError):
    """Stored state that this version cannot read."""


# Bytes that are no UTF-8 raise a plain UnicodeDecodeError, which is a ValueError.
_UNREADABLE = (msgspec.MsgspecError, ValueError, DecompressionError)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Stored)
_PARTITION_DECODER = msgspec.msgpack.Decoder(PartitionState)


def encode_customer(state: CustomerState) -> bytes:
    """Return the state as bytes."""
    head, families = split_halves(state.head, state.families.values())
    stored = Stored(
        SCHEMA_VERSION,
        state.applied_offset,
        head,
        list(state.families),
        families,
        state.contacts.tobytes(),
        state.recent_ids,
        state.watermarks,
        {},
        {},
        state.tickets,
        state.preferences,
        state.answers,
        _channel_statements(state),
        state.time_zone,
        state.pending,
        HEAD_WIDTH,
        FAMILY_WIDTH,
        CONTACT_WIDTH,
        state.suppression_counts,
        enrolled_bytes(state.enrolled),
        state.products,
        state.cart,
        state.subscriptions,
        state.known_ids,
    )
    packed = lz4.compress_block(_ENCODER.encode(stored))
    return b"".join((_DUE.pack(next_due_ms(state)), _TODAY, packed))


def _channel_statements(state: CustomerState) -> dict[str, int]:
    """Return when each channel was closed, and with a minus when it was opened again.

    A release that does not know opened channels reads them as closed, so it sends nothing.
    """
    if not state.resubscribed:
        return state.unsubscribed
    return state.unsubscribed | {c: -at_ms for c, at_ms in state.resubscribed.items()}


def decode_customer(data: bytes) -> CustomerState:
    """Return the state that `encode_customer` stored.

    Raises `StateError` for bytes of a newer schema version, or that are no state at all.
    """
    try:
        stored = _DECODER.decode(_expanded(data))
        if stored.schema_version != SCHEMA_VERSION:
            _check_readable(stored.schema_version)
            for version in range(stored.schema_version, SCHEMA_VERSION):
                UPGRADES[version](stored)
        return _state(stored)
    except StateError:
        raise
    except _UNREADABLE as error:
        raise StateError(f"not a customer's state ({len(data)} bytes): {error}") from error


def _state(stored: Stored) -> CustomerState:
    # Every slot is set below; what a fresh state would begin with is not made first.
    state = CustomerState.__new__(CustomerState)
    state.applied_offset = stored.applied_offset
    head, families = join_halves(stored.head, stored.families)
    contacts = stored.contacts
    if (stored.head_width, stored.family_width, stored.contact_width) != _WIDTHS:
        head = widened(head, stored.head_width, HEAD_WIDTH)
        families = widened(families, stored.family_width, FAMILY_WIDTH)
        contacts = widened(contacts, stored.contact_width, CONTACT_WIDTH)
    state.head = array("d", head)
    state.contacts = array("d", contacts)
    rows = array("d", families)
    places = range(0, len(rows), FAMILY_WIDTH)
    state.families = {
        name: rows[place : place + FAMILY_WIDTH]
        for name, place in zip(stored.family_names, places, strict=True)
    }
    state.recent_ids = bytes(stored.recent_ids)
    state.watermarks = stored.watermarks
    state.products = stored.habits
    state.cart = stored.basket
    state.subscriptions = stored.subscriptions
    state.known_ids = stored.known_ids
    state.tickets = stored.tickets
    state.preferences = stored.preferences
    state.answers = stored.answers
    words = stored.unsubscribed
    state.unsubscribed = {channel: at_ms for channel, at_ms in words.items() if at_ms > 0}
    state.resubscribed = {channel: -at_ms for channel, at_ms in words.items() if at_ms < 0}
    state.time_zone = stored.time_zone
    state.pending = stored.pending
    state.suppression_counts = stored.suppression_counts
    state.enrolled = enrolled_before(stored.enrolled, state.head[_LAST_DECISION])
    return state


def check_schema_version(data: bytes) -> None:
    """Raise `StateError` unless this release can read an encoded customer, without decoding it."""
    if data[_DUE.size : _PREFIX] == _COMPRESSED and len(data) > _PREFIX:
        _check_readable(data[_PREFIX])
    # Behind an array's head of 3 bytes (16 fields or more) is the version, below 128 one byte.
    elif data[_DUE.size : _DUE.size + 1] == _ARRAY_16 and len(data) > _DUE.size + 3:
        _check_readable(data[_DUE.size + 3])


def _expanded(data: bytes) -> bytes:
    """Return the MessagePack of an encoded customer; the first release did not compress it."""
    if data[_DUE.size : _PREFIX] != _COMPRESSED:
        return data[_DUE.size :]
    return bytes(lz4.decompress_block(data[_PREFIX + 1 :]))


def _check_readable(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StateError(
            f"a state of schema version {version} was stored by a newer release; "
            f"this one reads up to {SCHEMA_VERSION}: run that release, or a later one"
        )
    if version < _OLDEST_VERSION:
        raise StateError(f"there has never been a state of schema version {version}")


def peek_due_ms(data: bytes) -> int:
    """Return the earliest due time of an encoded customer (0 = no timer) without decoding it."""
    due_ms: int = _DUE.unpack_from(data)[0]
    return due_ms


def encode_partition(state: PartitionState) -> bytes:
    """Return a partition's own state as bytes."""
    return _ENCODER.encode(state)


def decode_partition(data: bytes) -> PartitionState:
    """Return the partition state that `encode_partition` stored; raises `StateError`."""
    try:
        return _PARTITION_DECODER.decode(data)
    except _UNREADABLE as error:
        raise StateError(f"not a partition's state ({len(data)} bytes): {error}") from error


def encode_value(key: str, value: CustomerState | PartitionState) -> bytes:
    """Return what the table stores under a key."""
    encode: Callable[..., bytes] = encode_partition if key == PARTITION_KEY else encode_customer
    return encode(value)


def decode_value(key: str, data: bytes) -> CustomerState | PartitionState:
    """Return the value that the table stored under a key; raises `StateError`."""
    return decode_partition(data) if key == PARTITION_KEY else decode_customer(data)
