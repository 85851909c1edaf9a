"""A real Kafka that asks who you are: passwords, certificates, and the standard authorizer.

Whoever is not named in an ACL may do nothing, except the super users: the tests' own plain
connection, and the three whose names are here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # unexported
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.integration.certificates import Certificates, make_certificates
from tests.support.kafka import KafkaUnavailable, RealKafka
from tests.support.kafka_properties import Listener

# Distinctive, so that they are found wherever they should not be.
PLAIN_USER, PLAIN_PASSWORD = "plain-user", "hush-plain-8f21"
SCRAM_USER, SCRAM_PASSWORD = "scram-user", "hush-scram-3c77"
TLS_USER, KEY_PASSWORD = "tls-user", "hush-key-5d90"

_MECHANISMS = {
    "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
    "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
}
_MODULES = "org.apache.kafka.common.security"
_ITERATIONS = 4096


@dataclass(frozen=True)
class SecureKafka:
    """The broker, its further addresses, and the files a client needs."""

    broker: RealKafka
    sasl: str
    tls: str
    sasl_tls: str
    certificates: Certificates

    def add_user(self, name: str, password: str) -> None:
        """Make a user known under both SCRAM mechanisms."""
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, "log_level": 0})
        for mechanism in _MECHANISMS.values():
            # One request each: Kafka takes a user once in a request.
            change = UserScramCredentialUpsertion(
                name, ScramCredentialInfo(mechanism, _ITERATIONS), password.encode()
            )
            admin.alter_user_scram_credentials([change])[name].result(30)

    def login(self, mechanism: str, user: str, password: str) -> dict[str, Any]:
        """Return the settings of a worker that logs in without TLS."""
        return {
            "kafka": self.sasl,
            "kafka_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": mechanism,
            "kafka_username": user,
            "kafka_password": password,
        }

    def certificate(self) -> dict[str, Any]:
        """Return the settings of a worker that shows a certificate, its key locked."""
        return {
            "kafka": self.tls,
            "kafka_protocol": "SSL",
            "kafka_ca_file": self.certificates.ca,
            "kafka_cert_file": self.certificates.client,
            "kafka_key_file": self.certificates.locked_key,
            "kafka_key_password": self.certificates.password,
        }


@contextmanager
def running_secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """Run the broker; skips where it cannot run, fails where it must."""
    certificates = make_certificates(folder / "certificates", TLS_USER, KEY_PASSWORD)
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca),
    }
    mutual = {"ssl.client.auth": "required", "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/"}
    listeners = (
        Listener("SASL", "SASL_PLAINTEXT", _sasl()),
        Listener("TLS", "SSL", {**tls, **mutual}),
        Listener("BOTH", "SASL_SSL", {**tls, **_sasl()}),
    )
    sasl, by_certificate, both = (each.address for each in listeners)
    supers = ("ANONYMOUS", PLAIN_USER, SCRAM_USER, TLS_USER)
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(f"User:{name}" for name in supers),
    }
    try:
        broker = RealKafka(listeners=listeners, properties=properties)
    except KafkaUnavailable as missing:
        if os.environ.get("CONCIERGE_REQUIRE_KAFKA") == "1":
            pytest.fail(f"CONCIERGE_REQUIRE_KAFKA=1, but {missing}")
        pytest.skip(str(missing))
    with broker:
        secure = SecureKafka(broker, sasl, by_certificate, both, certificates)
        secure.add_user(SCRAM_USER, SCRAM_PASSWORD)
        yield secure


def _sasl() -> dict[str, str]:
    plain = f'{_MODULES}.plain.PlainLoginModule required user_{PLAIN_USER}="{PLAIN_PASSWORD}";'
    scram = f"{_MODULES}.scram.ScramLoginModule required;"
    modules = {f"{name.lower()}.sasl.jaas.config": scram for name in _MECHANISMS}
    return {
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *_MECHANISMS)),
        "plain.sasl.jaas.config": plain,
        **modules,
    }
