"""The demo's road over the embedded broker, with a worker in memory at its other end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.bundled import bundled_schemas
from schemas.records import TIMELINE_DECODER, Tick
from schemas.topics import DECISIONS, INPUTS, NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode, encode_action, encode_decision
from streams.demo.kafka_road import KafkaRoad
from streams.demo.online_retail import Invoice, open_shipped, read_invoices
from streams.demo.simulator import Simulator
from streams.demo.story import Story
from streams.feed.send_events import Sending, producer_settings
from streams.shell.kafka.embedded import PARTITIONS_PER_TOPIC, EmbeddedBroker
from tests.support.loopback import LoopbackRoad, shop
from tests.support.patience import PATIENCE_S

DAYS = 2
PARTITIONS = range(PARTITIONS_PER_TOPIC)


class MemoryWorker:
    """Reads the input topics and the ticks to their ends, decides in memory, publishes."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._prefix = prefix
        self._loop = LoopbackRoad(shop())
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        self._consumer = Consumer(reading(bootstrap))
        self._watermarks = Consumer(reading(bootstrap))
        places = [(prefix + t.name, p) for t in (*INPUTS, TIMELINE) for p in PARTITIONS]
        self._next = dict.fromkeys(places, 0)
        self._unread: dict[str, list[bytes]] = defaultdict(list)
        self._consumer.assign([TopicPartition(*place, 0) for place in places])
        self.ticks: list[int] = []

    def close(self) -> None:
        self._consumer.close()
        self._watermarks.close()

    def arrived(self) -> None:
        events = []
        for topic in INPUTS:
            for value in self._read(topic.name):
                event = decode(topic.name, value, bundled_schemas())
                assert isinstance(event, dict)
                events.append((topic.name, event))
        events.sort(key=lambda sent: (sent[1]["occurred_at"], sent[1]["event_id"]))
        self._loop.send(events)

    def decided(self) -> None:
        ticks = [TIMELINE_DECODER.decode(value) for value in self._read("timeline")]
        assert len(ticks) == len(PARTITIONS)
        tick = ticks[0]
        assert isinstance(tick, Tick)
        self.ticks.append(tick.at_ms)
        decided = self._loop.pass_time(tick.at_ms)
        for decision in decided.decisions:
            key = decision.customer.encode()
            self._producer.produce(self._prefix + "decisions", encode_decision(decision), key)
        for action in decided.actions:
            key = action.customer.encode()
            self._producer.produce(self._prefix + "next-best-actions", encode_action(action), key)
        assert self._producer.flush(20) == 0

    def _read(self, name: str) -> list[bytes]:
        """Return the values of a topic from where we are to its present end."""
        topic = self._prefix + name
        ends = [
            self._watermarks.get_watermark_offsets(TopicPartition(topic, p), 10)[1]
            for p in PARTITIONS
        ]
        while any(self._next[topic, p] < ends[p] for p in PARTITIONS):
            for message in self._consumer.consume(1_000, 0.005):
                assert message.error() is None
                place = (message.topic() or "", message.partition() or 0)
                self._next[place] = (message.offset() or 0) + 1
                self._unread[place[0]].append(message.value() or b"")
        return self._unread.pop(topic, [])


def reading(bootstrap: str) -> dict[str, str | int]:
    # The embedded broker does not wake a waiting fetch, so the wait is the latency.
    return {"bootstrap.servers": bootstrap, "group.id": "none", "fetch.wait.max.ms": 5}


@contextmanager
def worker_at(bootstrap: str, prefix: str) -> Iterator[MemoryWorker]:
    worker = MemoryWorker(bootstrap, prefix)
    try:
        yield worker
    finally:
        worker.close()


@pytest.fixture(scope="module")
def history() -> list[Invoice]:
    with open_shipped() as file:
        return [invoice for _, invoice in zip(range(400), read_invoices(file), strict=False)]


def test_the_story_over_a_broker_equals_the_story_in_memory(
    history: list[Invoice], embedded_broker: EmbeddedBroker, topic_prefix: str
) -> None:
    in_memory = Story(Simulator(1, history), history, LoopbackRoad(shop()), shop())
    for _ in in_memory.run(DAYS):
        pass
    bootstrap = embedded_broker.bootstrap
    client = {"bootstrap.servers": bootstrap}
    producer = Producer(producer_settings(client))
    for topic in (*INPUTS, TIMELINE, NEXT_BEST_ACTIONS, DECISIONS):
        # Asking for a topic makes it on the embedded broker.
        producer.list_topics(topic.with_prefix(topic_prefix).name, timeout=PATIENCE_S)
    consumer, watermarks = Consumer(reading(bootstrap)), Consumer(reading(bootstrap))
    with worker_at(bootstrap, topic_prefix) as worker:
        sending = Sending(producer, topic_prefix)
        road = KafkaRoad(sending, consumer, watermarks, worker.arrived, worker.decided)
        over_kafka = Story(Simulator(1, history), history, road, shop())
        for _ in over_kafka.run(DAYS):
            pass
    consumer.close()
    watermarks.close()
    assert over_kafka.report.actions_published > 50
    assert over_kafka.report == in_memory.report
