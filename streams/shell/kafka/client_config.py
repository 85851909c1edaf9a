"""Brokers and login as configuration of librdkafka clients."""

from __future__ import annotations

from streams.shell.settings.settings import Settings

LibrdkafkaConfig = dict[str, str | int | float | bool]


def librdkafka_config(settings: Settings) -> LibrdkafkaConfig:
    """Return the configuration that all confluent-kafka clients of this worker share."""
    config: LibrdkafkaConfig = {
        "bootstrap.servers": settings.bootstrap,
        "client.id": settings.app_id,
        # While brokers are unreachable: retry less often, and let our own code log it once.
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
        "ssl.key.password": settings.kafka_key_password,
    }
    config.update({name: text for name, text in files.items() if text})
    if settings.kafka_check_hostname == "off":
        config["ssl.endpoint.identification.algorithm"] = "none"
    return config
