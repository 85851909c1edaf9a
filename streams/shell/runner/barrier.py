"""The barrier between the broker and an agent: one group of chunks at a time, none while it is
shut.

A checkpoint, a rebalance and the end of the worker shut it. Shutting it waits until the chunks
under work are finished; positions, state and outputs then belong together.
"""

from __future__ import annotations

import asyncio
import contextlib

# How long a stop waits for chunks under work, which may wait for a registry that does not answer.
PATIENCE_S = 5.0


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, or for `seconds`, and clear it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()


class Barrier:
    """Lets groups of chunks through one after the other while no reason keeps it shut.

    Several reasons may keep it shut at once (checkpoint, rebalance, stop). It opens when the last
    one is withdrawn, and it is open at the start.
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
        """Wait until the barrier is open and the chunks before are finished; then begin."""
        while self._reasons or not self._idle.is_set():
            await self._open.wait()
            await self._idle.wait()
        self._idle.clear()

    def leave(self) -> None:
        """Note that the chunks under work are finished."""
        self._idle.set()

    async def shut(self, reason: str) -> None:
        """Let no further chunks through, and wait until those under work are finished."""
        self._reasons.add(reason)
        self._open.clear()
        await self._idle.wait()

    async def shut_soon(self, reason: str, within_s: float = PATIENCE_S) -> bool:
        """As `shut`, but wait at most `within_s`; return whether the chunks were finished."""
        try:
            async with asyncio.timeout(within_s):
                await self.shut(reason)
        except TimeoutError:
            return False
        return True

    def open(self, reason: str) -> None:
        """Withdraw a reason; an unknown reason is ignored."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._open.set()
