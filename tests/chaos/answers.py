"""What was published since one looked last, for those who answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from schemas.records import NextBestAction
from schemas.topics import NEXT_BEST_ACTIONS
from schemas.wire import decode_action
from streams.shell.kafka.topic_reader import reader_config
from tests.integration.world import PARTITIONS, World


class Published:
    """Reads next-best-actions as they come; repeats after a crash are left out."""

    def __init__(self, client: Mapping[str, Any], world: World) -> None:
        self._topic = world.name(NEXT_BEST_ACTIONS)
        self._known: set[str] = set()
        self._consumer = Consumer({**reader_config(client), "enable.partition.eof": False})
        self._assigned = False

    def new(self) -> list[NextBestAction]:
        """Return what has come since the last call, as far as it is here; waits for nothing."""
        if not self._assigned:
            self._consumer.assign([TopicPartition(self._topic, n, 0) for n in range(PARTITIONS)])
            self._assigned = True
        found = []
        for message in self._consumer.consume(10_000, 0.0):
            if message.error() is None:
                action = decode_action(message.value() or b"")
                if action.decision_id not in self._known:
                    self._known.add(action.decision_id)
                    found.append(action)
        return found

    def close(self) -> None:
        """End the reading."""
        self._consumer.close()
