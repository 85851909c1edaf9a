"""Both brokers do what the code above them counts on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.shell.kafka.embedded import PARTITIONS_PER_TOPIC, EmbeddedBroker
from tests.support.kafka import RealKafka
from tests.support.patience import PATIENCE_S


def _round_trip(bootstrap: str, topic: str) -> bytes | None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    producer.produce(topic, b"a value", key=b"a key")
    assert producer.flush(30) == 0
    return _first_value(bootstrap, topic)


def _first_value(bootstrap: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "no group, assigned by hand"})
    try:
        partitions = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        return _value(consumer.poll(30))
    finally:
        consumer.close()


def _value(message: Message[bytes, bytes] | None) -> bytes | None:
    assert message is not None
    assert message.error() is None
    return message.value()


def test_the_embedded_broker_carries_a_record(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    assert _round_trip(embedded_broker.bootstrap, topic_prefix + "x") == b"a value"


def test_the_embedded_broker_makes_topics_with_its_fixed_number_of_partitions(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    topic = topic_prefix + "x"
    _round_trip(embedded_broker.bootstrap, topic)
    admin = AdminClient({"bootstrap.servers": embedded_broker.bootstrap})
    assert (
        len(admin.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions)
        == PARTITIONS_PER_TOPIC
    )


def test_a_group_on_the_embedded_broker_keeps_its_place(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    topic = topic_prefix + "x"
    _round_trip(embedded_broker.bootstrap, topic)
    group = {
        "bootstrap.servers": embedded_broker.bootstrap,
        "group.id": topic_prefix + "group",
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(group)
    consumer.subscribe([topic])
    message = consumer.poll(30)
    assert _value(message) == b"a value"
    assert message is not None
    [committed] = consumer.commit(message=message, asynchronous=False)
    consumer.close()
    place = [TopicPartition(topic, committed.partition)]
    [kept] = Consumer(group).committed(place, timeout=PATIENCE_S)
    assert kept.offset == committed.offset == 1


def test_another_process_can_use_the_embedded_broker(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    produce = (
        "import sys; from confluent_kafka import Producer;"
        "p = Producer({'bootstrap.servers': sys.argv[1]});"
        "p.produce(sys.argv[2], b'from outside'); sys.exit(p.flush(30))"
    )
    topic = topic_prefix + "x"
    arguments = [sys.executable, "-c", produce, embedded_broker.bootstrap, topic]
    subprocess.run(arguments, check=True, timeout=PATIENCE_S)
    assert _first_value(embedded_broker.bootstrap, topic) == b"from outside"


def test_a_stopped_embedded_broker_names_no_address() -> None:
    broker = EmbeddedBroker().start()
    broker.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = broker.bootstrap


def test_a_real_kafka_carries_a_record(kafka: RealKafka, topic_prefix: str) -> None:
    topic = topic_prefix + "x"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 4, 1)])[topic].result(30)
    assert _round_trip(kafka.bootstrap, topic) == b"a value"


@pytest.mark.usefixtures("kafka")
def test_a_real_kafka_keeps_its_records_over_a_crash() -> None:
    topic = "x"
    with RealKafka() as own:
        admin = AdminClient({"bootstrap.servers": own.bootstrap})
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        producer = Producer({"bootstrap.servers": own.bootstrap})
        producer.produce(topic, b"still here")
        assert producer.flush(30) == 0
        own.kill()
        own.start()
        assert _first_value(own.bootstrap, topic) == b"still here"
