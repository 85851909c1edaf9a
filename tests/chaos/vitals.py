"""How a worker's process is doing, from /proc: memory and open files."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.integration.world_worker import Worker

_EVERY_S = 0.2


class Vitals(NamedTuple):
    """Resident memory in MiB, and how many files (sockets too) are open."""

    rss_mib: float
    files: int


def vitals(pid: int) -> Vitals:
    """Return the vitals of a running process; OSError if there is none."""
    folder = Path(f"/proc/{pid}")
    lines = (folder / "status").read_text(encoding="utf-8").splitlines()
    (rss,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return Vitals(int(rss) / 1024, len(list((folder / "fd").iterdir())))


class Watched:
    """Samples a worker's memory several times a second while a block runs."""

    def __init__(self, worker: Worker) -> None:
        self._pid = worker.process.pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.rss_mib: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            try:
                self.rss_mib.append(vitals(self._pid).rss_mib)
            except (OSError, ValueError):
                return
