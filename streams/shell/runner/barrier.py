"""The gate between the broker and an agent: one chunk at a time, and none while it is shut.

Shutting it waits until the chunk under work is finished, so that whoever shut it sees positions,
state and outputs that belong together.
"""

from __future__ import annotations

import asyncio
import contextlib

# For a chunk that waits for somebody else (a registry that is away) when the worker is to stop.
PATIENCE_S = 5.0


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, but no longer than that, and clear it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()


class Barrier:
    """Let chunks through one after the other unless somebody has a reason not to.

    Several reasons may hold at once (a checkpoint, a rebalance, the end); it opens when the last
    one is withdrawn. It starts open.
    """

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_open(self) -> bool:
        """Return whether the next chunk would be let through."""
        return not self._reasons

    async def enter(self) -> None:
        """Wait for the gate to be open and the previous chunk finished, then take the place."""
        while self._reasons or not self._idle.is_set():
            await self._open.wait()
            await self._idle.wait()
        self._idle.clear()

    def leave(self) -> None:
        """Give the place up: the chunk is finished."""
        self._idle.set()

    async def shut(self, reason: str) -> None:
        """Let no further chunk through, and wait until the one under work is finished."""
        self._reasons.add(reason)
        self._open.clear()
        await self._idle.wait()

    async def shut_soon(self, reason: str, within_s: float = PATIENCE_S) -> bool:
        """As `shut`, but give up after `within_s`; return whether the chunk was finished."""
        try:
            async with asyncio.timeout(within_s):
                await self.shut(reason)
        except TimeoutError:
            return False
        return True

    def open(self, reason: str) -> None:
        """Withdraw a reason; one that was never given is ignored."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._open.set()
