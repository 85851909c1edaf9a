"""Steps of a checkpoint at which a test makes the process kill or freeze itself.

In: a text such as "decide:outputs:3". It is empty in production, and then nothing happens.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

# Steps of a checkpoint, in order. "half" is within the first part of a stage, "stage" after each.
STEPS = ("cut", "outputs", "probe", "half", "stage", "changelog", "commit")
_HOW = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class Failpoint:
    """Kills or freezes the process when a named step is reached for the n-th time.

    `spec` is "role:step:n", or "role:step:n:freeze", or empty for never; raises ValueError
    otherwise.
    """

    def __init__(self, spec: str, die: Callable[[], None] | None = None) -> None:
        self._step = ""
        self._left = 0
        how = "kill"
        if spec:
            role, step, times, *rest = spec.split(":")
            (how,) = rest or [how]
            if step not in STEPS or how not in _HOW:
                raise ValueError(f'failpoint "{spec}": a step is one of {STEPS}')
            self._step, self._left = f"{role}:{step}", int(times)
        self._die = die or (lambda: os.kill(os.getpid(), _HOW[how]))

    def awaits(self, role: str, step: str) -> bool:
        """Return whether the step still counts."""
        return self._left > 0 and self._step == f"{role}:{step}"

    async def half(
        self, role: str, records: Sequence[T], write: Callable[[Sequence[T]], Awaitable[None]]
    ) -> None:
        """Where the half of a stage still counts, write half of these records and count it."""
        if self.awaits(role, "half"):
            await write(records[: len(records) // 2])
            self.reached(role, "half")

    def reached(self, role: str, step: str) -> None:
        """Count the step; the last one counted does not return, or not soon."""
        if self.awaits(role, step):
            self._left -= 1
            if not self._left:
                self._die()
