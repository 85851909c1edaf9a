"""Permissions are few, literal and each role's own."""

from __future__ import annotations

import pytest

from schemas.topics import all_topics
from streams.shell.kafka.acls import ROLES, WORKERS, Acl, acls, commands


def test_names_carry_the_prefix_and_the_app_id_as_the_topics_do() -> None:
    topics = {topic.name for topic in all_topics("shop", "staging.")}
    wanted = acls("shop", "staging.")
    assert {acl.name for acl in wanted if acl.resource == "topic"} == topics
    groups = {"shop-intake", "shop-decide", "shop-learn", "shop-reader"}
    assert {acl.name for acl in wanted if acl.resource == "group"} == groups


def test_no_permission_is_listed_twice() -> None:
    wanted = acls("shop")
    assert len(set(wanted)) == len(wanted)


@pytest.mark.parametrize("role", WORKERS)
def test_a_worker_can_neither_create_nor_change_nor_write_input(role: str) -> None:
    wanted = acls("shop", roles=[role])
    assert {acl.operation for acl in wanted} <= {"Read", "Write", "Describe", "DescribeConfigs"}
    written = {acl.name for acl in wanted if acl.operation == "Write"}
    assert not written & {"clickstream", "purchases", "support", "profile", "outcomes"}


def test_only_decide_and_those_who_inspect_read_what_is_remembered_of_customers() -> None:
    readers = {
        acl.principal
        for acl in acls("shop")
        if acl.name.endswith("changelog") and acl.operation == "Read"
    }
    assert readers == {"User:shop-decide", "User:shop-inspect"}


def test_a_principal_is_made_from_its_pattern() -> None:
    made = acls("shop", roles=["learn"], principal="User:CN={app}.{role},O=x")
    assert {acl.principal for acl in made} == {"User:CN=shop.learn,O=x"}


def test_commands_allow_all_of_it_and_are_quoted_for_the_shell() -> None:
    wanted = [
        Acl("User:a b", "topic", "t", "Read"),
        Acl("User:a b", "topic", "t", "Describe"),
        Acl("User:a b", "group", "g", "Read"),
    ]
    topic, group = commands(wanted, "k:1")
    assert "--allow-principal 'User:a b' --operation Read --operation Describe --topic t" in topic
    assert group.startswith("kafka-acls.sh --bootstrap-server k:1 ")
    assert group.endswith("--operation Read --group g")


def test_every_role_of_a_worker_is_among_those_with_permissions() -> None:
    assert set(WORKERS) < set(ROLES)
