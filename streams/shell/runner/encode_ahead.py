"""Do most of a cut before it: what changed is encoded while work still goes on.

Work stands still during a cut, and its cost is encoding. At 10,000 changed customers that is a
tenth of a second, once a second, which every event of that time waits out, and those behind it
too where little time is to spare. So it is spread over the time between two cuts, a millisecond
or two at a time; what is left before a cut goes slice by slice; the cut encodes what changed
since.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol, runtime_checkable

log = logging.getLogger("concierge.checkpoint")

# So often, and so many a second: enough for as many changes as a worker makes when it is busy.
_EVERY_S, _PER_S = 0.01, 16_000
# Called back so late the worker is catching up, in batches of thousands: nobody waits for a single
# event, and who is encoded now will have changed again at the cut.
_BUSY_S = 0.15
# Values encoded at a time before a cut: 2 to 3 ms, no more than a wave of decisions takes.
_SLICE = 256
# Where a chunk between two slices takes this long the worker is at its limit, and nobody waits for
# a single event: then the checkpoint comes when it is due.
_WITHIN_S = 0.1


@runtime_checkable
class EncodesAhead(Protocol):
    """A role that can do part of a cut before it."""

    def encode_ahead(self, most: int) -> int:
        """Encode up to about `most` changed values; return how many are left."""


@contextmanager
def encoding_along(role: object) -> Iterator[None]:
    """Let the role encode a little now and then."""
    along = asyncio.create_task(_encode_along(role))
    try:
        yield
    finally:
        along.cancel()


async def _encode_along(role: object) -> None:
    while isinstance(role, EncodesAhead):
        since_s = perf_counter()
        await asyncio.sleep(_EVERY_S)
        passed_s = perf_counter() - since_s
        if passed_s > _BUSY_S:
            continue
        try:
            role.encode_ahead(min(int(passed_s * _PER_S), _SLICE))
        except Exception:
            # It stays changed, so the cut meets it again and ends the worker.
            log.exception("a changed state cannot be encoded")
            return


async def encode_ahead(role: object) -> None:
    """Let the role encode until little is left, or for as long as a checkpoint may be put off."""
    if not isinstance(role, EncodesAhead):
        return
    until_s = perf_counter() + _WITHIN_S
    while role.encode_ahead(_SLICE) > _SLICE and perf_counter() < until_s:
        await asyncio.sleep(0)
