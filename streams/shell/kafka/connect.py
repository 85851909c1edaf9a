"""The first connection to the brokers; a refused login or certificate ends it with advice.

librdkafka reports a wrong password or certificate only to a callback, and retries until the
caller's timeout. Here the first such report ends the attempt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.shell.exits import ConfigExit

# Brokers that do not answer within this count as unreachable.
_TIMEOUT_S = 10.0
_ATTEMPT_S = 0.5


class LoginRefused(ConfigExit):
    """The brokers refuse our login, or we their certificate; the message says what to check."""


def connect_admin(client: Mapping[str, Any], within_s: float = _TIMEOUT_S) -> AdminClient:
    """Return an admin client whose brokers have answered it.

    Raises LoginRefused if the login or a certificate is refused, KafkaException if no broker
    answers within `within_s` seconds. Blocks.
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
            admin.list_topics(timeout=_ATTEMPT_S)
            return admin
        except KafkaException:
            # The callback runs in this call.
            admin.poll(0)
            if refusals:
                raise LoginRefused(_message(client, refusals[0])) from None
            if time.monotonic() > deadline_s:
                raise


def _message(client: Mapping[str, Any], refusal: KafkaError) -> str:
    brokers = f'CONCIERGE_KAFKA="{client["bootstrap.servers"]}"'
    # "ssl://localhost:9094/bootstrap: what happened (after 4ms in state AUTH_REQ)"
    what = refusal.str().split(": ", 1)[-1].split(" (after ")[0]
    return f"{brokers}: {what}; {_hint(refusal)}".replace("\n", " ")


def _hint(error: KafkaError) -> str:
    """Return what to check; "" if the error is not a refusal."""
    if error.code() == KafkaError._AUTHENTICATION:
        return (
            "check CONCIERGE_KAFKA_USERNAME, CONCIERGE_KAFKA_PASSWORD (or _FILE) and "
            "CONCIERGE_KAFKA_SASL_MECHANISM"
        )
    # A certificate with another name is reported as a broken connection.
    if error.code() == KafkaError._SSL or "certificate verify failed" in error.str():
        return (
            "is CONCIERGE_KAFKA_CA_FILE the CA of the brokers, and do their certificates carry the "
            "names in CONCIERGE_KAFKA (CONCIERGE_KAFKA_CHECK_HOSTNAME)?"
        )
    # A handshake that the broker ends is reported as a broken connection.
    if error.code() == KafkaError._TRANSPORT and "SSL" in error.str():
        return (
            "does this port speak TLS (CONCIERGE_KAFKA_PROTOCOL), and does it ask for a client "
            "certificate (CONCIERGE_KAFKA_CERT_FILE and _KEY_FILE)?"
        )
    return ""
