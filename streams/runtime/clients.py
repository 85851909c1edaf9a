"""How both Kafka clients log in: the same settings, told to librdkafka and to Faust."""

from __future__ import annotations

import ssl

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streams.runtime.settings import Settings

LibrdkafkaConfig = dict[str, str | int | float | bool]


def librdkafka_config(settings: Settings) -> LibrdkafkaConfig:
    """Return what every confluent-kafka client of this worker starts from: brokers and login."""
    config: LibrdkafkaConfig = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": settings.app_id,
        # Brokers that are away: ask less often, and leave the one clear line to us.
        "reconnect.backoff.max.ms": 5_000,
        "log_level": 2,
    }
    if settings.kafka_protocol == "PLAINTEXT":
        return config
    config["security.protocol"] = settings.kafka_protocol
    if settings.kafka_protocol.startswith("SASL"):
        config["sasl.mechanism"] = settings.kafka_sasl_mechanism
        config["sasl.username"] = settings.kafka_username
        config["sasl.password"] = settings.kafka_password
    files = {
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_cert_file,
        "ssl.key.location": settings.kafka_key_file,
    }
    config.update({name: path for name, path in files.items() if path})
    return config


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """Return the same login for Faust's `broker_credentials`; None for a plain connection.

    Raises OSError or ssl.SSLError when a certificate file cannot be read.
    """
    protocol = settings.kafka_protocol
    if protocol == "PLAINTEXT":
        return None
    context = _tls_context(settings) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.kafka_username,
        password=settings.kafka_password,
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )


def _tls_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
    if settings.kafka_cert_file:
        context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file)
    return context
