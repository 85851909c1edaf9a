"""Where a test asks the process to kill itself, to show that nothing is lost there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Failpoint:
    """Die the n-th time a named step is reached; `spec` is "role:step:n" or empty for never."""

    def __init__(self, spec: str, die: Callable[[], None] = _kill_self) -> None:
        self._die = die
        self._step = ""
        self._left = 0
        if spec:
            role, step, times = spec.split(":")
            self._step, self._left = f"{role}:{step}", int(times)

    def reached(self, role: str, step: str) -> None:
        """Count the step; the last one counted does not return."""
        if self._left and self._step == f"{role}:{step}":
            self._left -= 1
            if not self._left:
                self._die()
