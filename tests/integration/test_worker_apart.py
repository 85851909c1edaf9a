"""A worker with its roles apart: one command, a process and a page for each role, or several."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from streams.cli.main import concierge
from streams.demo.worker_process import as_text
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.settings.settings import ROLES
from tests.integration.world import World, write_catalogue
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.shops import SHOP

pytestmark = pytest.mark.long


def _free_ports(count: int) -> int:
    """Return the first of some free ports in a row."""
    for first in range(20_000 + os.getpid() % 5_000, 60_000, count):
        if all(_is_free(first + n) for n in range(count)):
            return first
    raise AssertionError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _page(port: int) -> dict[str, Any]:
    """Return the roles of a page that is ready, by name; nothing before."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE_S) as page:
            found: dict[str, Any] = json.loads(page.read())["roles"]
            return found
    except (urllib.error.URLError, OSError):
        return {}


@contextmanager
def _running(command: Sequence[str], settings: Mapping[str, Any]) -> Iterator[Popen[bytes]]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
    process = Popen(command, cwd=ROOT, env={**environ, **as_text(settings)})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()


@pytest.mark.parametrize("deciding", [1, 2])
def test_each_process_has_its_role_and_a_page_and_sigterm_ends_all(
    deciding: int, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    prefix, roles = f"w{uuid4().hex[:10]}.", [*ROLES, *["decide"] * (deciding - 1)]
    first = _free_ports(len(roles))
    world = World(embedded_broker.bootstrap, prefix, catalogue_path=write_catalogue(tmp_path, SHOP))
    world.create_topics()
    options = ["--decide-processes", str(deciding)] if deciding > 1 else []
    command = [sys.executable, "-m", "streams", "worker", "--apart", *options]
    settings = {**world.settings, "http_port": first, "instance_id": "somebody"}
    with closing(world), _running(command, settings) as process:
        deadline_s, waiting = time.monotonic() + PATIENCE_S, dict(enumerate(roles, start=first))
        while waiting:
            assert process.poll() is None
            assert time.monotonic() < deadline_s, waiting
            ready = {port: _page(port) for port in waiting}
            assert all(list(found) in ([], [waiting[port]]) for port, found in ready.items())
            waiting = {port: role for port, role in waiting.items() if not ready[port]}
            time.sleep(0.1)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert not any(_page(port) for port in range(first, first + len(roles)))


@pytest.mark.parametrize("options", [[], ["--apart", "--role", "learn"]])
def test_more_processes_for_decide_need_decide_apart(options: list[str]) -> None:
    asked = ["worker", "--kafka", "127.0.0.1:1", "--decide-processes", "2", *options]
    ended = CliRunner().invoke(concierge, asked)
    assert ended.exit_code == 2
    assert "--decide-processes needs --apart and the role decide" in ended.output
