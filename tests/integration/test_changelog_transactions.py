"""A compacted topic that a tool has copied by transactions: read to its end, or refused."""

from __future__ import annotations

from threading import Event

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.state.state_checks import ChangelogHeldBack, check_readable
from tests.support.kafka import RealKafka


@pytest.fixture
def topic(kafka: RealKafka, topic_prefix: str) -> str:
    name = f"{topic_prefix}changelog"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    new = NewTopic(name, 2, replication_factor=1, config={"cleanup.policy": "compact"})
    admin.create_topics([new])[name].result(30)
    return name


@pytest.fixture
def producer(kafka: RealKafka, topic_prefix: str) -> Producer:
    made = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": topic_prefix})
    made.init_transactions(30)
    return made


def _write(producer: Producer, topic: str, value: bytes) -> None:
    producer.begin_transaction()
    producer.produce(topic, value, b"k", 0)
    assert producer.flush(30) == 0


def test_what_was_rolled_back_is_not_read_and_its_marker_is_no_end_that_never_comes(
    kafka: RealKafka, topic: str, producer: Producer
) -> None:
    _write(producer, topic, b"committed")
    producer.commit_transaction(30)
    _write(producer, topic, b"rolled back")
    producer.abort_transaction(30)
    client = {"bootstrap.servers": kafka.bootstrap}
    found = [
        message.value()
        for messages in read_to_end(client, topic, (0, 1), Event())
        for message in messages
    ]
    assert found == [b"committed"]
    check_readable(client, topic, (0, 1))


def test_states_behind_an_open_transaction_are_missed_by_no_worker(
    kafka: RealKafka, topic: str, producer: Producer
) -> None:
    client = {"bootstrap.servers": kafka.bootstrap}
    _write(producer, topic, b"open")
    with pytest.raises(ChangelogHeldBack, match="changelog/0: an open transaction holds back 1"):
        check_readable(client, topic, (0, 1))
    check_readable(client, topic, (1,))
    producer.commit_transaction(30)
    check_readable(client, topic, (0, 1))
