"""The outbox keeps order, holds back during a checkpoint, and fails loudly."""

from __future__ import annotations

import asyncio
import threading

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka.outbox import DeliveryFailed, Outbox
from streams.shell.kafka.producers import producer_config
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.kafka_records import Write
from tests.support.kafka import RealKafka


def client(broker: EmbeddedBroker) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": broker.bootstrap, "log_level": 0}


def values(broker: EmbeddedBroker, topic: str) -> list[bytes | None]:
    batches = read_to_end(client(broker), topic, range(4), threading.Event())
    return [message.value() for messages in batches for message in messages]


def outbox(broker: EmbeddedBroker, failures: list[BaseException]) -> Outbox:
    return Outbox(producer_config(client(broker), 1.0), failures.append)


def test_records_of_a_key_arrive_in_order_with_and_without_headers(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}out"

    async def scenario() -> None:
        box = outbox(embedded_broker, [])
        for number in range(25_000):
            headers = [("h", b"1")] if number % 1_000 == 0 else None
            box.send(topic, b"key", str(number).encode(), headers=headers)
        await box.publish()
        await box.flush_and_release()
        await box.close()

    asyncio.run(scenario())
    assert values(embedded_broker, topic) == [str(number).encode() for number in range(25_000)]


def test_what_is_sent_during_a_hold_leaves_after_it(
    embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}out"

    async def scenario() -> None:
        box = outbox(embedded_broker, [])
        box.send(topic, b"k", b"before")
        await box.publish()
        box.hold()
        box.send(topic, b"k", b"after")
        await box.publish()
        await box.write([])
        assert values(embedded_broker, topic) == [b"before"]
        await box.flush_and_release()
        await box.write([Write(topic, b"k", b"last")])
        await box.close()

    asyncio.run(scenario())
    assert values(embedded_broker, topic) == [b"before", b"after", b"last"]


@pytest.mark.parametrize("headers", [None, [("h", b"1")]])
def test_a_record_that_is_too_large_fails_the_worker(
    embedded_broker: EmbeddedBroker, topic_prefix: str, headers: list[tuple[str, bytes]] | None
) -> None:
    failures: list[BaseException] = []

    async def scenario() -> None:
        box = outbox(embedded_broker, failures)
        box.send(f"{topic_prefix}out", b"k", bytes(20_000_000), headers=headers)
        with pytest.raises(DeliveryFailed, match="too large"):
            await box.publish()
        await asyncio.sleep(0)
        await box.close()

    asyncio.run(scenario())
    assert [type(failure) for failure in failures] == [DeliveryFailed]


def test_what_others_read_is_compressed_as_set_and_arrives_in_order(
    kafka: RealKafka, topic_prefix: str
) -> None:
    ours, theirs = f"{topic_prefix}ours", f"{topic_prefix}theirs"
    where: dict[str, str | int | float | bool] = {"bootstrap.servers": kafka.bootstrap}
    failures: list[BaseException] = []
    admin = AdminClient(dict(where))
    for made in admin.create_topics([NewTopic(n, 4, 1) for n in (ours, theirs)]).values():
        made.result(60)

    async def scenario() -> None:
        box = Outbox(producer_config(where, 1.0), failures.append, {theirs: "gzip"})
        for number in range(5_000):
            box.send(ours, b"key", f"{number} of ours".encode())
            box.send(theirs, b"key", f"{number} of theirs".encode())
        await box.publish()
        await box.flush_and_release()
        assert box.unacknowledged() == 0
        await box.close()

    asyncio.run(scenario())
    assert failures == []
    assert kafka.compressions(ours) == {"lz4"}
    assert kafka.compressions(theirs) == {"gzip"}
    for topic, whose in ((ours, "ours"), (theirs, "theirs")):
        batches = read_to_end(where, topic, range(4), threading.Event())
        read = [message.value() for messages in batches for message in messages]
        assert read == [f"{number} of {whose}".encode() for number in range(5_000)]
