"""Declared topics are created where missing, and differences are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import Topic, all_topics
from streams.runtime.embedded import EmbeddedBroker
from streams.runtime.topic_admin import check_topics, create_topics
from tests.kafka import RealKafka


@pytest.fixture
def topics(topic_prefix: str) -> tuple[Topic, ...]:
    """Every declared topic under names of this test's own."""
    return all_topics(topic_prefix + "app", topic_prefix)


def _verdicts(admin: AdminClient, topics: tuple[Topic, ...]) -> set[str]:
    return {report.verdict for report in check_topics(admin, topics)}


def test_all_topics_are_created_as_declared(kafka: RealKafka, topics: tuple[Topic, ...]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    assert _verdicts(admin, topics) == {"missing"}
    created = create_topics(admin, topics, replication_factor=1)
    assert [(each.topic, each.verdict) for each in created] == [
        (topic.name, "created") for topic in topics
    ]
    assert _verdicts(admin, topics) == {"ok"}
    again = create_topics(admin, topics, replication_factor=1)
    assert {each.verdict for each in again} == {"ok"}


def test_what_would_lose_or_misplace_state_is_wrong_and_the_rest_differs(
    kafka: RealKafka, topics: tuple[Topic, ...]
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    declared = {topic.name.rsplit(".", 1)[-1]: topic for topic in topics}
    snapshots, profile = declared["model-snapshots"], declared["profile"]
    changelog = topics[-1]
    for wrong in (
        replace(snapshots, cleanup="delete"),
        replace(profile, partitions=2),
        replace(changelog, partitions=3),
    ):
        config = wrong.kafka_config()
        new = NewTopic(wrong.name, wrong.partitions, replication_factor=1, config=config)
        admin.create_topics([new])[wrong.name].result(30)
    reports = {each.topic: each for each in create_topics(admin, topics, replication_factor=1)}
    assert reports[snapshots.name].verdict == "wrong"
    assert "cleanup.policy is delete, must be compact: kafka-configs" in (
        reports[snapshots.name].detail
    )
    assert reports[changelog.name].verdict == "wrong"
    assert "3 partitions, but the timeline has 4" in reports[changelog.name].detail
    assert f"kafka-topics --delete --topic {changelog.name}" in reports[changelog.name].detail
    assert reports[profile.name].verdict == "differs"
    assert reports[profile.name].usable
    assert not reports[changelog.name].usable


def test_the_embedded_broker_makes_topics_and_says_what_it_cannot_do(
    embedded_broker: EmbeddedBroker, topics: tuple[Topic, ...]
) -> None:
    admin = AdminClient({"bootstrap.servers": embedded_broker.bootstrap})
    reports = create_topics(admin, topics, replication_factor=1)
    assert {each.verdict for each in reports} == {"created"}
    assert "keeps no topic settings" in reports[0].detail
    assert all(each.usable for each in check_topics(admin, topics))
