"""The stamp before every changelog value: which part of the timeline the value already holds.

All keys of a partition that changed between two checkpoints share one stamp: the next offset of
their timeline partition at the cut. Recovery keeps the value with the highest stamp, so a late
write of a worker that lost the partition cannot replace a newer state.
"""

from __future__ import annotations

import struct

# One version byte in front, so that another stamp can be told apart should one be needed.
_VERSION = 1
_STAMP = struct.Struct(">BQ")
SIZE = _STAMP.size


def pack(next_offset: int, payload: bytes) -> bytes:
    """Return `payload` with its stamp in front; `next_offset` is in 0..2**64-1."""
    return _STAMP.pack(_VERSION, next_offset) + payload


def unpack(value: bytes) -> tuple[int, bytes]:
    """Return (next offset, payload) of a changelog value; ValueError if it carries no stamp."""
    if len(value) < SIZE:
        raise ValueError(f"a changelog value of {len(value)} bytes carries no stamp")
    version, next_offset = _STAMP.unpack_from(value)
    if version != _VERSION:
        raise ValueError(f"changelog value with stamp version {version}, expected {_VERSION}")
    return next_offset, value[SIZE:]
