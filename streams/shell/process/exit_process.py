"""End the process, also if a task or thread of a library does not end.

mode joins its consumer thread inside the event loop, which can block the loop and every timeout in
it. `asyncio.run` waits without limit for tasks that ignore their cancellation. So a thread outside
of the loop bounds the time, and the process ends by `os._exit`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn


def exit_process(code: int) -> NoReturn:
    """End the process now; only log and output are flushed."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # The reader may have closed the pipe.
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


@contextlib.contextmanager
def exit_after(seconds: float, log_reason: Callable[[], int]) -> Iterator[None]:
    """End the process if the block takes longer than `seconds`.

    Then `log_reason` is called, which returns the exit code. It runs in a thread of its own,
    because the event loop may be blocked.
    """
    watch = threading.Timer(seconds, lambda: exit_process(log_reason()))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
