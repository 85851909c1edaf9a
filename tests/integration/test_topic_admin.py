"""Declared topics are created where missing, and differences are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import Topic, all_topics, customers_changelog
from streams.cli.main import concierge
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka.topic_admin import check_topics, create_topics, partition_counts
from streams.shell.kafka.topic_width import WidthIsFixed
from tests.support.kafka import RealKafka


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


def test_a_wider_installation_is_fine_as_it_is_and_its_timeline_never_changes(
    kafka: RealKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_id = topic_prefix + "app"
    monkeypatch.setenv("CONCIERGE_KAFKA", kafka.bootstrap)
    monkeypatch.setenv("CONCIERGE_APP_ID", app_id)
    monkeypatch.setenv("CONCIERGE_TOPIC_PREFIX", topic_prefix)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(concierge, ["topics", *arguments])

    created = run("--create", "--partitions", "6")
    assert created.exit_code == 0
    assert "cannot be changed" in created.output
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    counts = partition_counts(admin)
    assert counts[f"{topic_prefix}timeline"] == 6
    assert counts[customers_changelog(app_id).name] == 6
    assert counts[f"{topic_prefix}model-snapshots"] == 4
    assert _verdicts(admin, all_topics(app_id, topic_prefix)) == {"ok"}
    again = run("--create", "--partitions", "8")
    assert isinstance(again.exception, WidthIsFixed)
    assert "exists with 6 partitions, and not 8" in str(again.exception)
    assert partition_counts(admin) == counts


def test_a_topic_that_producers_stamp_works_with_the_consequence_in_plain_words(
    kafka: RealKafka, topics: tuple[Topic, ...]
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    clicks = replace(topics[0], stamped_on_arrival=False)
    new = NewTopic(clicks.name, 4, replication_factor=1, config=clicks.kafka_config())
    admin.create_topics([new])[clicks.name].result(30)
    reports = {each.topic: each for each in create_topics(admin, topics, replication_factor=1)}
    found = reports[clicks.name]
    assert (found.verdict, found.stamped_by_producers) == ("differs", True)
    assert "the arrival time is when intake first reads an event" in found.detail
    assert f"--entity-name {clicks.name} --add-config" in found.detail
    assert sum(each.stamped_by_producers for each in reports.values()) == 1


def test_the_embedded_broker_makes_topics_and_says_what_it_cannot_do(
    embedded_broker: EmbeddedBroker, topics: tuple[Topic, ...]
) -> None:
    admin = AdminClient({"bootstrap.servers": embedded_broker.bootstrap})
    reports = create_topics(admin, topics, replication_factor=1)
    assert {each.verdict for each in reports} == {"created"}
    assert "keeps no topic settings" in reports[0].detail
    assert all(each.usable for each in check_topics(admin, topics))
