"""The end of the process: it comes, whatever task or thread of a library still waits for something.

mode joins its consumer thread from inside the event loop. A stop that was given up may come that
far later and block the loop, and with it every time limit that is kept there; `asyncio.run` then
waits without one for tasks that swallow their cancellation. So the end is bounded from outside.
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
    """End the process now, with all that was said written; nothing else is waited for."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # Nobody may be there any more to read it.
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


@contextlib.contextmanager
def exit_after(seconds: float, last_words: Callable[[], int]) -> Iterator[None]:
    """End the process if the block takes longer; `last_words` are said then and give the code.

    They are said in a thread of their own: the event loop may be what does not answer.
    """
    watch = threading.Timer(seconds, lambda: exit_process(last_words()))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
