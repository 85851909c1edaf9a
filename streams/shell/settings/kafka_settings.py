"""Settings of the brokers: where they are, how to log in, names and times of the clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from streams.shell.settings.fields import setting

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
CODECS = ("gzip", "zstd", "lz4", "snappy", "none")
DEFAULT_APP_ID = "concierge"

# What Kafka allows in the name of a topic, and of a static member of a group.
_NAME = re.compile(r"[A-Za-z0-9._-]*")
_ALLOWED = "letters, digits, dot, dash and underscore"
# Kafka allows 249 characters, and our longest name adds 28 to the app id.
_LONGEST_NAME = 200
_PORTS = range(1, 65_536)


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """A part of `Settings`, which checks each value by itself."""

    bootstrap: str = setting(
        "127.0.0.1:9092", "Kafka brokers to start from, host:port separated by commas.", env="KAFKA"
    )
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
    app_id: str = setting(
        "concierge", "Prefix of the consumer groups: <app id>-intake, -decide and -learn."
    )
    topic_prefix: str = setting("", "Put in front of every topic name, for example `staging.`.")
    replication_factor: int = setting(
        1, "Copies of each topic when `concierge topics --create` makes it.", minimum=1, maximum=9
    )
    instance_id: str = setting(
        "",
        "Unique name of this worker that survives its restart (static membership): partitions "
        "come back to it without a rebalance. Of two workers with one name the first ends (exit "
        "code 78). Empty: none.",
    )
    session_timeout_ms: int = setting(
        30_000,
        "A worker silent for this long loses its partitions; above CONCIERGE_DELIVERY_TIMEOUT_MS.",
        unit="ms",
        minimum=6_000,
        maximum=300_000,
    )
    delivery_timeout_ms: int = setting(
        20_000,
        "A record that the brokers have not accepted for this long ends the worker (exit code 70, "
        "nothing further committed): the longest restart of a broker that a worker survives.",
        unit="ms",
        minimum=1_000,
        maximum=600_000,
    )
    compression: str = setting(
        "gzip",
        "How next-best-actions and dead letters are compressed. Every client reads `gzip`; kafkajs "
        "(Node) reads the others only with a codec added.",
        choices=CODECS,
    )
    decisions_compression: str = setting(
        "lz4",
        "How decisions are compressed, which are ten times the bytes of next-best-actions: `gzip` "
        "costs decide a fifth of its speed, and a client that reads no `lz4` needs it.",
        choices=CODECS,
    )
    fetch_max_wait_ms: int = setting(
        10,
        "How long a broker may wait to fill a fetch: lower is faster, higher costs less.",
        unit="ms",
        minimum=1,
        maximum=1_000,
    )


def kafka_problems(settings: KafkaSettings) -> Iterator[str]:
    """Yield what is wrong between these settings: the variable, and what to do about it."""
    yield from _brokers(settings)
    yield from _names(settings)
    yield from _login(settings)
    yield from _certificates(settings)


def _brokers(settings: KafkaSettings) -> Iterator[str]:
    if not settings.bootstrap.strip():
        yield 'CONCIERGE_KAFKA="": name at least one broker, host:port'
        return
    for address in settings.bootstrap.split(","):
        host, _, port = address.rpartition(":")
        # An IPv6 address needs brackets; otherwise its last group would be read as the port.
        fits = re.fullmatch(r"\[[0-9A-Fa-f:.%]+\]|[^\s:/@\[\]]+", host)
        if not (fits and port.isascii() and port.isdigit() and int(port) in _PORTS):
            yield (
                f'CONCIERGE_KAFKA: "{address}" is not a broker\'s address: write host:port, '
                "several separated by commas without spaces, for example broker1:9092,broker2:9092"
            )


def _names(settings: KafkaSettings) -> Iterator[str]:
    for variable, name in (
        ("CONCIERGE_APP_ID", settings.app_id),
        ("CONCIERGE_TOPIC_PREFIX", settings.topic_prefix),
        ("CONCIERGE_INSTANCE_ID", settings.instance_id),
    ):
        if not _NAME.fullmatch(name):
            yield f'{variable}="{name}" cannot be part of a name in Kafka: use {_ALLOWED} only'
        if len(name) > _LONGEST_NAME:
            yield f"{variable} has {len(name)} characters: use at most {_LONGEST_NAME}"
    if not settings.app_id:
        yield 'CONCIERGE_APP_ID="": groups and the changelog need a name, for example concierge'
    if settings.topic_prefix and settings.app_id == DEFAULT_APP_ID:
        yield (
            f'CONCIERGE_TOPIC_PREFIX="{settings.topic_prefix}" separates the topics, but groups '
            "and the changelog are named by the app id: set CONCIERGE_APP_ID too"
        )


def _login(settings: KafkaSettings) -> Iterator[str]:
    protocol = settings.kafka_protocol
    has_login = bool(settings.kafka_username or settings.kafka_password)
    if protocol.startswith("SASL"):
        if not (settings.kafka_username and settings.kafka_password):
            yield (
                f'CONCIERGE_KAFKA_PROTOCOL="{protocol}" needs '
                "CONCIERGE_KAFKA_USERNAME and CONCIERGE_KAFKA_PASSWORD (or _FILE)"
            )
    elif has_login:
        yield (
            f'CONCIERGE_KAFKA_PROTOCOL="{protocol}" sends no login, but CONCIERGE_KAFKA_USERNAME '
            "or CONCIERGE_KAFKA_PASSWORD is set: choose SASL_SSL, or unset them"
        )


def _certificates(settings: KafkaSettings) -> Iterator[str]:
    files = (settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file)
    if any(files) and not settings.kafka_protocol.endswith("SSL"):
        yield (
            f'CONCIERGE_KAFKA_PROTOCOL="{settings.kafka_protocol}" is not encrypted, but '
            "CONCIERGE_KAFKA_CA_FILE, _CERT_FILE or _KEY_FILE is set: choose SSL or SASL_SSL, or "
            "unset them"
        )
    if bool(settings.kafka_cert_file) != bool(settings.kafka_key_file):
        yield "CONCIERGE_KAFKA_CERT_FILE and CONCIERGE_KAFKA_KEY_FILE belong together: set both"
    if settings.kafka_key_password and not settings.kafka_key_file:
        yield (
            "CONCIERGE_KAFKA_KEY_PASSWORD is set without a CONCIERGE_KAFKA_KEY_FILE that it could "
            "decrypt: name the file, or unset the password"
        )
