"""The Kafka permissions (ACLs) that each role and each command needs, as one table.

The docs, `concierge topics --acls` and the tests use it. The table only allows; brokers must refuse
by default (`allow.everyone.if.no.acl.found=false`).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.topics import (
    CATALOGUES,
    DEAD_LETTERS,
    DECISIONS,
    INPUTS,
    LESSONS,
    MODEL_SNAPSHOTS,
    NEXT_BEST_ACTIONS,
    TIMELINE,
    TOPICS,
    Topic,
    customers_changelog,
)

Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]
Resource = Literal["topic", "group"]

# Placeholders for names that depend on the installation.
CHANGELOG = customers_changelog("<app id>")
_ALL = (*TOPICS, CHANGELOG)
_GROUP = "<app id>-"
DEFAULT_PRINCIPAL = "User:{app}-{role}"


class Requirement(NamedTuple):
    """The operations that each of `roles` needs on topics (or on one group), and why."""

    roles: tuple[str, ...]
    topics: tuple[Topic, ...]
    operations: tuple[Operation, ...]
    why: str
    group: str = ""


WORKERS = ("intake", "decide", "learn")
REQUIREMENTS = (
    Requirement(
        WORKERS,
        _ALL,
        ("Describe", "DescribeConfigs"),
        "a worker checks every topic before it starts; this allows no reading of records",
    ),
    *(
        Requirement((role,), (), ("Read",), "membership, and the offsets it commits", _GROUP + role)
        for role in WORKERS
    ),
    Requirement(
        WORKERS,
        (),
        ("Describe",),
        "readers without a group look up a coordinator, too",
        _GROUP + "reader",
    ),
    Requirement(("intake",), INPUTS, ("Read",), "the events"),
    Requirement(
        ("intake",), (TIMELINE,), ("Write",), "admitted events; ticks and switches, if it leads"
    ),
    Requirement(("intake",), (CATALOGUES,), ("Write",), "the catalogue, if it leads"),
    Requirement(("intake", "decide"), (DEAD_LETTERS,), ("Write",), "refused records"),
    Requirement(("decide",), (TIMELINE,), ("Read",), "the events, in order"),
    Requirement(
        ("decide",), (CATALOGUES, MODEL_SNAPSHOTS), ("Read",), "the versions it decides with"
    ),
    Requirement(("decide",), (NEXT_BEST_ACTIONS, DECISIONS), ("Write",), "its decisions"),
    Requirement(("decide",), (LESSONS,), ("Write",), "settled decisions"),
    Requirement(("decide",), (CHANGELOG,), ("Read", "Write"), "state: recovery and checkpoints"),
    Requirement(("learn",), (LESSONS,), ("Read",), "lessons to learn from"),
    Requirement(("learn",), (MODEL_SNAPSHOTS,), ("Read", "Write"), "models: recovery and versions"),
    Requirement(("learn",), (TIMELINE,), ("Write",), "switches to new versions"),
    Requirement(
        ("setup",),
        _ALL,
        ("Create", "Describe", "DescribeConfigs"),
        "`concierge topics --create` and `concierge check`, run by a person or a deployment",
    ),
    Requirement(("feed",), INPUTS, ("Write",), "`concierge feed`, and other senders of events"),
    Requirement(
        ("inspect",),
        (DECISIONS, DEAD_LETTERS, CHANGELOG),
        ("Read",),
        "`concierge explain` and `dead-letters`: this is personal data",
    ),
    Requirement(("inspect",), (), ("Describe",), "their reader without a group", _GROUP + "reader"),
    Requirement(
        ("channel",), (NEXT_BEST_ACTIONS,), ("Read",), "a channel that acts; its group is its own"
    ),
    Requirement(
        ("channel",), tuple(t for t in INPUTS if t.name == "outcomes"), ("Write",), "its answers"
    ),
)
ROLES = tuple(dict.fromkeys(role for need in REQUIREMENTS for role in need.roles))


@dataclass(frozen=True, order=True)
class Acl:
    """A permission of a principal on a resource, by its literal name, from any host."""

    principal: str
    resource: Resource
    name: str
    operation: Operation


def acls(
    app_id: str,
    prefix: str = "",
    roles: Iterable[str] = ROLES,
    principal: str = DEFAULT_PRINCIPAL,
) -> list[Acl]:
    """Return every permission that the roles need, each once, in the order of the table.

    `principal` is a pattern in which {app} and {role} are replaced.
    """
    wanted = set(roles)
    found: dict[Acl, None] = {}
    for need in REQUIREMENTS:
        for role in need.roles:
            user = principal.replace("{app}", app_id).replace("{role}", role)
            if role in wanted:
                found.update(dict.fromkeys(_of(need, user, app_id, prefix)))
    return list(found)


def _of(need: Requirement, principal: str, app_id: str, prefix: str) -> Iterator[Acl]:
    for operation in need.operations:
        if need.group:
            name = need.group.replace("<app id>", app_id)
            yield Acl(principal, "group", name, operation)
        for topic in need.topics:
            # The changelog's name begins with the app id instead of the prefix.
            own = topic.name.replace("<app id>", app_id)
            yield Acl(principal, "topic", own if topic is CHANGELOG else prefix + own, operation)


def commands(wanted: Iterable[Acl], bootstrap: str) -> list[str]:
    """Return `kafka-acls.sh` command lines, one for each resource and principal."""
    operations: dict[tuple[str, str, str], list[str]] = {}
    for acl in wanted:
        operations.setdefault((acl.principal, acl.resource, acl.name), []).append(acl.operation)
    return [
        f"kafka-acls.sh --bootstrap-server {bootstrap} --command-config admin.properties --add "
        f"--allow-principal {shlex.quote(principal)} "
        + " ".join(f"--operation {each}" for each in allowed)
        + f" --{resource} {shlex.quote(name)}"
        for (principal, resource, name), allowed in operations.items()
    ]


def acls_table() -> str:
    """Return the table as Markdown, for the docs."""
    rows = ["| role | on | operations | why |", "|---|---|---|---|"]
    for need in REQUIREMENTS:
        named = ", ".join(f"`{topic.name}`" for topic in need.topics)
        on = "all topics" if need.topics == _ALL else named or f"group `{need.group}`"
        roles = ", ".join(need.roles)
        rows.append(f"| {roles} | {on} | {', '.join(need.operations)} | {need.why} |")
    return "\n".join(rows)
