"""Encode changed states before a cut, while chunks are still worked on.

No chunk is worked on during a cut, and most of a cut is encoding. With 10,000 changed customers
that would be a tenth of a second, once a second, for which every event waits. So encoding is spread
over the time between two cuts, one or two milliseconds at a time. Just before a cut the rest is
encoded slice by slice, and the cut itself encodes what changed since.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol, runtime_checkable

log = logging.getLogger("concierge.checkpoint")

# How often, and how many a second: as many states as a busy worker changes.
_EVERY_S, _PER_S = 0.01, 16_000
# A worker that is called back this late reads a backlog in batches of thousands. No single event is
# waited for then, and a state that is encoded now will have changed again at the cut.
_BUSY_S = 0.15
# Values encoded at a time before a cut: 2 to 3 ms, no more than a wave of decisions takes.
_SLICE = 256
# For this long at most encoding puts a checkpoint off: a worker at its limit would go on for ever.
_WITHIN_S = 0.1


@runtime_checkable
class EncodesAhead(Protocol):
    """A role that can do part of a cut before it."""

    def encode_ahead(self, most: int) -> int:
        """Encode up to about `most` changed values; return how many are left."""


@contextmanager
def encoding_in_background(role: object) -> Iterator[None]:
    """Let the role encode a few states every few milliseconds, in the background."""
    task = asyncio.create_task(_encode_in_background(role))
    try:
        yield
    finally:
        task.cancel()


async def _encode_in_background(role: object) -> None:
    while isinstance(role, EncodesAhead):
        since_s = perf_counter()
        await asyncio.sleep(_EVERY_S)
        passed_s = perf_counter() - since_s
        if passed_s > _BUSY_S:
            continue
        try:
            role.encode_ahead(min(int(passed_s * _PER_S), _SLICE))
        except Exception:
            # The state stays marked as changed, so the cut meets it again and ends the worker.
            log.exception("a changed state cannot be encoded")
            return


async def encode_ahead(role: object) -> None:
    """Let the role encode until little is left, or for as long as a checkpoint may be put off."""
    if not isinstance(role, EncodesAhead):
        return
    until_s = perf_counter() + _WITHIN_S
    while role.encode_ahead(_SLICE) > _SLICE and perf_counter() < until_s:
        await asyncio.sleep(0)
