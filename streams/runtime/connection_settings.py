"""The settings that say where brokers and registry are, and how to log in."""

from __future__ import annotations

from dataclasses import dataclass

from streams.runtime.declared import setting

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """A part of `Settings`, which checks the values."""

    bootstrap: str = setting(
        "127.0.0.1:9092", "Kafka brokers to start from, host:port separated by commas.", env="KAFKA"
    )

    schema_registry_url: str = setting(
        "", "Confluent-compatible Schema Registry. Empty: the schemas that ship with Concierge."
    )
    schema_registry_user: str = setting("", "User name for the registry.")
    schema_registry_password: str = setting("", "Password for the registry.", secret=True)
    schema_registry_ca_file: str = setting("", "CA certificate (PEM) that signed the registry's.")

    kafka_protocol: str = setting("PLAINTEXT", "How to talk to the brokers.", choices=PROTOCOLS)
    kafka_sasl_mechanism: str = setting(
        "SCRAM-SHA-512", "How to log in, for the SASL protocols.", choices=SASL_MECHANISMS
    )
    kafka_username: str = setting("", "User name, for the SASL protocols.")
    kafka_password: str = setting("", "Password, for the SASL protocols.", secret=True)
    kafka_ca_file: str = setting("", "CA certificate (PEM) that signed the brokers'.")
    kafka_cert_file: str = setting("", "Client certificate (PEM), for mutual TLS.")
    kafka_key_file: str = setting("", "Key (PEM) of the client certificate.")
    kafka_key_password: str = setting("", "Password of an encrypted key.", secret=True)
    kafka_check_hostname: str = setting(
        "on",
        "Whether a broker's certificate must carry its name; `off` lets others pose as a broker.",
        choices=("on", "off"),
    )
