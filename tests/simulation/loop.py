"""The product's coroutines without asyncio's loop: whoever holds a task decides when it goes on.

Events and locks of asyncio ask the running loop only for futures. So a loop that makes those, and
runs nothing, lets them work unchanged, and no order of steps is left to chance we do not draw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from types import coroutine
from typing import Any


class Loop:
    """What `asyncio.Event` and `asyncio.Lock` ask of the running loop."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)  # type: ignore[arg-type]  # as much of one as is asked for

    def get_debug(self) -> bool:
        return False


@contextmanager
def running(loop: Loop) -> Iterator[None]:
    """Let asyncio take `loop` for the running one."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)  # type: ignore[arg-type]
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


@coroutine
def pause() -> Generator[None, None, None]:
    """Give others the chance to go on, or the process to die here."""
    yield


class Task:
    """A coroutine that goes on one step at a time."""

    def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
        self._coro = coro
        self._waits_for: asyncio.Future[Any] | None = None
        self.done = False
        self.result: Any = None

    @property
    def ready(self) -> bool:
        return not self.done and (self._waits_for is None or self._waits_for.done())

    def step(self) -> None:
        """Go on to the next await; raises what the coroutine raises."""
        try:
            awaited = self._coro.send(None)
        except StopIteration as end:
            self.done, self.result = True, end.value
        except BaseException:
            self.done = True
            raise
        else:
            self._waits_for = awaited
            if awaited is not None:
                # As asyncio's own tasks answer it.
                awaited._asyncio_future_blocking = False

    def drop(self) -> None:
        """End here, as a process does that is killed."""
        self.done = True
        self._coro.close()
