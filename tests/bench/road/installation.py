"""A whole installation of Concierge on the benchmark's broker: topics, workers, progress."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from schemas.records import ENCODER, Tick
from schemas.topics import (
    DECISIONS,
    INPUTS,
    LESSONS,
    NEXT_BEST_ACTIONS,
    TIMELINE,
    Topic,
    all_topics,
)
from streams.demo.worker_process import as_text
from streams.shell.kafka.topic_admin import create_topics
from tests.bench.broker import PARTITIONS, Cluster, bulk_producer, produce
from tests.bench.process import Measured, ProcessEnded

READS: Mapping[str, Sequence[Topic]] = {
    "intake": INPUTS,
    "decide": (TIMELINE,),
    "learn": (LESSONS,),
}
_READY_WITHIN_S = 180.0
# Stamped by the broker, so that what a reader does is not in the latency.
_STAMPED = (DECISIONS.name, NEXT_BEST_ACTIONS.name)


class Installation:
    """Topics under a prefix and the settings of their workers; defaults but for what is named."""

    def __init__(self, cluster: Cluster, prefix: str, catalogue: Path, **settings: Any) -> None:
        self.cluster = cluster
        self.prefix = prefix
        self.app_id = prefix.rstrip(".")
        self.settings = {
            "kafka": cluster.bootstrap,
            "app_id": self.app_id,
            "topic_prefix": prefix,
            "catalogue_path": catalogue,
            **settings,
        }
        self._ticks = bulk_producer({**cluster.client, "linger.ms": 1})
        topics = [
            replace(topic, stamped_on_arrival=True)
            if topic.name.removeprefix(prefix) in _STAMPED
            else topic
            for topic in all_topics(self.app_id, prefix)
        ]
        create_topics(AdminClient(dict(cluster.client)), topics, replication_factor=1)

    def name(self, topic: Topic) -> str:
        """Return what a declared topic is called here."""
        return topic.with_prefix(self.prefix).name

    def fill(self, records: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Write (declared topic, key, value) in order, acknowledged."""
        producer = bulk_producer(self.cluster.client)
        for topic, key, value in records:
            produce(producer, self.prefix + topic, key, value)
        if producer.flush(120):
            raise TimeoutError("the input was not acknowledged")

    def tick(self, at_ms: int) -> None:
        """Write the time to every partition of the timeline."""
        for partition in range(PARTITIONS):
            produce(self._ticks, self.name(TIMELINE), None, ENCODER.encode(Tick(at_ms)), partition)
        self._ticks.flush(30)

    def ends(self, role: str) -> dict[str, int]:
        """Return the offset after the last record of all a role reads, by "topic/partition"."""
        return {
            f"{name}/{number}": end
            for name in map(self.name, READS[role])
            for number, end in enumerate(self.cluster.ends(name))
        }

    def committed(self, role: str) -> int:
        """Return how many records a role's group has committed."""
        group = f"{self.app_id}-{role}"
        return sum(self.cluster.committed(group, self.name(topic)) for topic in READS[role])

    def worker(self, **settings: Any) -> RoadWorker:
        """Start a worker; it need not be ready."""
        return RoadWorker({**self.settings, **settings})

    def await_shared(self, workers: Sequence[RoadWorker]) -> None:
        """Wait until every worker has its part of what each role reads, and nobody has too much."""
        deadline_s = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline_s:
            told = [worker.roles() for worker in workers]
            shares = [
                len(roles[role]["partitions"]) if role in roles else -1
                for roles in told
                for role in ("intake", "decide")
            ]
            whole = (sum(len(READS[role]) for role in ("intake", "decide"))) * PARTITIONS
            if min(shares) > 0 and sum(shares) == whole:
                return
            time.sleep(0.2)
        raise ProcessEnded(f"the workers did not share the partitions: {workers[0].tail()}")


class RoadWorker(Measured):
    """`concierge worker` as a measured process, asked over its pages."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._port = _free_port()
        environ = as_text({**settings, "http_port": self._port})
        super().__init__([sys.executable, "-m", "streams", "worker"], environ)
        self._pages: http.client.HTTPConnection | None = None

    def await_ready(self) -> None:
        """Wait until every role has its partitions and its state."""
        deadline_s = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline_s:
            self.check()
            try:
                if json.loads(self.page("/readyz"))["status"] == "ok":
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise ProcessEnded(f"not ready in {_READY_WITHIN_S:.0f} s: {self.tail()}")

    def roles(self) -> dict[str, Any]:
        """Return what the worker tells of its roles; nothing while it does not answer yet."""
        self.check()
        try:
            found: dict[str, Any] = json.loads(self.page("/healthz"))["roles"]
        except OSError:
            return {}
        return found

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's series that carry the labels."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.page("/metrics"))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def page(self, path: str) -> str:
        """Return a page; raises OSError while nobody answers."""
        if self._pages is None:
            self._pages = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            self._pages.request("GET", path)
            return self._pages.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._pages = None
            raise ConnectionError(str(error)) from error


def behind(roles: Mapping[str, Any], role: str, ends: Mapping[str, int]) -> bool:
    """Return whether a role has still to read, or has outputs that are not acknowledged."""
    if role not in roles:
        return True
    at = roles[role]["partitions"]
    unread = any(at.get(p, {}).get("position", -1) < end for p, end in ends.items() if end)
    return unread or roles[role]["unacknowledged"] > 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
