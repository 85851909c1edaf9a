"""The stamp before every changelog value: up to which offset the timeline is part of the value.

All keys of a partition that changed between two checkpoints share one stamp: the next offset of
their timeline partition at the cut. Recovery keeps the value with the highest stamp, so a late
write of a worker that lost the partition cannot replace a newer state.
"""

from __future__ import annotations

import struct

# The first byte is a version, so that another form of stamp could be recognised.
_VERSION = 1
_STAMP = struct.Struct(">BQ")
SIZE = _STAMP.size
_MARK = bytes([_VERSION])


def pack(next_offset: int, payload: bytes) -> bytes:
    """Return `payload` with its stamp in front; `next_offset` is in 0..2**64-1."""
    return _STAMP.pack(_VERSION, next_offset) + payload


def read(value: bytes) -> bytes:
    """Return the stamp of a changelog value; ValueError if it carries none.

    The greater of two stamps belongs to the later cut.
    """
    if not value.startswith(_MARK) or len(value) < SIZE:
        raise ValueError(_missing(value))
    return value[:SIZE]


def unpack(value: bytes) -> tuple[int, bytes]:
    """Return (next offset, payload) of a changelog value; ValueError if it carries no stamp."""
    next_offset: int = _STAMP.unpack(read(value))[1]
    return next_offset, value[SIZE:]


def _missing(value: bytes) -> str:
    if len(value) < SIZE:
        return f"a changelog value of {len(value)} bytes carries no stamp"
    return f"changelog value with stamp version {value[0]}, expected {_VERSION}"
