"""Do most of a cut before it: what changed is encoded while work still goes on.

Work stands still during a cut, and its cost is encoding. At 10,000 changed customers that is a
tenth of a second, once a second, which every event of that time waits out. So a role with much
to encode does it ahead, slice by slice between chunks; the cut encodes what changed since.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Protocol, runtime_checkable

# Values encoded at a time: 2 to 3 ms, no more than a wave of decisions takes.
_SLICE = 256
# Where a chunk between two slices takes this long the worker is at its limit, and nobody waits for
# a single event: then the checkpoint comes when it is due.
_WITHIN_S = 0.1


@runtime_checkable
class EncodesAhead(Protocol):
    """A role that can do part of a cut before it."""

    def encode_ahead(self, most: int) -> int:
        """Encode up to about `most` changed values; return how many are left."""


async def encode_ahead(role: object) -> None:
    """Let the role encode until little is left, or for as long as a checkpoint may be put off."""
    if not isinstance(role, EncodesAhead):
        return
    until_s = perf_counter() + _WITHIN_S
    while role.encode_ahead(_SLICE) > _SLICE and perf_counter() < until_s:
        await asyncio.sleep(0)
