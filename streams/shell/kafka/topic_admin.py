"""Create the declared topics where they are missing, and say how existing ones differ."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # ConfigResource, unexported
    AdminClient,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from schemas.topics import Topic, customers_changelog
from streams.shell.exits import ConfigExit
from streams.shell.kafka.connect import connect_admin
from streams.shell.kafka.embedded import EMBEDDED_CLUSTER_PREFIX
from streams.shell.kafka.topic_width import as_wide_as_the_timeline, is_timeline

Verdict = Literal["ok", "created", "differs", "wrong", "missing"]

_TIMEOUT_S = 30.0
# Brokers that do not answer the first request within this count as unreachable.
_FIRST_ANSWER_TIMEOUT_S = 10.0
_POLL_INTERVAL_S = 0.05
_CREATE = "concierge topics --create"
_STAMPED = "message.timestamp.type"
_CHANGELOG_SUFFIX = customers_changelog("").name


@dataclass(frozen=True)
class TopicReport:
    """The result of checking (or creating) one topic.

    With "differs" a worker runs, with the consequence in `detail`; with "wrong" or "missing" it
    does not. If a topic is `stamped_by_producers`, against its declaration, a record arrives when
    intake first reads it.
    """

    topic: str
    verdict: Verdict
    detail: str = ""
    stamped_by_producers: bool = False

    @property
    def usable(self) -> bool:
        """Return whether a worker may run with the topic as it is."""
        return self.verdict in ("ok", "created", "differs")


class TopicsNotReady(ConfigExit):
    """Topics are missing, or their configuration does not allow a worker to run."""


def partitions_of(client: Mapping[str, Any], topic: str) -> list[int]:
    """Return the numbers of a topic's partitions.

    Raises KafkaException when there is no such topic, LoginRefused where the brokers refuse us.
    """
    metadata = connect_admin(client).list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    return sorted(metadata.partitions)


def check_topics(admin: AdminClient, topics: Sequence[Topic]) -> list[TopicReport]:
    """Compare the brokers' topics with the declared ones, in the declared order.

    Raises KafkaException when no broker answers.
    """
    found = partition_counts(admin)
    topics = as_wide_as_the_timeline(topics, found)
    there = [topic.name for topic in topics if topic.name in found]
    configs = {} if _is_embedded(admin) else _configs(admin, there)
    timelines = [found.get(each.name) for each in topics if is_timeline(each)]
    reports = []
    for topic in topics:
        partitions = found.get(topic.name)
        if partitions is None:
            detail = "does not exist, or this user may not see it (ACL); create it: " + _CREATE
            reports.append(TopicReport(topic.name, "missing", detail))
        elif topic.name.endswith(_CHANGELOG_SUFFIX) and timelines not in ([], [partitions]):
            # A customer's state is in the changelog partition with the timeline partition's number.
            detail = _unequal(topic.name, partitions, timelines[0])
            reports.append(TopicReport(topic.name, "wrong", detail))
        else:
            reports.append(_compare(topic, partitions, configs.get(topic.name)))
    return reports


def create_topics(
    admin: AdminClient, topics: Sequence[Topic], replication_factor: int
) -> list[TopicReport]:
    """Create the topics that are missing, then report on all of them.

    If the timeline exists, topics that grow with traffic get as many partitions as it has. The
    embedded broker has no CreateTopics: it creates a topic on its first metadata request. Raises
    KafkaException if a topic cannot be created, TimeoutError if the brokers do not list it in time.
    """
    found = partition_counts(admin)
    topics = as_wide_as_the_timeline(topics, found)
    absent = [topic for topic in topics if topic.name not in found]
    created = _create(admin, absent, replication_factor) if absent else set()
    return [
        TopicReport(report.topic, "created", report.detail)
        if report.topic in created and report.usable
        else report
        for report in check_topics(admin, topics)
    ]


def _create(admin: AdminClient, topics: Sequence[Topic], replication_factor: int) -> set[str]:
    names = {topic.name for topic in topics}
    if _is_embedded(admin):
        for topic in topics:
            admin.list_topics(topic.name, timeout=_TIMEOUT_S)
        return names
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=replication_factor,
            config=topic.kafka_config(),
        )
        for topic in topics
    ]
    created = set()
    for name, future in admin.create_topics(wanted, request_timeout=_TIMEOUT_S).items():
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as error:
            # Another process, such as a second worker of the deployment, created it first.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            created.add(name)
    _await_visible(admin, names)
    return created


def _await_visible(admin: AdminClient, names: set[str]) -> None:
    # The controller has created them; the other brokers learn of it a moment later.
    deadline = time.monotonic() + _TIMEOUT_S
    while not names <= partition_counts(admin).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"created, but not listed by the brokers: {sorted(names)}")
        time.sleep(_POLL_INTERVAL_S)


def _is_embedded(admin: AdminClient) -> bool:
    # The embedded broker does not answer unknown requests, so they must not be sent.
    cluster: object = admin.list_topics(timeout=_TIMEOUT_S).cluster_id
    return isinstance(cluster, str) and cluster.startswith(EMBEDDED_CLUSTER_PREFIX)


def partition_counts(admin: AdminClient) -> dict[str, int]:
    """Return the number of partitions by topic; KafkaException if no broker answers."""
    topics = admin.list_topics(timeout=_FIRST_ANSWER_TIMEOUT_S).topics
    return {name: len(found.partitions) for name, found in topics.items()}


def _configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    asked = admin.describe_configs(resources, request_timeout=_TIMEOUT_S)
    return {
        resource.name: {name: entry.value for name, entry in future.result(_TIMEOUT_S).items()}
        for resource, future in asked.items()
    }


def _unequal(changelog: str, partitions: int, timeline: int | None) -> str:
    return (
        f"{partitions} partitions, but the timeline has {timeline}, and it must have as many. If "
        f"no worker has used it: kafka-topics --delete --topic {changelog}, then {_CREATE}. If it "
        f"holds states, the timeline was widened, which separates customers from their states: "
        f"create the timeline with {partitions} again"
    )


def _stamped_by_producers(topic: str) -> str:
    return (
        f"{_STAMPED} is CreateTime: producers stamp its records, so the arrival time is when "
        "intake first reads an event. Events that are older than CONCIERGE_STALE_MS, also after an "
        "outage, lead to no action, and records with an old timestamp expire early. "
        f"To have the brokers stamp them: kafka-configs --alter --entity-type topics --entity-name "
        f"{topic} --add-config {_STAMPED}=LogAppendTime"
    )


def _compare(topic: Topic, partitions: int, config: dict[str, str] | None) -> TopicReport:
    if config is None:
        detail = "the embedded broker keeps no topic settings (cleanup, retention)"
        return TopicReport(topic.name, "differs", detail)
    wanted = topic.kafka_config()
    if config["cleanup.policy"] != wanted["cleanup.policy"]:
        wrong, right = config["cleanup.policy"], wanted["cleanup.policy"]
        detail = (
            f"cleanup.policy is {wrong}, must be {right}: kafka-configs --alter --entity-type "
            f"topics --entity-name {topic.name} --add-config cleanup.policy={right}"
        )
        return TopicReport(topic.name, "wrong", detail)
    by_producers = topic.stamped_on_arrival and config[_STAMPED] != wanted[_STAMPED]
    differences = [_stamped_by_producers(topic.name)] if by_producers else []
    differences += [
        f"{name} is {config[name]}, declared is {value}"
        for name, value in wanted.items()
        if config[name] != value and not (by_producers and name == _STAMPED)
    ]
    if partitions != topic.partitions:
        differences.append(f"{partitions} partitions, expected are {topic.partitions}")
    if differences:
        return TopicReport(topic.name, "differs", "; ".join(differences), by_producers)
    return TopicReport(topic.name, "ok")
