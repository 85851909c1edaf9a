"""A worker with its roles apart: one command, a process and a page for each role."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

from streams.demo.worker_process import as_text
from streams.runtime.embedded import EmbeddedBroker
from streams.runtime.settings import ROLES
from tests.integration.world import World, write_catalogue
from tests.kafka import ROOT
from tests.shops import SHOP


def _free_ports(count: int) -> int:
    """Return the first of some free ports in a row."""
    for first in range(20_000 + os.getpid() % 5_000, 60_000, count):
        if all(_is_free(first + n) for n in range(count)):
            return first
    raise AssertionError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _ready_roles(port: int) -> list[str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as page:
            return list(json.loads(page.read())["roles"])
    except (urllib.error.URLError, OSError):
        return []


def test_each_role_has_a_process_and_a_page_and_sigterm_ends_all(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    prefix, first = f"w{uuid4().hex[:10]}.", _free_ports(len(ROLES))
    world = World(embedded_broker.bootstrap, prefix, catalogue_path=write_catalogue(tmp_path, SHOP))
    world.create_topics()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "streams", "worker", "--apart"],
        cwd=ROOT,
        env={**environ, **as_text({**world.settings, "http_port": first})},
    )
    try:
        deadline_s, waiting = time.monotonic() + 90, dict(enumerate(ROLES, start=first))
        while waiting:
            assert process.poll() is None
            assert time.monotonic() < deadline_s, waiting
            ready = {port: _ready_roles(port) for port in waiting}
            assert all(found in ([], [waiting[port]]) for port, found in ready.items())
            waiting = {port: role for port, role in waiting.items() if not ready[port]}
            time.sleep(0.1)
        process.terminate()
        assert process.wait(60) == 0
        assert not any(_ready_roles(port) for port in range(first, first + len(ROLES)))
    finally:
        if process.poll() is None:
            process.kill()
        world.close()
