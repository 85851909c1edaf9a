"""`concierge topics` prints for people and for tools, uncut where nobody looks at a screen."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from schemas.topics import all_topics
from streams.cli.main import concierge
from streams.shell.kafka.acls import acls
from streams.shell.kafka.topic_width import WidthIsFixed, as_wide_as_the_timeline, check_width


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert concierge.main(["topics", *arguments], standalone_mode=False) == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCIERGE_APP_ID", "shop")
    monkeypatch.setenv("CONCIERGE_TOPIC_PREFIX", "staging.")
    monkeypatch.setenv("CONCIERGE_REPLICATION_FACTOR", "3")
    # A screen's width that somebody exported, or did not.
    monkeypatch.delenv("COLUMNS", raising=False)


def test_declared_topics_are_listed_whole_with_their_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = _printed(capsys, "--declared")
    for topic in all_topics("shop", "staging."):
        [line] = [line for line in text.splitlines() if f" {topic.name} " in line]
        assert topic.meaning in line
        for name, value in topic.kafka_config().items():
            assert f"{name}={value}" in line


def test_tools_can_create_the_topics_from_json(capsys: pytest.CaptureFixture[str]) -> None:
    found: list[dict[str, Any]] = json.loads(_printed(capsys, "--declared", "--json"))
    assert {each["replication_factor"] for each in found} == {3}
    assert {each["name"]: (each["partitions"], each["config"]) for each in found} == {
        topic.name: (topic.partitions, topic.kafka_config())
        for topic in all_topics("shop", "staging.")
    }


def test_permissions_are_printed_as_commands_and_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = _printed(capsys, "--acls", "--role", "learn", "--kafka", "k:9").splitlines()
    assert all(line.startswith("kafka-acls.sh --bootstrap-server k:9 ") for line in lines)
    assert all("--allow-principal User:shop-learn " in line for line in lines)
    found = json.loads(_printed(capsys, "--acls", "--json"))
    assert len(found) == len(acls("shop", "staging."))
    assert {each["pattern_type"] for each in found} == {"literal"}


def test_topics_that_grow_with_traffic_get_the_partitions_that_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = json.loads(_printed(capsys, "--declared", "--json", "--partitions", "12"))
    partitions = {each["name"].removeprefix("staging."): each["partitions"] for each in found}
    wide = {name for name, count in partitions.items() if count == 12}
    assert wide == {
        *("clickstream", "purchases", "support", "profile", "outcomes"),
        *("timeline", "next-best-actions", "decisions", "shop-decide-customers-changelog"),
    }
    assert {partitions[name] for name in partitions.keys() - wide} == {4}


def test_partitions_are_asked_for_only_where_topics_are_made() -> None:
    with pytest.raises(click.UsageError, match="needs --create"):
        concierge.main(["topics", "--partitions", "12"], standalone_mode=False)


def test_an_existing_timeline_is_never_given_another_number_of_partitions() -> None:
    topics = all_topics("shop", "staging.", 12)
    check_width(topics, {})
    check_width(topics, {"staging.timeline": 12, "staging.clickstream": 4})
    with pytest.raises(WidthIsFixed, match=r"4 partitions, and not 12\..*cannot be changed"):
        check_width(topics, {"staging.timeline": 4})


def test_what_is_created_beside_a_timeline_is_as_wide_as_it() -> None:
    wide = as_wide_as_the_timeline(all_topics("shop", "staging."), {"staging.timeline": 6})
    partitions = {topic.name: topic.partitions for topic in wide}
    assert partitions["shop-decide-customers-changelog"] == 6
    assert partitions["staging.clickstream"] == 6
    assert partitions["staging.catalogues"] == 4
