"""Settings that are fine alone and wrong together, or that would give something away.

Each check yields sentences that say what is wrong, in which variable, and what to do about it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

DEFAULT_APP_ID = "concierge"

# What Kafka allows in the name of a topic, and of a static member of a group.
_NAME = re.compile(r"[A-Za-z0-9._-]*")
_ALLOWED = "letters, digits, dot, dash and underscore"
# A name may have 249 characters, and the longest that we build puts 28 behind the app id.
_LONGEST_NAME = 200
# What a header can carry without a doubt (RFC 6750, section 2.1, is narrower still).
_TOKEN = re.compile(r"[!-~]*")
_PORTS = range(1, 65_536)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def contradictions(settings: Settings) -> list[str]:
    """Return what cannot be meant as it stands, one sentence each; never a secret's value."""
    return [problem for check in _CHECKS for problem in check(settings)]


def _brokers(settings: Settings) -> Iterator[str]:
    if not settings.bootstrap.strip():
        yield 'CONCIERGE_KAFKA="": name at least one broker, host:port'
        return
    for address in settings.bootstrap.split(","):
        host, _, port = address.rpartition(":")
        # An IPv6 address stands in brackets, or its last group would be taken for the port.
        fits = re.fullmatch(r"\[[0-9A-Fa-f:.%]+\]|[^\s:/@\[\]]+", host)
        if not (fits and port.isascii() and port.isdigit() and int(port) in _PORTS):
            yield (
                f'CONCIERGE_KAFKA: "{address}" is no broker\'s address: write host:port, '
                "several separated by commas without spaces, for example broker1:9092,broker2:9092"
            )


def _names(settings: Settings) -> Iterator[str]:
    for variable, name in (
        ("CONCIERGE_APP_ID", settings.app_id),
        ("CONCIERGE_TOPIC_PREFIX", settings.topic_prefix),
        ("CONCIERGE_INSTANCE_ID", settings.instance_id),
    ):
        if not _NAME.fullmatch(name):
            yield f'{variable}="{name}" cannot be part of a name in Kafka: use {_ALLOWED} only'
        if len(name) > _LONGEST_NAME:
            yield f"{variable} has {len(name)} characters: use at most {_LONGEST_NAME}"
    if not settings.app_id:
        yield 'CONCIERGE_APP_ID="": groups and the changelog need a name, for example concierge'
    if settings.topic_prefix and settings.app_id == DEFAULT_APP_ID:
        yield (
            f'CONCIERGE_TOPIC_PREFIX="{settings.topic_prefix}" parts the topics, but groups and '
            "the changelog carry the app id: set CONCIERGE_APP_ID too"
        )


def _pages(settings: Settings) -> Iterator[str]:
    if not is_loopback(settings.http_host) and not settings.http_token:
        yield (
            f'CONCIERGE_HTTP_HOST="{settings.http_host}" is open to other machines: '
            "set CONCIERGE_HTTP_TOKEN (or _FILE), or bind to 127.0.0.1"
        )
    if not _TOKEN.fullmatch(settings.http_token):
        yield (
            "CONCIERGE_HTTP_TOKEN holds a character that no header can carry: use ASCII letters, "
            "digits and signs without spaces, for example the output of `openssl rand -hex 32`"
        )


def _login(settings: Settings) -> Iterator[str]:
    protocol = settings.kafka_protocol
    has_login = bool(settings.kafka_username or settings.kafka_password)
    if protocol.startswith("SASL"):
        if not (settings.kafka_username and settings.kafka_password):
            yield (
                f'CONCIERGE_KAFKA_PROTOCOL="{protocol}" needs '
                "CONCIERGE_KAFKA_USERNAME and CONCIERGE_KAFKA_PASSWORD (or _FILE)"
            )
    elif has_login:
        yield (
            f'CONCIERGE_KAFKA_PROTOCOL="{protocol}" sends no login, but CONCIERGE_KAFKA_USERNAME '
            "or CONCIERGE_KAFKA_PASSWORD is set: choose SASL_SSL, or unset them"
        )


def _certificates(settings: Settings) -> Iterator[str]:
    files = (settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file)
    if any(files) and not settings.kafka_protocol.endswith("SSL"):
        yield (
            f'CONCIERGE_KAFKA_PROTOCOL="{settings.kafka_protocol}" is not encrypted, but '
            "CONCIERGE_KAFKA_CA_FILE, _CERT_FILE or _KEY_FILE is set: choose SSL or SASL_SSL, or "
            "unset them"
        )
    if bool(settings.kafka_cert_file) != bool(settings.kafka_key_file):
        yield "CONCIERGE_KAFKA_CERT_FILE and CONCIERGE_KAFKA_KEY_FILE belong together: set both"
    if settings.kafka_key_password and not settings.kafka_key_file:
        yield (
            "CONCIERGE_KAFKA_KEY_PASSWORD is set without a CONCIERGE_KAFKA_KEY_FILE that it could "
            "open: name the file, or unset the password"
        )


def _registry(settings: Settings) -> Iterator[str]:
    url = settings.schema_registry_url
    for each in url.split(",") if url else ():
        yield from _registry_address(each)
    if settings.schema_registry_user and not settings.schema_registry_password:
        yield "CONCIERGE_SCHEMA_REGISTRY_USER needs CONCIERGE_SCHEMA_REGISTRY_PASSWORD (or _FILE)"
    if settings.schema_registry_password and not settings.schema_registry_user:
        yield "CONCIERGE_SCHEMA_REGISTRY_PASSWORD needs CONCIERGE_SCHEMA_REGISTRY_USER"
    if settings.schema_registry_ca_file and not url.startswith("https://"):
        yield (
            f'CONCIERGE_SCHEMA_REGISTRY_CA_FILE is set, but CONCIERGE_SCHEMA_REGISTRY_URL="{url}" '
            "is not encrypted: write https://..., or unset the file"
        )


def _registry_address(url: str) -> Iterator[str]:
    if "@" in url:
        yield (
            "CONCIERGE_SCHEMA_REGISTRY_URL holds a login, which logs would show: move it to "
            "CONCIERGE_SCHEMA_REGISTRY_USER and CONCIERGE_SCHEMA_REGISTRY_PASSWORD"
        )
        return
    try:
        parts = urlsplit(url)
        # Raises for a port that is no number.
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or re.search(r"\s", url):
        yield (
            f'CONCIERGE_SCHEMA_REGISTRY_URL="{url}" is no address: write https://host:port, and '
            "the path behind it if there is one"
        )


def _timeouts(settings: Settings) -> Iterator[str]:
    # What a worker still has queued when it falls silent must be given up before others go on with
    # its partitions. Crash tests shorten the one and lengthen the other to see what happens then.
    delivery_ms, session_ms = settings.delivery_timeout_ms, settings.session_timeout_ms
    if delivery_ms >= session_ms and settings.test_faults != "yes":
        yield (
            f"CONCIERGE_DELIVERY_TIMEOUT_MS={delivery_ms} must be below "
            f"CONCIERGE_SESSION_TIMEOUT_MS={session_ms}: a worker could write late to partitions "
            "that others have taken over; raise the session timeout, or lower the delivery timeout"
        )


def _draws(settings: Settings) -> Iterator[str]:
    if not settings.salt:
        yield "CONCIERGE_SALT is empty: draws need a seed, set any text and keep it"


def _faults(settings: Settings) -> Iterator[str]:
    if settings.failpoint and settings.test_faults != "yes":
        yield (
            f'CONCIERGE_FAILPOINT="{settings.failpoint}" makes the worker kill itself: unset it; '
            "a crash test sets CONCIERGE_TEST_FAULTS=yes too"
        )


_CHECKS: tuple[Callable[[Settings], Iterator[str]], ...] = (
    _brokers,
    _names,
    _pages,
    _login,
    _certificates,
    _registry,
    _timeouts,
    _draws,
    _faults,
)
