"""The first word with the brokers: who is refused, or talks past them, is told why.

librdkafka tells of a wrong password or certificate only in a callback, and meanwhile tries on
until the caller's patience ends. Here the first such word ends the trying.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.shell.exits import ConfigExit

# Brokers that do not answer at all within this are not there.
_WITHIN_S = 10.0
_LOOK_S = 0.5


class LoginRefused(ConfigExit):
    """The brokers answer, and refuse us (or we do not trust them): says what to look at."""


def connect_admin(client: Mapping[str, Any], within_s: float = _WITHIN_S) -> AdminClient:
    """Return an admin client whose brokers have answered it.

    Raises LoginRefused when they refuse the login or the certificates do not fit, KafkaException
    when none answers within `within_s`. Blocks.
    """
    refusals: list[KafkaError] = []

    def note(error: KafkaError) -> None:
        if _hint(error):
            refusals.append(error)

    config: dict[str, Any] = {**client, "error_cb": note}
    admin = AdminClient(config)
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            admin.list_topics(timeout=_LOOK_S)
            return admin
        except KafkaException:
            # The callback runs in here.
            admin.poll(0)
            if refusals:
                raise LoginRefused(_sentence(client, refusals[0])) from None
            if time.monotonic() > deadline_s:
                raise


def _sentence(client: Mapping[str, Any], refusal: KafkaError) -> str:
    brokers = f'CONCIERGE_KAFKA="{client["bootstrap.servers"]}"'
    # "ssl://localhost:9094/bootstrap: what happened (after 4ms in state AUTH_REQ)"
    what = refusal.str().split(": ", 1)[-1].split(" (after ")[0]
    return f"{brokers}: {what}; {_hint(refusal)}".replace("\n", " ")


def _hint(error: KafkaError) -> str:
    """Return what to look at; empty for what is no refusal."""
    if error.code() == KafkaError._AUTHENTICATION:
        return (
            "look at CONCIERGE_KAFKA_USERNAME, CONCIERGE_KAFKA_PASSWORD (or _FILE) and "
            "CONCIERGE_KAFKA_SASL_MECHANISM"
        )
    # With a wrong name it is told as a broken connection.
    if error.code() == KafkaError._SSL or "certificate verify failed" in error.str():
        return (
            "is CONCIERGE_KAFKA_CA_FILE the CA of the brokers, and do their certificates carry the "
            "names in CONCIERGE_KAFKA (CONCIERGE_KAFKA_CHECK_HOSTNAME)?"
        )
    # A broker that ends the handshake is told as a broken connection.
    if error.code() == KafkaError._TRANSPORT and "SSL" in error.str():
        return (
            "does this port speak TLS (CONCIERGE_KAFKA_PROTOCOL), and does it ask for a client "
            "certificate (CONCIERGE_KAFKA_CERT_FILE and _KEY_FILE)?"
        )
    return ""
