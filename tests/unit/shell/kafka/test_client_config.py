"""Both Kafka clients get the same login."""

from __future__ import annotations

import ssl

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from streams.shell.faust_app.credentials import (
    faust_credentials,
)
from streams.shell.kafka.certificates import tls_context
from streams.shell.kafka.client_config import (
    librdkafka_config,
)
from streams.shell.settings.settings import Settings


def test_a_plain_connection_has_no_credentials() -> None:
    assert librdkafka_config(Settings()) == {
        "bootstrap.servers": "127.0.0.1:9092",
        "client.id": "concierge",
        "reconnect.backoff.max.ms": 5_000,
        "log_level": 2,
    }
    assert faust_credentials(Settings()) is None


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_login_reaches_both_clients(protocol: str) -> None:
    settings = Settings(
        kafka_protocol=protocol,
        kafka_sasl_mechanism="SCRAM-SHA-256",
        kafka_username="me",
        kafka_password="hush",
    )
    config = librdkafka_config(settings)
    assert config["security.protocol"] == protocol
    assert config["sasl.mechanism"] == "SCRAM-SHA-256"
    assert (config["sasl.username"], config["sasl.password"]) == ("me", "hush")
    credentials = faust_credentials(settings)
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == protocol
    assert credentials.mechanism.value == "SCRAM-SHA-256"
    assert (credentials.username, credentials.password) == ("me", "hush")


def test_tls_alone_brings_a_context_that_checks_the_broker() -> None:
    credentials = faust_credentials(Settings(kafka_protocol="SSL"))
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.check_hostname


def test_certificate_files_reach_librdkafka() -> None:
    config = librdkafka_config(
        Settings(
            kafka_protocol="SSL",
            kafka_ca_file="ca",
            kafka_cert_file="c",
            kafka_key_file="k",
            kafka_key_password="p",
        )
    )
    assert config["ssl.key.password"] == "p"
    assert config["ssl.ca.location"] == "ca"
    assert config["ssl.certificate.location"] == "c"
    assert config["ssl.key.location"] == "k"


def test_both_clients_check_the_brokers_name_unless_configured_otherwise() -> None:
    off = Settings(kafka_protocol="SSL", kafka_check_hostname="off")
    assert librdkafka_config(off)["ssl.endpoint.identification.algorithm"] == "none"
    assert not tls_context(off).check_hostname
    # librdkafka's own default is to check.
    on = Settings(kafka_protocol="SSL")
    assert "ssl.endpoint.identification.algorithm" not in librdkafka_config(on)
    assert tls_context(on).check_hostname
    assert tls_context(on).verify_mode is ssl.CERT_REQUIRED
