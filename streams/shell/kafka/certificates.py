"""TLS to the brokers: load the files that the settings name, and report those that are invalid."""

from __future__ import annotations

import ssl

from streams.shell.settings.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context for connections to the brokers.

    Raises OSError or ssl.SSLError when a file cannot be read or used.
    """
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
    context.check_hostname = settings.kafka_check_hostname == "on"
    if settings.kafka_cert_file:
        # Without this function OpenSSL would ask for a password on the terminal and wait.
        context.load_cert_chain(
            settings.kafka_cert_file,
            settings.kafka_key_file or None,
            lambda: settings.kafka_key_password,
        )
    return context


def certificate_problems(settings: Settings) -> list[str]:
    """Return the problems of the certificate files that the settings name, one sentence each."""
    problems = []
    for variable, path in (
        ("CONCIERGE_KAFKA_CA_FILE", settings.kafka_ca_file),
        ("CONCIERGE_SCHEMA_REGISTRY_CA_FILE", settings.schema_registry_ca_file),
    ):
        if path:
            problems += _wrong_ca(variable, path)
    if problems or not settings.kafka_cert_file:
        return problems
    try:
        tls_context(settings)
    except ssl.SSLError as error:
        problems.append(
            f'CONCIERGE_KAFKA_CERT_FILE="{settings.kafka_cert_file}" and '
            f'CONCIERGE_KAFKA_KEY_FILE="{settings.kafka_key_file}" cannot be used together '
            f"({_reason(error)}): both must be PEM, the key must be the certificate's, and an "
            "encrypted key needs CONCIERGE_KAFKA_KEY_PASSWORD (or _FILE)"
        )
    except OSError as error:
        problems.append(
            f'CONCIERGE_KAFKA_CERT_FILE="{settings.kafka_cert_file}" or '
            f'CONCIERGE_KAFKA_KEY_FILE="{settings.kafka_key_file}" cannot be read: '
            f"{error.strerror}; name files that this user may read"
        )
    return problems


def _wrong_ca(variable: str, path: str) -> list[str]:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        return [f'{variable}="{path}" contains no certificate ({_reason(error)}): name a PEM file']
    except OSError as error:
        why = error.strerror
        return [f'{variable}="{path}" cannot be read: {why}; name a file that this user may read']
    return []


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
