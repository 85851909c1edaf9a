"""What an operator can do about a Kafka error: one sentence for each kind of error."""

from __future__ import annotations

from confluent_kafka import KafkaError

_AWAY = (
    "are the brokers (CONCIERGE_KAFKA or --kafka) right, and reachable, and is "
    "CONCIERGE_KAFKA_PROTOCOL what they speak?"
)
_FORBIDDEN = "the user CONCIERGE_KAFKA_USERNAME lacks a permission (ACL) for this"
_NO_TOPIC = "create the topics: concierge topics --create"
_LOGIN = "check CONCIERGE_KAFKA_USERNAME and CONCIERGE_KAFKA_PASSWORD (or _FILE)"

_ADVICE = {
    KafkaError._TRANSPORT: _AWAY,
    KafkaError._ALL_BROKERS_DOWN: _AWAY,
    KafkaError._RESOLVE: _AWAY,
    KafkaError._TIMED_OUT: _AWAY,
    KafkaError._UNKNOWN_TOPIC: _NO_TOPIC,
    KafkaError._UNKNOWN_PARTITION: _NO_TOPIC,
    KafkaError.UNKNOWN_TOPIC_OR_PART: _NO_TOPIC,
    KafkaError._AUTHENTICATION: _LOGIN,
    KafkaError.SASL_AUTHENTICATION_FAILED: _LOGIN,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError.GROUP_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError.INVALID_REPLICATION_FACTOR: (
        "there are fewer brokers than copies asked for: lower CONCIERGE_REPLICATION_FACTOR"
    ),
    KafkaError.POLICY_VIOLATION: "a policy of the brokers forbids it: ask their administrator",
}
_TOO_LARGE = (
    "the topic's max.message.bytes is lower than declared: `concierge topics` shows the "
    "difference, kafka-configs --alter sets it"
)
_TOO_FEW_COPIES = (
    "fewer replicas are in sync than the topic's min.insync.replicas: bring the brokers back, or "
    "lower it"
)
_UNDELIVERED = {
    KafkaError._MSG_TIMED_OUT: (
        "no broker accepted it within CONCIERGE_DELIVERY_TIMEOUT_MS: are the brokers up, and has "
        "the topic as many in-sync replicas as its min.insync.replicas asks for?"
    ),
    KafkaError.MSG_SIZE_TOO_LARGE: _TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE: _TOO_LARGE,
    KafkaError.NOT_ENOUGH_REPLICAS: _TOO_FEW_COPIES,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND: _TOO_FEW_COPIES,
}


def advice(error: KafkaError) -> str:
    """Return "what happened; what to do", or only what happened if there is no advice."""
    return _joined(error, _ADVICE.get(error.code()))


def undelivered(topic: str, partition: int | None, error: KafkaError) -> str:
    """Return why a record was not delivered to its topic, and what to do about it."""
    what = _joined(error, _UNDELIVERED.get(error.code()) or _ADVICE.get(error.code()))
    where = topic if partition is None else f"{topic}/{partition}"
    return (
        f"the brokers did not accept a record for {where}: {what}. "
        "A restart continues from the last checkpoint"
    )


def _joined(error: KafkaError, hint: str | None) -> str:
    return f"{error.str()}; {hint}" if hint else error.str()
