"""The worker's pages, asked over the wire: who may ask, from where, and how probes do."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from streams.shell.pages import health
from streams.shell.pages.health import HealthServer
from streams.shell.pages.lag import LagWatch
from streams.shell.settings.settings import Settings, SettingsError
from streams.shell.telemetry.metrics import Metrics
from streams.shell.telemetry.progress import Progress
from tests.support.checkout import ROOT

_TOKEN = "t0ken-of-the-test"
_GUARDED = Settings(http_host="0.0.0.0", http_port=0, http_token=_TOKEN)
_PAGES = ("/metrics", "/healthz", "/readyz")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _asked(settings: Settings, path: str, headers: Mapping[str, str]) -> int:
    """Return the status that a real request gets from a server of its own."""

    async def main() -> int:
        metrics, progress = Metrics(), Progress()
        server = HealthServer(settings, metrics, progress, LagWatch(settings, progress, metrics))
        await server.start()
        try:
            url = server.url.replace("0.0.0.0", "127.0.0.1")
            return await asyncio.to_thread(_status, url + path, headers)
        finally:
            await server.stop()

    return asyncio.run(main())


def _status(url: str, headers: Mapping[str, str]) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers))) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("path", _PAGES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {_TOKEN}x"},
        {"Authorization": f"Bearer {_TOKEN[:-1]}"},
        {"Authorization": f"Basic {_TOKEN}"},
        {"Authorization": _TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer t\u00f6ken"},
        {"X-Token": _TOKEN},
    ],
)
def test_without_the_right_token_no_page_is_shown(path: str, headers: dict[str, str]) -> None:
    assert _asked(_GUARDED, path, headers) == 401


def test_with_the_token_a_page_is_shown() -> None:
    assert _asked(_GUARDED, "/metrics", {"Authorization": f"Bearer {_TOKEN}"}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        pytest.param("::1", marks=pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 here")),
    ],
)
def test_on_loopback_no_token_is_needed_and_one_that_is_set_is_asked_for(host: str) -> None:
    assert _asked(Settings(http_host=host, http_port=0), "/metrics", {}) == 200
    guarded = Settings(http_host=host, http_port=0, http_token=_TOKEN)
    assert _asked(guarded, "/metrics", {}) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "::ffff:127.0.0.1", "192.168.1.4", "worker"])
def test_other_addresses_are_refused_without_a_token(host: str) -> None:
    with pytest.raises(SettingsError, match="CONCIERGE_HTTP_TOKEN"):
        Settings(http_host=host)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append((given, wanted))
        return given == wanted

    monkeypatch.setattr(health.hmac, "compare_digest", compare)  # type: ignore[attr-defined]
    _asked(_GUARDED, "/healthz", {"Authorization": "Bearer other"})
    assert compared == [(b"Bearer other", f"Bearer {_TOKEN}".encode())]


def test_prometheus_and_the_health_check_of_the_deployment_bring_the_token() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    [job] = prometheus["scrape_configs"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    secret = "/run/secrets/http_token"
    # Prometheus sends `Authorization: Bearer <the file>` unless told otherwise.
    assert job["authorization"] == {"credentials_file": secret}
    worker = compose["services"]["worker"]
    assert worker["environment"]["CONCIERGE_HTTP_TOKEN_FILE"] == secret
    assert secret in " ".join(worker["healthcheck"]["test"])
    assert compose["services"]["prometheus"]["secrets"] == ["http_token"]


def test_the_probe_that_the_page_on_security_shows_works(tmp_path: Path) -> None:
    page = (ROOT / "deploy" / "SECURITY.md").read_text("utf-8")
    [code] = re.findall(r"python, -c, \"(.+?)\"", page)
    (tmp_path / "http_token").write_text(_TOKEN + "\n", encoding="utf-8")

    async def main() -> list[int]:
        metrics, progress = Metrics(), Progress()
        lag = LagWatch(_GUARDED, progress, metrics)
        server = HealthServer(_GUARDED, metrics, progress, lag)
        await server.start()
        port = server.url.rpartition(":")[2]
        codes = []
        try:
            for silence in ("", "no broker has answered for a minute"):
                lag.broker_silence = silence
                here = code.replace("/run/secrets", str(tmp_path)).replace("8000", port)
                process = await asyncio.create_subprocess_exec("python3", "-c", here)
                codes.append(await process.wait())
        finally:
            await server.stop()
        return codes

    assert asyncio.run(main()) == [0, 1]
