"""Checks before recovered state is used: complete, in its partition, and readable by this release.

Each function raises an error that ends the worker and says what an operator has to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.core.state.codec import PARTITION_KEY, check_schema_version
from streams.shell.exits import ConfigExit, WorkerExit
from streams.shell.kafka.embedded import EMBEDDED_CLUSTER_PREFIX
from streams.shell.kafka.partition_ends import ask_ends
from streams.shell.kafka.producers import partition_of_key
from streams.shell.kafka.topic_reader import BROKER_TIMEOUT_S, reader_config
from streams.shell.kafka_records import Partition

# Of each partition: when a topic is widened at least a third of the customers move.
_LOOKED_AT = 100


class StateMisplaced(ConfigExit):
    """Customers' states lie in other partitions than their records."""


class ChangelogCut(ConfigExit):
    """Records were deleted from the changelog, and with them customers' states."""


class ChangelogHeldBack(WorkerExit):
    """An open transaction hides the newest records of the changelog."""


def check_whole(client: Mapping[str, Any], changelog: str, partitions: Sequence[int]) -> None:
    """Raise `ChangelogCut` if the changelog does not begin at its beginning.

    Compaction leaves the first offset at 0; only deleting moves it. Raises `ChangelogHeldBack` if
    it cannot be read to its end. Blocks.
    """
    consumer = Consumer(reader_config(client))
    try:
        # The embedded broker drops the oldest records of any topic: it promises no more.
        cluster: object = consumer.list_topics(changelog, timeout=BROKER_TIMEOUT_S).cluster_id
        if isinstance(cluster, str) and cluster.startswith(EMBEDDED_CLUSTER_PREFIX):
            return
        for number in partitions:
            topic_partition = TopicPartition(changelog, number)
            bounds = consumer.get_watermark_offsets(topic_partition, timeout=BROKER_TIMEOUT_S)
            if bounds is not None and bounds[0] > 0:
                raise ChangelogCut(
                    f"{changelog}/{number} begins at offset {bounds[0]}: records were deleted from "
                    "it, and customers' states with them. Its cleanup.policy must be compact "
                    "alone. Restore the topic; or delete it, create it (concierge topics "
                    "--create) and build the states again from the timeline"
                )
        check_readable(client, changelog, partitions)
    finally:
        consumer.close()


def check_readable(client: Mapping[str, Any], changelog: str, partitions: Sequence[int]) -> None:
    """Raise `ChangelogHeldBack` if records are held back by an open transaction. Blocks.

    Decide itself writes without transactions; a tool that copied the topic may have left one open.
    """
    topic_partitions = [Partition(changelog, number) for number in partitions]
    ends, _ = ask_ends(AdminClient(dict(client)), topic_partitions, BROKER_TIMEOUT_S)
    for topic_partition, end in ends.items():
        if end.held_back:
            raise ChangelogHeldBack(
                f"{topic_partition.topic}/{topic_partition.partition}: an open transaction holds "
                f"back {end.held_back} records from offset {end.readable} on, and the newest "
                "states of customers may be among them. Only the role decide should write there: "
                "find what else does with kafka-transactions.sh find-hanging, and abort the "
                "transaction"
            )


def check_states(states: Mapping[int, Mapping[str, bytes]], width: int) -> None:
    """Raise if this release cannot read a state, or if the timeline was not `width` wide before.

    Raises `StateError` for a newer schema version and `StateMisplaced` for states whose customers'
    records go to another partition today.
    """
    for number, found in states.items():
        for key, data in found.items():
            if key != PARTITION_KEY:
                check_schema_version(data)
        customers = islice((key for key in found if key != PARTITION_KEY), _LOOKED_AT)
        if any(partition_of_key(each.encode(), width) != number for each in customers):
            raise StateMisplaced(
                f"partition {number} holds states of customers whose records go to other "
                f"partitions today: the timeline has {width} partitions now and had another "
                "number when they were written. A used timeline must not be widened. Restore "
                "both topics, or begin under a new CONCIERGE_APP_ID and CONCIERGE_TOPIC_PREFIX"
            )
