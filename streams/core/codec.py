"""State as bytes and back: schema-versioned MessagePack, no pickle.

An encoded customer begins with the earliest due time of their timers (8 bytes, little endian), so
that a timer index can be rebuilt after a restart without decoding anybody. The rest is compressed:
LZ4 makes of the many slots that are 0 next to nothing, for some 5 us to write and read them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from struct import Struct

import msgspec
import numpy as np
from cramjam import DecompressionError, lz4

from streams.core.enrolment import enrolled_before, enrolled_bytes
from streams.core.layout import CONTACT_WIDTH, FAMILY_WIDTH, HEAD, HEAD_WIDTH
from streams.core.state import (
    CartItem,
    CustomerState,
    Habit,
    PartitionState,
    Pending,
    Silence,
    Ticket,
    Told,
)
from streams.core.timers import next_due_ms

SCHEMA_VERSION = 2
# The reserved key of a partition's own state; no customer id may begin with a NUL.
PARTITION_KEY = "\x00partition"

_OLDEST_VERSION = 1
_LAST_DECISION = HEAD["last_decision_ms"]

_DUE = Struct("<q")
_ARRAY_16 = b"\xdc"
# A byte that MessagePack never uses; behind it stands the schema version, then an LZ4 block.
_COMPRESSED = b"\xc1"


class StateError(ValueError):
    """Stored state that this version cannot read."""


class _Stored(msgspec.Struct, array_like=True, gc=False):
    """A customer's state as it is stored; fields may only be appended, with a default."""

    schema_version: int
    applied_offset: int
    head: bytes
    family_names: list[str]
    families: bytes
    contacts: bytes
    recent_ids: list[int]
    watermarks: dict[str, int]
    products: dict[str, Habit]
    cart: dict[str, CartItem]
    tickets: dict[str, Ticket]
    preferences: dict[str, Told]
    answers: dict[str, Told]
    unsubscribed: dict[str, int]
    time_zone: str | None
    pending: list[Pending]
    # Slots per row when it was stored: rows of a later layout are longer.
    head_width: int
    family_width: int
    contact_width: int
    silences: dict[int, Silence] = {}
    # None where an older release stored it.
    enrolled: bytes | None = None


def _whole_head(stored: _Stored) -> None:
    """Version 1 stored the head as a bitmap of the slots that are not 0, then their values."""
    bitmap, width = (stored.head_width + 7) // 8, stored.head_width
    used = np.unpackbits(np.frombuffer(stored.head, np.uint8, bitmap), count=width).view(np.bool_)
    head = np.zeros(width)
    head[used] = np.frombuffer(stored.head, np.float64, offset=bitmap)
    stored.head = head.tobytes()


# What turns a stored state of a version into one of the next; read one after the other. Appended
# fields and slots need none: they have defaults.
_UPGRADES: dict[int, Callable[[_Stored], None]] = {1: _whole_head}

# Bytes that are no UTF-8 raise a plain UnicodeDecodeError, which is a ValueError.
_UNREADABLE = (msgspec.MsgspecError, ValueError, DecompressionError)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)
_PARTITION_DECODER = msgspec.msgpack.Decoder(PartitionState)


def encode_customer(state: CustomerState) -> bytes:
    """Return the state as bytes."""
    stored = _Stored(
        SCHEMA_VERSION,
        state.applied_offset,
        state.head.tobytes(),
        list(state.families),
        b"".join(state.families.values()),
        state.contacts.tobytes(),
        state.recent_ids,
        state.watermarks,
        state.products,
        state.cart,
        state.tickets,
        state.preferences,
        state.answers,
        state.unsubscribed,
        state.time_zone,
        state.pending,
        HEAD_WIDTH,
        FAMILY_WIDTH,
        CONTACT_WIDTH,
        state.silences,
        enrolled_bytes(state.enrolled),
    )
    head = _DUE.pack(next_due_ms(state)) + _COMPRESSED + bytes([SCHEMA_VERSION])
    return head + bytes(lz4.compress_block(_ENCODER.encode(stored)))


def decode_customer(data: bytes) -> CustomerState:
    """Return the state that `encode_customer` stored.

    Raises `StateError` for bytes of a newer schema version, or that are no state at all.
    """
    try:
        stored = _DECODER.decode(_expanded(data))
    except _UNREADABLE as error:
        raise _unreadable(data, error) from error
    _check_readable(stored.schema_version)
    # Every slot is set below; what a fresh state would begin with is not made first.
    state = CustomerState.__new__(CustomerState)
    state.applied_offset = stored.applied_offset
    try:
        for version in range(stored.schema_version, SCHEMA_VERSION):
            _UPGRADES[version](stored)
        state.head = _widened(stored.head, stored.head_width, HEAD_WIDTH)
        rows = _widened(stored.families, stored.family_width, FAMILY_WIDTH)
        state.contacts = _widened(stored.contacts, stored.contact_width, CONTACT_WIDTH)
    except _UNREADABLE as error:
        raise _unreadable(data, error) from error
    if len(rows) != len(stored.family_names) * FAMILY_WIDTH:
        raise _unreadable(data, "families without their numbers")
    state.families = {
        name: rows[number * FAMILY_WIDTH : (number + 1) * FAMILY_WIDTH]
        for number, name in enumerate(stored.family_names)
    }
    state.enrolled = enrolled_before(stored.enrolled, state.head[_LAST_DECISION])
    for name in _SAME_IN_BOTH:
        setattr(state, name, getattr(stored, name))
    return state


_SAME_IN_BOTH = (
    "recent_ids",
    "watermarks",
    "products",
    "cart",
    "tickets",
    "preferences",
    "answers",
    "unsubscribed",
    "time_zone",
    "pending",
    "silences",
)


def check_schema_version(data: bytes) -> None:
    """Raise `StateError` unless this release can read an encoded customer, without decoding it."""
    if data[_DUE.size : _DUE.size + 1] == _COMPRESSED and len(data) > _DUE.size + 1:
        _check_readable(data[_DUE.size + 1])
    # Behind an array's head of 3 bytes (16 fields or more) is the version, below 128 one byte.
    elif data[_DUE.size : _DUE.size + 1] == _ARRAY_16 and len(data) > _DUE.size + 3:
        _check_readable(data[_DUE.size + 3])


def _expanded(data: bytes) -> bytes:
    """Return the MessagePack of an encoded customer; the first release did not compress it."""
    body = memoryview(data)[_DUE.size :]
    if body[:1] != _COMPRESSED:
        return bytes(body)
    return bytes(lz4.decompress_block(body[len(_COMPRESSED) + 1 :]))


def _check_readable(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StateError(
            f"a state of schema version {version} was stored by a newer release; "
            f"this one reads up to {SCHEMA_VERSION}: run that release, or a later one"
        )
    if version < _OLDEST_VERSION:
        raise StateError(f"there has never been a state of schema version {version}")


def _unreadable(data: bytes, why: object) -> StateError:
    return StateError(f"not a customer's state ({len(data)} bytes): {why}")


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


def _widened(data: bytes, width: int, today: int) -> array[float]:
    """Read rows that were `width` slots long as rows of today's length, zeros behind."""
    if width == today:
        return array("d", data)
    stored = np.frombuffer(data).reshape(-1, width)
    rows = np.zeros((len(stored), today))
    rows[:, : min(width, today)] = stored[:, :today]
    return array("d", rows.tobytes())
