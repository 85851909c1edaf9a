"""Rows of numbers as bytes that compress well, and back.

Of a decayed sum 21 bits are kept (`streams.core.state.decay`), so the lower half of its float64 is
zeros. The upper halves of all sums are put first, the lower ones behind, where they compress to
nothing; likewise those of families, which are mostly sums. The other numbers of the head stay as
they are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from streams.core.state.decay import SUM_SLOTS

_SIZE = 8
_HALF = np.dtype("<u4")
# The sums of a head are contiguous.
_BEGIN = _SIZE * min(min(slots) for slots in SUM_SLOTS)
_END = _SIZE * (max(max(slots) for slots in SUM_SLOTS) + 1)


def split_halves(head: array[float], families: Iterable[array[float]]) -> tuple[bytes, bytes]:
    """Return a head without its sums, and the sums and families in halves."""
    data = head.tobytes()
    sums = b"".join((data[_BEGIN:_END], *families))
    return data[:_BEGIN] + data[_END:], np.frombuffer(sums, _HALF).reshape(-1, 2).T.tobytes()


def join_halves(others: bytes, halves: bytes) -> tuple[bytes, bytes]:
    """Return the head and the families' rows; raises ValueError for what is no halves."""
    sums = np.frombuffer(halves, _HALF).reshape(2, -1).T.tobytes()
    behind = _END - _BEGIN
    return others[:_BEGIN] + sums[:behind] + others[_BEGIN:], sums[behind:]


def widened(data: bytes, width: int, today: int) -> bytes:
    """Return rows that were `width` slots long as rows of today's length, zeros behind."""
    stored = np.frombuffer(data).reshape(-1, width)
    rows = np.zeros((len(stored), today))
    rows[:, : min(width, today)] = stored[:, :today]
    return rows.tobytes()
