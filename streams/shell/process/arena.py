"""One pool of memory for all threads: what one of them freed is there for the others.

The C library gives threads pools of their own. States are read back in a thread that then ends,
behind buffers of the Kafka client's threads, and from then on made anew in the main thread: the
room they leave would never be used again. By default a worker with few customers has 40 MiB of such
room, one with many up to 200 MiB, and more with every state that changes.
"""

from __future__ import annotations

import ctypes
import sys

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# `M_ARENA_MAX` of glibc's malloc.h.
_ARENA_MAX = -8


def share_one_arena() -> None:
    """Let threads that start from now on share the main thread's pool, where the library can."""
    if _LIBC is not None and hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_ARENA_MAX, 1)
