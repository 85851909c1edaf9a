"""Settings that are fine alone and wrong together, or that would give something away."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


DEFAULT_APP_ID = "concierge"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def contradictions(settings: Settings) -> list[str]:
    """Return what cannot be meant as it stands, one sentence each; never a secret's value."""
    problems = []
    if not settings.bootstrap.strip():
        problems.append('CONCIERGE_KAFKA="": name at least one broker, host:port')
    if settings.topic_prefix and settings.app_id == DEFAULT_APP_ID:
        problems.append(
            f'CONCIERGE_TOPIC_PREFIX="{settings.topic_prefix}" parts the topics, but groups and '
            "the changelog carry the app id: set CONCIERGE_APP_ID too"
        )
    if not settings.salt:
        problems.append("CONCIERGE_SALT is empty: draws need a seed")
    if not is_loopback(settings.http_host) and not settings.http_token:
        problems.append(
            f'CONCIERGE_HTTP_HOST="{settings.http_host}" is open to other machines: '
            "set CONCIERGE_HTTP_TOKEN (or _FILE), or bind to 127.0.0.1"
        )
    if settings.kafka_protocol.startswith("SASL") and not (
        settings.kafka_username and settings.kafka_password
    ):
        problems.append(
            f'CONCIERGE_KAFKA_PROTOCOL="{settings.kafka_protocol}" needs '
            "CONCIERGE_KAFKA_USERNAME and CONCIERGE_KAFKA_PASSWORD (or _FILE)"
        )
    if bool(settings.kafka_cert_file) != bool(settings.kafka_key_file):
        problems.append("CONCIERGE_KAFKA_CERT_FILE and CONCIERGE_KAFKA_KEY_FILE belong together")
    if "@" in settings.schema_registry_url:
        problems.append(
            "CONCIERGE_SCHEMA_REGISTRY_URL holds a login, which logs would show: move it to "
            "CONCIERGE_SCHEMA_REGISTRY_USER and CONCIERGE_SCHEMA_REGISTRY_PASSWORD"
        )
    if settings.schema_registry_user and not settings.schema_registry_password:
        problems.append(
            "CONCIERGE_SCHEMA_REGISTRY_USER needs CONCIERGE_SCHEMA_REGISTRY_PASSWORD (or _FILE)"
        )
    return problems
