"""Input written by transactions, a third of them rolled back: exact, wherever a fetch ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition

from streams.shell.process.serve import EXIT_OK
from tests.integration.counting_worker import input_topic
from tests.integration.shell_world import PARTITIONS, ShellWorld
from tests.support.kafka import RealKafka
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.long

_TRANSACTIONS = 150
# Of more records than the worker takes from a fetch (500), and of few.
_LENGTHS = (3, 40, 900)


class _TransactionalWorld(ShellWorld):
    """`fed` counts offsets, markers and rolled-back records included: all are to be committed."""

    def __init__(self, kafka: RealKafka, prefix: str) -> None:
        super().__init__(kafka.bootstrap, prefix, creates_topics=True)
        self._writer = Producer({**self._client, "transactional.id": prefix, "linger.ms": 5})
        self._writer.init_transactions(PATIENCE_S)
        self._written = 0

    def feed_by_transactions(self, transactions: int) -> None:
        for number in range(transactions):
            self._writer.begin_transaction()
            for _ in range(_LENGTHS[number % len(_LENGTHS)]):
                key, value = f"c{self._random.randrange(300)}", str(self._written).encode()
                self._writer.produce(input_topic(self.prefix), value, key)
                self._writer.poll(0)
                self._written += 1
            # A broker refuses to end a transaction that it has not heard of.
            assert self._writer.flush(PATIENCE_S) == 0
            if self._random.random() < 1 / 3:
                self._writer.abort_transaction(PATIENCE_S)
            else:
                self._writer.commit_transaction(PATIENCE_S)
        places = [TopicPartition(input_topic(self.prefix), n) for n in range(PARTITIONS)]
        ends = [self._group.get_watermark_offsets(place, PATIENCE_S) for place in places]
        self.fed = sum(end[1] for end in ends)


@pytest.fixture
def world(kafka: RealKafka, topic_prefix: str) -> Iterator[_TransactionalWorld]:
    made = _TransactionalWorld(kafka, topic_prefix)
    yield made
    made.close()


def test_a_worker_killed_among_markers_and_rolled_back_records_loses_and_doubles_nothing(
    world: _TransactionalWorld,
) -> None:
    world.feed_by_transactions(_TRANSACTIONS)
    worker = world.start()
    world.await_committed(world.fed // 4)
    worker.kill()
    worker.wait()
    world.feed_by_transactions(6)
    follower = world.start()
    world.await_committed(world.fed)
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(PATIENCE_S) == EXIT_OK
    world.check()
    counted = sum(count.seen for count in world.states().values())
    assert 0 < counted < world._written
