"""Run several `concierge` processes as children: when one ends, all end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
# Loaded in the parent: a child should do as little as possible between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# The folder that contains our packages.
_HOME = Path(__file__).resolve().parents[3]
# The children are polled: Python runs a signal handler only after a blocking call has returned.
_POLL_INTERVAL_S = 0.1
_FORWARDED = (signal.SIGTERM, signal.SIGINT)


def signal_when_parent_dies(signal_number: int) -> Callable[[], None]:
    """Return a function for the child, after which it gets a signal when its parent dies.

    Only Linux supports this; elsewhere the function does nothing.
    """

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number)

    return ask


def concierge_command(*words: str) -> list[str]:
    """Return the command that runs `concierge` again, for `concierge_environment`.

    `-P` ignores modules in the current directory, because the names of our packages are common.
    """
    return [sys.executable, "-P", "-m", "streams", *words]


def concierge_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the folder of this installation first on the Python path."""
    path = [str(_HOME), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def run_processes(
    commands: Mapping[str, tuple[Sequence[str], Mapping[str, str]]], report: Callable[[str], None]
) -> int:
    """Run (command, environment) pairs by name until the first ends, then end the others.

    `report` gets a sentence about the process that ended first, unless all were told to stop.

    SIGTERM and SIGINT end them all: each child gets one SIGTERM. Returns 0 if all ended with 0 or
    by that SIGTERM, else the exit code of the first that did not (128 + n if signal n ended it).
    """
    group = _Group(report)
    before = {number: signal.signal(number, group.stopped) for number in _FORWARDED}
    try:
        for name, (command, environment) in commands.items():
            group.start(name, command, environment)
        return group.wait()
    finally:
        group.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Group:
    """Children that are started, told to stop once, and waited for."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._names: dict[int, str] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        child = subprocess.Popen(
            command, env=environment, preexec_fn=signal_when_parent_dies(signal.SIGTERM)
        )
        self._children[child.pid] = child
        self._names[child.pid] = name
        if self._stopping:
            # The stop was requested while this child was being started.
            child.terminate()

    def stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            for child in self._children.values():
                child.terminate()

    def stopped(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def wait(self) -> int:
        code = 0
        while self._children:
            ended = [child for child in self._children.values() if child.poll() is not None]
            for child in ended:
                del self._children[child.pid]
                code = code or self._ended(child)
            if not ended:
                time.sleep(_POLL_INTERVAL_S)
        return code

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        """Stop the other children; return the exit code for this one."""
        number, asked = child.returncode, self._stopping
        if not asked:
            how = f"ended with {number}"
            if number < 0:
                how = f"was ended by {signal.Signals(-number).name}"
            self._report(f"{self._names[child.pid]} {how}; ending the others")
        self.stop()
        if asked and number == -signal.SIGTERM:
            return 0
        return number if number >= 0 else 128 - number
