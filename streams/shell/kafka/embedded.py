"""A Kafka broker inside this process, for the demo and the tests: librdkafka's mock cluster.

It speaks the real protocol on a loopback port, so other processes and other clients can use it. It
has limits: topics are created on first use, always with `PARTITIONS_PER_TOPIC` partitions. There is
no CreateTopics, no DescribeConfigs, no compaction and no persistence. A partition keeps its newest
5 MiB or 100,000 records and silently drops older ones, so a feed must not get further ahead of a
worker than that. Tests on it say nothing about durability.
"""

from __future__ import annotations

from types import TracebackType

from confluent_kafka import Producer

# librdkafka's own default; there is no setting for it.
PARTITIONS_PER_TOPIC = 4

# By this prefix of the cluster id a client recognizes such a broker.
EMBEDDED_CLUSTER_PREFIX = "mockCluster"

_START_TIMEOUT_S = 10.0


class EmbeddedBroker:
    """Run one mock broker while the object is entered (or between `start` and `stop`).

    The broker runs in threads of librdkafka and ends with this process at the latest.
    """

    def __init__(self) -> None:
        self._owner: Producer | None = None
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        """Return `host:port` for clients; RuntimeError when the broker is not running."""
        if self._owner is None:
            raise RuntimeError("the embedded broker is not running; call start() first")
        return self._bootstrap

    def start(self) -> EmbeddedBroker:
        """Start the broker on a free loopback port, unless it runs already."""
        if self._owner is None:
            owner = Producer(
                {
                    "bootstrap.servers": "replaced.by.the.mock.cluster",
                    "test.mock.num.brokers": 1,
                    # librdkafka would log that the mock cluster is enabled.
                    "log_level": 0,
                }
            )
            brokers = owner.list_topics(timeout=_START_TIMEOUT_S).brokers
            address = next(iter(brokers.values()))
            self._bootstrap = f"{address.host}:{address.port}"
            self._owner = owner
        return self

    def stop(self) -> None:
        """End the broker; its topics and their records are gone."""
        # Dropping the last reference destroys the client, and the cluster with it.
        self._owner = None

    def __enter__(self) -> EmbeddedBroker:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
