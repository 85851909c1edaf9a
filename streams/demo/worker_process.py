"""A real worker in a process of its own, started, watched and stopped by the demo."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from streams.shell.process.children import (
    concierge_command,
    concierge_environment,
    signal_when_parent_dies,
)

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
_REACHED_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.003
_LOG_TAIL_BYTES = 40_000


class WorkerFailed(RuntimeError):
    """The worker ended, or does not get on; the message holds the end of its log."""


class WorkerProcess:
    """`concierge worker` as a child process, asked over its own health and metrics pages."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._port = _free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
        self._environ = {
            **inherited,
            **settings,
            "CONCIERGE_HTTP_PORT": str(self._port),
        }
        # Closed with the object: it outlives any block that could be put around it.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None
        self._pages: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            concierge_command("worker"),
            env=concierge_environment(self._environ),
            stdout=self._log,
            stderr=self._log,
            preexec_fn=signal_when_parent_dies(signal.SIGKILL),
        )
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        code = self.stop()
        if error is None and code != 0:
            raise WorkerFailed(f"the worker ended with {code}\n{self._tail()}")

    def stop(self) -> int:
        """End the worker by SIGTERM, by SIGKILL if it does not; return its exit code."""
        process = self._running()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def reached(self, role: str, ends: Callable[[], Mapping[str, int]]) -> None:
        """Wait until a role has read up to `ends` and its outputs are acknowledged.

        `ends` returns offsets by "topic/partition"; partitions that are empty may be left out.
        """
        wanted = ends()
        give_up_s = monotonic() + _REACHED_WITHIN_S
        while True:
            state = json.loads(self._get("/healthz"))["roles"][role]
            at = state["partitions"]
            behind = [p for p, end in wanted.items() if at.get(p, {}).get("position", -1) < end]
            if not behind and state["unacknowledged"] == 0:
                return
            if monotonic() > give_up_s:
                raise WorkerFailed(f"{role} did not get on within {_REACHED_WITHIN_S:.0f} s")
            sleep(_LOOK_EVERY_S)

    def count(self, metric: str, **labels: str) -> int:
        """Return the sum of a counter's series that carry `labels`."""
        total = 0.0
        for family in text_string_to_metric_families(self._get("/metrics")):
            for sample in family.samples:
                if sample.name == metric and labels.items() <= sample.labels.items():
                    total += sample.value
        return int(total)

    def _await_ready(self) -> None:
        give_up_s = monotonic() + _READY_WITHIN_S
        while monotonic() < give_up_s:
            try:
                if json.loads(self._get("/readyz"))["status"] == "ok":
                    return
            except WorkerFailed:
                if self._running().poll() is not None:
                    raise
            sleep(0.05)
        raise WorkerFailed(
            f"the worker was not ready within {_READY_WITHIN_S:.0f} s\n{self._tail()}"
        )

    def _get(self, page: str) -> str:
        process = self._running()
        if process.poll() is not None:
            raise WorkerFailed(f"the worker ended with {process.returncode}\n{self._tail()}")
        if self._pages is None:
            self._pages = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            self._pages.request("GET", page)
            return self._pages.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._pages = None
            raise WorkerFailed(f"the worker does not answer ({error!r})\n{self._tail()}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the worker was not started")
        return self._process

    def _tail(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(size - _LOG_TAIL_BYTES, 0))
        return self._log.read().decode("utf-8", "replace").strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def as_text(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings by name as the environment a worker reads."""
    return {f"CONCIERGE_{name.upper()}": str(value) for name, value in settings.items()}
