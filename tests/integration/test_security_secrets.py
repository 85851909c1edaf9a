"""Secrets go where they are needed and nowhere else: not into logs, pages, or what is printed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from streams.cli.main import EXIT_CONFIG
from streams.demo.worker_process import as_text
from streams.shell.process.serve import EXIT_OK
from tests.integration.secure_kafka import PLAIN_PASSWORD, PLAIN_USER, SecureKafka
from tests.integration.world import World, write_catalogue
from tests.integration.world_worker import Worker
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.shops import SHOP

pytestmark = pytest.mark.long

_TOKEN, _SALT = "hush-token-1a5b", "hush-salt-9e02"
_REGISTRY_USER, _REGISTRY_PASSWORD = "registry-user", "hush-registry-44d7"
_WRONG = "hush-wrong-c0de"
_BASIC = base64.b64encode(f"{_REGISTRY_USER}:{_REGISTRY_PASSWORD}".encode()).decode()


class _Registry(BaseHTTPRequestHandler):
    """A registry that has no schema yet and takes any, for those who know the password."""

    def do_GET(self) -> None:
        self._answer(404, {"error_code": 40401, "message": "Subject not found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, {"id": 7, "is_compatible": True})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        if self.headers.get("Authorization") != f"Basic {_BASIC}":
            status, body = 401, {"error_code": 40101, "message": "no"}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def world(secure_kafka: SecureKafka, tmp_path: Path) -> Iterator[World]:
    made = World(
        secure_kafka.broker.bootstrap,
        f"h{uuid4().hex[:10]}.",
        catalogue_path=write_catalogue(tmp_path, SHOP),
        log_level="debug",
        salt=_SALT,
        http_token=_TOKEN,
    )
    made.create_topics()
    yield made
    made.close()


def _page(worker: Worker, path: str) -> str:
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as page:
            text: str = page.read().decode()
    except urllib.error.HTTPError as not_yet:
        text = not_yet.read().decode()
    return text


def _is_ready(worker: Worker) -> bool:
    try:
        return bool(json.loads(_page(worker, "/readyz"))["status"] == "ok")
    except OSError:
        return False


def _assert_kept(text: str) -> None:
    # Whole lines, so that a failure shows who told it.
    told = [line for line in text.splitlines() if "hush" in line or _BASIC in line]
    assert told == []


def _registry_login(url: str, password: str) -> dict[str, Any]:
    return {
        "schema_registry_url": url,
        "schema_registry_user": _REGISTRY_USER,
        "schema_registry_password": password,
    }


def test_a_worker_that_logs_everything_logs_no_secret(
    secure_kafka: SecureKafka, world: World, registry_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PLAIN_PASSWORD + "\n", encoding="utf-8")
    login = secure_kafka.login("PLAIN", PLAIN_USER, "")
    del login["kafka_password"]
    worker = world.start(
        **login, kafka_password_file=file, **_registry_login(registry_url, _REGISTRY_PASSWORD)
    )
    worker.await_true(lambda: _is_ready(worker), "the worker to be ready")
    pages = "".join(_page(worker, path) for path in ("/metrics", "/healthz", "/readyz"))
    assert "concierge_decisions" in pages
    assert worker.terminate() == EXIT_OK, worker.said()
    assert "DEBUG" in worker.said()
    _assert_kept(worker.said() + pages)


@pytest.mark.chaos
def test_the_password_of_a_key_is_not_logged(secure_kafka: SecureKafka, world: World) -> None:
    worker = world.start(**secure_kafka.certificate())
    worker.await_true(lambda: _is_ready(worker), "the worker to be ready")
    assert worker.terminate() == EXIT_OK, worker.said()
    _assert_kept(worker.said())


@pytest.mark.chaos
def test_a_password_that_is_refused_is_not_told(
    secure_kafka: SecureKafka, world: World, registry_url: str
) -> None:
    kafka = world.start(**secure_kafka.login("PLAIN", PLAIN_USER, _WRONG))
    registry = world.start(**_registry_login(registry_url, _WRONG))
    for worker in (kafka, registry):
        assert worker.ended() == EXIT_CONFIG, worker.said()
        _assert_kept(worker.said())
    assert "401" in registry.said() or "refused" in registry.said()


def test_check_tells_no_secret(secure_kafka: SecureKafka, world: World, registry_url: str) -> None:
    fine = secure_kafka.login("PLAIN", PLAIN_USER, PLAIN_PASSWORD)
    good = {**world.settings, **fine, **_registry_login(registry_url, _REGISTRY_PASSWORD)}
    code, text = _check(good)
    assert code == 0, text
    _assert_kept(text)
    _assert_kept(_check(good, "--settings")[1])
    for wrong in ({"kafka_password": _WRONG}, {"kafka": "no port"}, {"kafka_protocol": "SSL"}):
        code, text = _check({**good, **wrong})
        assert code == 1, text
        _assert_kept(text)


def _check(settings: Mapping[str, Any], *options: str) -> tuple[int, str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CONCIERGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "streams", "check", *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environ, **as_text(settings)},
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
