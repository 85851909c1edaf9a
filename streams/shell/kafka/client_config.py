"""How both Kafka clients log in: the same settings, told to librdkafka and to Faust."""

from __future__ import annotations

from streams.shell.settings.settings import Settings

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
        "ssl.key.password": settings.kafka_key_password,
    }
    config.update({name: text for name, text in files.items() if text})
    if settings.kafka_check_hostname == "off":
        config["ssl.endpoint.identification.algorithm"] = "none"
    return config
