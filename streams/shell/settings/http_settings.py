"""Settings of the pages: /metrics, /healthz and /readyz."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from streams.shell.settings.fields import DAY_MS, setting

# Characters that any header can carry (RFC 6750, section 2.1, allows fewer).
_TOKEN = re.compile(r"[!-~]*")


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """A part of `Settings`, which checks each value by itself."""

    http_host: str = setting(
        "127.0.0.1",
        "Address of /metrics, /healthz and /readyz. Any address but loopback needs the token.",
    )
    http_port: int = setting(
        8_000, "Port of these pages; 0 takes a free one.", minimum=0, maximum=65_535
    )
    http_token: str = setting("", "Bearer token that the pages require.", secret=True)
    stall_ms: int = setting(
        30_000,
        "A role that has work and has not advanced for this long is unhealthy.",
        unit="ms",
        minimum=1_000,
        maximum=DAY_MS,
    )
    broker_silence_ms: int = setting(
        10_000,
        "If no broker has answered for this long, /healthz answers 503 and the log says so.",
        unit="ms",
        minimum=2_000,
        maximum=600_000,
    )


def http_problems(settings: HttpSettings) -> Iterator[str]:
    """Yield what is wrong between these settings: the variable, and what to do about it."""
    if not is_loopback(settings.http_host) and not settings.http_token:
        yield (
            f'CONCIERGE_HTTP_HOST="{settings.http_host}" is open to other machines: '
            "set CONCIERGE_HTTP_TOKEN (or _FILE), or bind to 127.0.0.1"
        )
    if not _TOKEN.fullmatch(settings.http_token):
        yield (
            "CONCIERGE_HTTP_TOKEN contains a character that a header cannot carry: use ASCII "
            "letters, digits and signs without spaces, such as the output of `openssl rand -hex 32`"
        )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
