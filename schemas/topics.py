"""Every topic, declared once: its name, key, limits, owner and meaning.

Tools that create, check or document topics read this table; nothing else spells a topic's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

DAY_MS = 24 * 60 * 60 * 1000
KIB = 1024
MIB = 1024 * KIB

# Four, because the embedded broker creates topics with four and offers no knob.
DEFAULT_PARTITIONS = 4
# What Kafka itself allows by default (1 MiB plus the overhead of a batch).
KAFKA_DEFAULT_MAX_BYTES = 1_048_588

Cleanup = Literal["delete", "compact"]
Format = Literal["avro", "messagepack", "yaml", "verbatim"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    `key` describes the record's key. `retention_ms` is None where only compaction removes records.
    `schema` names a file in `schemas/avro` for Avro topics, else None. `owner` writes it and
    answers for its content.
    """

    name: str
    key: str
    value_format: Format
    owner: str
    meaning: str
    schema: str | None = None
    partitions: int = DEFAULT_PARTITIONS
    cleanup: Cleanup = "delete"
    retention_ms: int | None = None
    max_message_bytes: int = KAFKA_DEFAULT_MAX_BYTES
    # The broker's own clock on arrival: a producer's wrong clock, or a feed of old events, can
    # then neither expire records early nor spoil the latency that is measured from arrival.
    stamped_on_arrival: bool = False
    # Whether a busier installation gives it more partitions (`concierge topics --partitions`). The
    # others carry a few records a minute, whatever the traffic.
    grows_with_traffic: bool = False
    # Whether reading goes on, loudly, behind records that retention removed before they were read.
    # Not where they may hold a customer's no: a lost no must not become a contact.
    may_be_missed: bool = False
    # Whether programs that are not ours read it: it is compressed as the settings say.
    for_others: bool = False

    def with_prefix(self, prefix: str) -> Topic:
        """Return the topic as it is called where names carry `prefix`."""
        return replace(self, name=prefix + self.name)

    def kafka_config(self) -> dict[str, str]:
        """Return the topic's configuration in Kafka's own keys and units."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": "-1" if self.retention_ms is None else str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.stamped_on_arrival else "CreateTime",
        }


def _input(name: str, meaning: str, may_be_missed: bool = False) -> Topic:
    return Topic(
        name=name,
        key="any: not read, it need not even be UTF-8",
        value_format="avro",
        schema=name,
        owner="the systems of the business",
        meaning=meaning,
        # A week, so that a worker that was down over a long weekend loses nothing.
        retention_ms=7 * DAY_MS,
        stamped_on_arrival=True,
        grows_with_traffic=True,
        may_be_missed=may_be_missed,
    )


CLICKSTREAM = _input(
    "clickstream", "What customers look at, search for and put into their carts.", True
)
PURCHASES = _input("purchases", "Orders, refunds, returns and subscription changes.", True)
SUPPORT = _input("support", "The life of support tickets, without free text.", True)
PROFILE = _input("profile", "What customers tell about themselves, including consent.")
OUTCOMES = _input("outcomes", "What became of published actions.")

TIMELINE = Topic(
    name="timeline",
    key="customer id; none for ticks and switches, which go to every partition",
    value_format="messagepack",
    owner="intake and the clock",
    meaning="One ordered log per customer: events, ticks of the clock and version switches.",
    # Longer than any attribution window, so that every open decision can be replayed.
    retention_ms=30 * DAY_MS,
    grows_with_traffic=True,
)
NEXT_BEST_ACTIONS = Topic(
    name="next-best-actions",
    key="customer id",
    value_format="avro",
    schema="next-best-actions",
    owner="decide",
    meaning="What a channel should do now for one customer.",
    retention_ms=7 * DAY_MS,
    for_others=True,
    grows_with_traffic=True,
)
DECISIONS = Topic(
    name="decisions",
    key="customer id",
    value_format="avro",
    schema="decisions",
    owner="decide",
    meaning="The whole funnel of every decision, for audit, replay and evaluation.",
    # A quarter of history to evaluate a changed rule or model on.
    retention_ms=90 * DAY_MS,
    for_others=True,
    grows_with_traffic=True,
)
LESSONS = Topic(
    name="lessons",
    key="model name",
    value_format="messagepack",
    owner="decide",
    meaning="Settled decisions: the features as they were, and the label.",
    # As long as the decisions that they are joined with.
    retention_ms=90 * DAY_MS,
    may_be_missed=True,
)
MODEL_SNAPSHOTS = Topic(
    name="model-snapshots",
    key="model@version; old versions get a tombstone",
    value_format="messagepack",
    owner="learn",
    meaning="Models as plain arrays, with the next lesson offset.",
    cleanup="compact",
    # About 100 bytes per weight: room for a thousand actions of 40 features.
    max_message_bytes=8 * MIB,
)
CATALOGUES = Topic(
    name="catalogues",
    key="version (content hash)",
    value_format="yaml",
    owner="the clock's leader, from the catalogue file",
    meaning="Every catalogue version that came into use, as its text.",
    cleanup="compact",
    max_message_bytes=4 * MIB,
)
DEAD_LETTERS = Topic(
    name="dead-letters",
    key="verbatim from the refused record",
    value_format="verbatim",
    owner="intake",
    meaning="Refused input, verbatim, with headers that say where, why and when.",
    retention_ms=30 * DAY_MS,
    # A refused record may be the largest its own topic takes, and gets headers on top.
    max_message_bytes=2 * MIB,
    for_others=True,
)

INPUTS = (CLICKSTREAM, PURCHASES, SUPPORT, PROFILE, OUTCOMES)
TOPICS = (
    *INPUTS,
    TIMELINE,
    NEXT_BEST_ACTIONS,
    DECISIONS,
    LESSONS,
    MODEL_SNAPSHOTS,
    CATALOGUES,
    DEAD_LETTERS,
)

# What a producer must be allowed to send, so that no declared topic's limit is out of reach
# (librdkafka stops at 1,000,000 bytes unless told otherwise).
PRODUCER_MAX_MESSAGE_BYTES = max(topic.max_message_bytes for topic in TOPICS)


def customers_changelog(app_id: str, partitions: int = DEFAULT_PARTITIONS) -> Topic:
    """Return the changelog of the customers table of the application `app_id`.

    It must have as many partitions as the timeline.
    """
    return Topic(
        name=f"{app_id}-decide-customers-changelog",
        key="customer id, as on the timeline",
        value_format="messagepack",
        owner="decide",
        meaning="The newest state of each customer, written at each checkpoint.",
        partitions=partitions,
        cleanup="compact",
        grows_with_traffic=True,
    )


def all_topics(
    app_id: str, prefix: str = "", partitions: int = DEFAULT_PARTITIONS
) -> tuple[Topic, ...]:
    """Return every topic an installation needs, named with `prefix`, the changelog last.

    The changelog carries the application's id instead of the prefix, as Faust names it.
    `partitions` is for the topics that grow with traffic.
    """
    named = (*(topic.with_prefix(prefix) for topic in TOPICS), customers_changelog(app_id))
    return as_wide_as(named, partitions)


def as_wide_as(topics: Sequence[Topic], partitions: int) -> tuple[Topic, ...]:
    """Return the topics, those that grow with traffic with so many partitions."""
    return tuple(
        replace(topic, partitions=partitions) if topic.grows_with_traffic else topic
        for topic in topics
    )
