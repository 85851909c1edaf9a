"""Topics that others read are compressed as every client of theirs can read it."""

from __future__ import annotations

import pytest

from schemas.topics import TOPICS
from streams.shell.kafka.producers import INTERNAL_COMPRESSION, Producers, producer_config
from streams.shell.settings.settings import SETTINGS, Settings, SettingsError

# As tried with a real Kafka, as they come, without a codec added. Node 20; zstd of
# @platformatic/kafka needs a newer one.
READS = {
    "confluent-kafka 2.16 (librdkafka)": {"none", "gzip", "snappy", "lz4", "zstd"},
    "aiokafka 0.14 with our extras": {"none", "gzip", "snappy", "lz4", "zstd"},
    "kafka-clients 4.3 (Java)": {"none", "gzip", "snappy", "lz4", "zstd"},
    "@platformatic/kafka 1.35 (Node)": {"none", "gzip", "snappy", "lz4"},
    "kafkajs 2.2.4 (Node)": {"none", "gzip"},
}
# Nobody is there: nothing is sent.
CONFIG = producer_config({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, 1.0)


def test_every_client_that_was_tried_reads_the_default() -> None:
    readable = set.intersection(*READS.values())
    assert Settings().compression in readable
    # And of those it is the one that saves bytes.
    assert readable - {"none"} == {"gzip"}


def test_the_setting_offers_what_clients_know_and_nothing_else() -> None:
    declared = [each for each in SETTINGS if each.name.endswith("compression")]
    assert [each.name for each in declared] == ["compression", "decisions_compression"]
    for each in declared:
        assert set(each.choices) == set.union(*READS.values())
    with pytest.raises(SettingsError):
        Settings.from_env({"CONCIERGE_COMPRESSION": "brotli"})


def test_what_others_read_is_declared_with_the_topic() -> None:
    assert [topic.name for topic in TOPICS if topic.for_others] == [
        "next-best-actions",
        "decisions",
        "dead-letters",
    ]


def test_a_topic_has_one_producer_for_good() -> None:
    """Two producers would not keep the order of a partition."""
    producers = Producers(CONFIG, {"actions": "gzip", "decisions": "gzip"})
    assert producers.of("timeline") is producers.of("lessons")
    assert producers.of("actions") is producers.of("decisions")
    assert producers.of("actions") is not producers.of("timeline")


def test_no_second_producer_is_made_for_the_same_compression() -> None:
    producers = Producers(CONFIG, {"actions": INTERNAL_COMPRESSION})
    assert producers.of("actions") is producers.of("timeline")


def test_what_waits_is_counted_over_both_producers_and_can_be_dropped() -> None:
    producers = Producers(CONFIG, {"actions": "gzip"})
    for topic in ("actions", "timeline", "actions"):
        producers.of(topic).produce(topic, b"x")
    # At least: errors that were not looked at yet (nobody answers) are counted by librdkafka, too.
    assert producers.pending() >= 3
    assert producers.flush(0.0) >= 3
    producers.purge()
    producers.poll()
    assert producers.flush(10.0) == 0
