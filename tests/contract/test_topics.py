"""The topics are declared once, completely, and fit each other."""

from __future__ import annotations

from schemas.topics import (
    DAY_MS,
    DEAD_LETTERS,
    INPUTS,
    PRODUCER_MAX_MESSAGE_BYTES,
    TIMELINE,
    TOPICS,
    all_topics,
    customers_changelog,
)
from streams.core.size_limits import AdmitLimits
from streams.core.state.event_ids import source_of


def test_every_topic_is_declared_once_with_a_meaning_and_an_owner() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert topic.meaning.endswith(".")
        assert topic.owner
        assert topic.key


def test_a_topic_is_either_compacted_for_good_or_deleted_after_a_time() -> None:
    for topic in all_topics("concierge"):
        assert (topic.cleanup == "compact") == (topic.retention_ms is None), topic.name


def test_only_avro_topics_name_a_schema() -> None:
    for topic in TOPICS:
        assert (topic.value_format == "avro") == (topic.schema is not None), topic.name


def test_the_changelog_is_named_as_faust_names_it_and_follows_the_timeline() -> None:
    changelog = customers_changelog("shop")
    assert changelog.name == "shop-decide-customers-changelog"
    assert changelog.partitions == TIMELINE.partitions
    assert changelog.cleanup == "compact"


def test_a_prefix_goes_before_every_name_but_the_changelog() -> None:
    names = [topic.name for topic in all_topics("shop", "dev.")]
    assert names[:5] == [f"dev.{topic.name}" for topic in INPUTS]
    assert names[-1] == "shop-decide-customers-changelog"


def test_kafka_configuration_is_in_kafkas_words() -> None:
    assert DEAD_LETTERS.kafka_config() == {
        "cleanup.policy": "delete",
        "retention.ms": str(30 * DAY_MS),
        "max.message.bytes": str(2 * 1024 * 1024),
        "message.timestamp.type": "CreateTime",
    }
    assert customers_changelog("a").kafka_config()["retention.ms"] == "-1"


def test_whatever_is_admitted_fits_the_timeline_and_whatever_is_refused_the_dead_letters() -> None:
    assert 2 * AdmitLimits().max_value_bytes <= TIMELINE.max_message_bytes
    for topic in INPUTS:
        assert topic.max_message_bytes < DEAD_LETTERS.max_message_bytes
    assert max(topic.max_message_bytes for topic in TOPICS) == PRODUCER_MAX_MESSAGE_BYTES


def test_every_input_has_a_number_in_stored_states_and_keeps_it() -> None:
    numbers = {"clickstream": 0, "purchases": 1, "support": 2, "profile": 3, "outcomes": 4}
    assert {topic.name: source_of(topic.name, 0) for topic in INPUTS} == numbers
