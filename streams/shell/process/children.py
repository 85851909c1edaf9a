"""Child processes that live and end together, with whoever started them."""

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
# Loaded here, because a child between fork and exec must do as little as possible.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# The folder that holds our packages.
_HOME = Path(__file__).resolve().parents[3]
# Looked at, not waited for: Python hears of a signal only after the call that it came just before.
_LOOK_EVERY_S = 0.1
_FORWARDED = (signal.SIGTERM, signal.SIGINT)


def signal_when_parent_dies(signal_number: int) -> Callable[[], None]:
    """Return what a child calls before it begins, to get a signal when its parent is gone.

    Linux alone can do so; elsewhere a child has to notice by itself.
    """

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number)

    return ask


def concierge_command(*words: str) -> list[str]:
    """Return the command that runs `concierge` again, for `concierge_environment`.

    Whatever lies in the current directory is not looked at (`-P`): our packages' names are common.
    """
    return [sys.executable, "-P", "-m", "streams", *words]


def concierge_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the folder that this very code came from first on the path."""
    path = [str(_HOME), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def run_processes(
    commands: Mapping[str, tuple[Sequence[str], Mapping[str, str]]], say: Callable[[str], None]
) -> int:
    """Run (command, environment) pairs by name until the first ends, then end the others.

    `say` hears which one ended first, unless all were asked to.

    SIGTERM and SIGINT end them all: each child gets one SIGTERM. Returns 0 when all ended with 0,
    or by the SIGTERM they were sent, else the exit code of the first that did not (128 + n for one
    that signal n ended).
    """
    group = _Group(say)
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
    """Children that are started, stopped once, and waited for."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
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
            # Asked to stop while it was being started.
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
                time.sleep(_LOOK_EVERY_S)
        return code

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        """Stop the others; return the exit code that this end stands for."""
        number, asked = child.returncode, self._stopping
        if not asked:
            how = f"ended with {number}"
            if number < 0:
                how = f"was ended by {signal.Signals(-number).name}"
            self._say(f"{self._names[child.pid]} {how}; ending the others")
        self.stop()
        if asked and number == -signal.SIGTERM:
            return 0
        return number if number >= 0 else 128 - number
