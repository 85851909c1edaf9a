"""The worker's HTTP pages: /metrics for Prometheus, /healthz and /readyz for its supervisor.

/healthz reports progress, not only that the process runs. It answers 503 if a partition is stalled,
or if the brokers have not answered for the configured time. Records that an open transaction holds
back cannot be read; they are shown as `held_back` and make no role unhealthy. /readyz answers 200
once every role has its partitions and its state.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.shell.exits import ConfigExit
from streams.shell.pages.lag import LagWatch
from streams.shell.settings.settings import Settings
from streams.shell.telemetry.metrics import Metrics
from streams.shell.telemetry.progress import Progress, RoleProgress

_OK, _UNAVAILABLE = 200, 503
_STOP_TIMEOUT_S = 2.0

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PortUnavailable(ConfigExit):
    """The address of the pages is in use or not on this machine."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = (error.strerror or str(error)).rpartition(": ")[2]
        super().__init__(
            f"cannot serve /metrics, /healthz and /readyz on {host} port {port}: {why}. Set "
            "CONCIERGE_HTTP_PORT to another port (0 takes a free one), or CONCIERGE_HTTP_HOST to "
            "an address of this machine"
        )


class HealthServer:
    """Serves the pages between `start` and `stop`; `url` is their address.

    If a token is configured, every page requires it. `Settings` requires a token if other machines
    can reach the pages.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, progress: Progress, lag: LagWatch
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._progress = progress
        self._lag = lag
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Bind and serve; raise `PortUnavailable` if the address cannot be used."""
        pages = web.Application()
        pages.router.add_get("/metrics", self._guarded(self._show_metrics))
        pages.router.add_get("/healthz", self._guarded(self._show_health))
        pages.router.add_get("/readyz", self._guarded(self._show_readiness))
        self._runner = web.AppRunner(pages, access_log=None, shutdown_timeout=_STOP_TIMEOUT_S)
        await self._runner.setup()
        wanted = self._settings.http_host, self._settings.http_port
        try:
            await web.TCPSite(self._runner, *wanted).start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortUnavailable(*wanted, error) from error
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _guarded(self, page: Page) -> Page:
        async def guarded(request: web.Request) -> web.StreamResponse:
            token = self._settings.http_token
            given = request.headers.get("Authorization", "")
            if token and not hmac.compare_digest(_bytes(given), _bytes(f"Bearer {token}")):
                raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
            return await page(request)

        return guarded

    async def _show_metrics(self, _: web.Request) -> web.StreamResponse:
        body = await asyncio.to_thread(generate_latest, self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _show_health(self, _: web.Request) -> web.StreamResponse:
        if self._lag.broker_silence:
            return _json(False, self._page("no brokers", [self._lag.broker_silence]))
        standstills = [str(each) for each in self._lag.stalled]
        return _json(not standstills, self._page("standing still", standstills))

    async def _show_readiness(self, _: web.Request) -> web.StreamResponse:
        waiting = [
            f"{name} waits for {'its state' if role.assigned else 'partitions'}"
            for name, role in self._progress.roles.items()
            if not (role.assigned and role.recovered)
        ]
        return _json(self._progress.ready, self._page("not ready", waiting))

    def _page(self, trouble: str, problems: list[str]) -> dict[str, Any]:
        page: dict[str, Any] = {
            "status": trouble if problems else "ok",
            "problems": problems,
            "roles": {name: self._role(role) for name, role in self._progress.roles.items()},
        }
        if self._lag.unknown:
            page["lag_unknown"] = self._lag.unknown
        return page

    def _role(self, role: RoleProgress) -> dict[str, Any]:
        return {
            "assigned": role.assigned,
            "recovered": role.recovered,
            "records": role.records,
            "unacknowledged": role.unacknowledged(),
            "seconds_since_last_records": _age_s(role.last_chunk_at_ms),
            "seconds_since_last_checkpoint": _age_s(role.last_checkpoint_at_ms),
            "partitions": {
                f"{tp.topic}/{tp.partition}": {
                    "position": at.position,
                    "committed": at.committed,
                    "lag": self._lag.lag.get(tp),
                    "held_back": self._lag.held_back.get(tp, 0),
                }
                for tp, at in sorted(role.partitions.items())
            },
        }


def _bytes(header: str) -> bytes:
    # A header may hold any bytes; aiohttp decodes those that are not UTF-8 as surrogates.
    return header.encode("utf-8", "surrogateescape")


def _age_s(at_ms: int) -> float | None:
    return round(max(0.0, time.time() - at_ms / 1000), 3) if at_ms else None


def _json(good: bool, page: dict[str, Any]) -> web.Response:
    return web.Response(
        status=_OK if good else _UNAVAILABLE,
        text=json.dumps(page, indent=2) + "\n",
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
