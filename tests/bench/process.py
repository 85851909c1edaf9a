"""A process under measurement: started, listened to, its time and memory read, ended."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.checkout import ROOT

_STOP_WITHIN_S = 30.0
_TAIL_CHARS = 3_000
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ProcessEnded(RuntimeError):
    """A process under measurement ended before its work; the message holds what it said."""


class Measured:
    """A child process that says on its standard output how far it is, a line at a time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
        # Closed with the process: it outlives any block that could be put around it.
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        if shutil.which("setpriv") is not None:
            # Even a benchmark that was itself killed leaves no process behind.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def line(self, word: str, timeout_s: float) -> list[str]:
        """Wait for a line that begins with `word`; return its other words."""
        while True:
            try:
                words = self._lines.get(timeout=timeout_s).split()
            except queue.Empty:
                raise ProcessEnded(f"no '{word}' in {timeout_s:.0f} s: {self.tail()}") from None
            if words[:1] == [word]:
                return words[1:]
            if words == ["\0end"]:
                raise ProcessEnded(f"ended before '{word}': {self.tail()}")

    def check(self) -> None:
        """Raise if the process is no longer there."""
        if (code := self._process.poll()) is not None:
            raise ProcessEnded(f"ended with {code}: {self.tail()}")

    def cpu_s(self) -> float:
        """Return the processor time used so far, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def peak_mib(self) -> float:
        """Return the most memory the process has had resident, in MiB."""
        return self._status("VmHWM")

    def resident_mib(self) -> float:
        """Return the memory the process has resident now, in MiB."""
        return self._status("VmRSS")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it by SIGTERM, by SIGKILL if that does not help; return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._listener.join(1.0)
        code: int = self._process.returncode
        return code

    def tail(self) -> str:
        """Return the end of what it said on its standard error."""
        self._complaints.seek(0)
        return self._complaints.read()[-_TAIL_CHARS:].strip()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put("\0end")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise ProcessEnded(f"nothing is known of the memory of {self.pid}")
