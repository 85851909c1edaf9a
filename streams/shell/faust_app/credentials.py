"""The Kafka login of the settings, in the form that Faust takes."""

from __future__ import annotations

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streams.shell.kafka.certificates import tls_context
from streams.shell.settings.settings import Settings


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """Return the same login for Faust's `broker_credentials`; None for a plain connection.

    Raises OSError or ssl.SSLError when a certificate file cannot be read.
    """
    protocol = settings.kafka_protocol
    if protocol == "PLAINTEXT":
        return None
    context = tls_context(settings) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.kafka_username,
        password=settings.kafka_password,
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )
