"""Settings of the schema registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from streams.shell.settings.fields import setting


@dataclass(frozen=True, kw_only=True)
class RegistrySettings:
    """A part of `Settings`, which checks each value by itself."""

    schema_registry_url: str = setting(
        "", "Confluent-compatible Schema Registry. Empty: the schemas that ship with Concierge."
    )
    schema_registry_user: str = setting("", "User name for the registry.")
    schema_registry_password: str = setting("", "Password for the registry.", secret=True)
    schema_registry_ca_file: str = setting("", "CA certificate (PEM) that signed the registry's.")


def registry_problems(settings: RegistrySettings) -> Iterator[str]:
    """Yield what is wrong between these settings: the variable, and what to do about it."""
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
            "CONCIERGE_SCHEMA_REGISTRY_URL contains a login, which logs would show: move it to "
            "CONCIERGE_SCHEMA_REGISTRY_USER and CONCIERGE_SCHEMA_REGISTRY_PASSWORD"
        )
        return
    try:
        parts = urlsplit(url)
        # Raises ValueError for a port that is not a number.
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or re.search(r"\s", url):
        yield (
            f'CONCIERGE_SCHEMA_REGISTRY_URL="{url}" is not an address: write '
            "https://host:port, plus the path if there is one"
        )
