"""A real `concierge worker` in a process of its own: started, looked at, ended or killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from streams.demo.worker_process import as_text
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_S

_LOOK_EVERY_S = 0.01


class Worker:
    """One worker process; its pages are asked, what it says is kept."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.port = _free_port()
        environ = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
        # Closed with the worker: it outlives any block that could be put around it.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        command = [sys.executable, "-m", "streams", "worker"]
        if shutil.which("setpriv") is not None:
            # Even a test run that was itself killed leaves no worker behind.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environ, **as_text({**settings, "http_port": self.port})},
            stdout=self._log,
            stderr=self._log,
        )

    def said(self) -> str:
        """Return all that the worker has printed and logged."""
        self._log.seek(0)
        return self._log.read()

    def page(self, path: str) -> str:
        """Return the text of one of the worker's pages, whatever its status."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S
            ) as page:
                text: str = page.read().decode()
        except urllib.error.HTTPError as refused:
            text = refused.read().decode()
        return text

    def positions(self, role: str) -> dict[str, int]:
        """Return a role's next offsets, by "topic/partition"."""
        partitions = self._role(role)["partitions"]
        return {name: at["position"] for name, at in partitions.items()}

    def idle(self, role: str) -> bool:
        """Return whether the brokers have all that a role has sent."""
        return bool(self._role(role)["unacknowledged"] == 0)

    def _role(self, role: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page("/healthz"))["roles"][role]
        return found

    def await_ready(self) -> None:
        """Wait until every role has its partitions and its state."""
        self.await_true(self._is_ready, "the worker to be ready")

    def await_true(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something while the worker lives; AssertionError with its log otherwise."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not true():
            code = self.process.poll()
            assert code is None, f"the worker ended with {code}, before {what}\n{self._tail()}"
            assert time.monotonic() < deadline_s, (
                f"waited {PATIENCE_S:.0f} s in vain for {what}\n{self._tail()}"
            )
            time.sleep(_LOOK_EVERY_S)

    def kill(self) -> None:
        """End the worker at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Stop the worker where it is, as a long pause of its machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a frozen worker go on; nothing for one that is awake."""
        self.process.send_signal(signal.SIGCONT)

    @property
    def is_awake(self) -> bool:
        """Return whether the worker runs and is not frozen."""
        try:
            status = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return False
        return status.rpartition(")")[2].split()[0] not in "TZX"

    def owns(self, role: str) -> bool:
        """Return whether a role has been given partitions."""
        try:
            return bool(self.positions(role))
        except OSError:
            return False

    def terminate(self) -> int:
        """Ask the worker to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until the worker has ended; return its exit code."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            message = f"the worker did not end within {PATIENCE_S:.0f} s\n{self._tail()}"
            raise AssertionError(message) from None

    def close(self) -> None:
        """Leave nothing behind."""
        self.kill()
        self._log.close()

    def _is_ready(self) -> bool:
        try:
            return bool(json.loads(self.page("/readyz"))["status"] == "ok")
        except OSError:
            return False

    def _tail(self) -> str:
        return self.said()[-6_000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
