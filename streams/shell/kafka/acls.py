"""Who may do what on Kafka: the least that each role, and each command, needs.

One table; the docs, `concierge topics --acls` and the tests read it. `allow` is all there is, so
brokers must refuse what nobody allowed (`allow.everyone.if.no.acl.found=false`).
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

# Stand for the names that only an installation knows.
CHANGELOG = customers_changelog("<app id>")
_ALL = (*TOPICS, CHANGELOG)
_GROUP = "<app id>-"
DEFAULT_PRINCIPAL = "User:{app}-{role}"


class Need(NamedTuple):
    """What one of `roles` must be allowed on topics (or one group), and why."""

    roles: tuple[str, ...]
    topics: tuple[Topic, ...]
    operations: tuple[Operation, ...]
    why: str
    group: str = ""


WORKERS = ("intake", "decide", "learn")
NEEDS = (
    Need(
        WORKERS,
        _ALL,
        ("Describe", "DescribeConfigs"),
        "a worker looks at every topic before it starts; it reads no record by this",
    ),
    *(
        Need((role,), (), ("Read",), "membership, and the offsets it commits", _GROUP + role)
        for role in WORKERS
    ),
    Need(
        WORKERS,
        (),
        ("Describe",),
        "its readers without a group look for a coordinator all the same",
        _GROUP + "reader",
    ),
    Need(("intake",), INPUTS, ("Read",), "the events"),
    Need(("intake",), (TIMELINE,), ("Write",), "admitted events; ticks and switches, if it leads"),
    Need(("intake",), (CATALOGUES,), ("Write",), "the catalogue, if it leads"),
    Need(("intake", "decide"), (DEAD_LETTERS,), ("Write",), "what is refused"),
    Need(("decide",), (TIMELINE,), ("Read",), "what happened, in order"),
    Need(("decide",), (CATALOGUES, MODEL_SNAPSHOTS), ("Read",), "the versions it decides with"),
    Need(("decide",), (NEXT_BEST_ACTIONS, DECISIONS), ("Write",), "what it decides"),
    Need(("decide",), (LESSONS,), ("Write",), "settled decisions"),
    Need(("decide",), (CHANGELOG,), ("Read", "Write"), "state: recovery and checkpoints"),
    Need(("learn",), (LESSONS,), ("Read",), "what it learns from"),
    Need(("learn",), (MODEL_SNAPSHOTS,), ("Read", "Write"), "models: recovery and versions"),
    Need(("learn",), (TIMELINE,), ("Write",), "switches to new versions"),
    Need(
        ("setup",),
        _ALL,
        ("Create", "Describe", "DescribeConfigs"),
        "`concierge topics --create` and `concierge check`, run by a person or a deployment",
    ),
    Need(("feed",), INPUTS, ("Write",), "`concierge feed`, and whoever else sends events"),
    Need(
        ("inspect",),
        (DECISIONS, DEAD_LETTERS, CHANGELOG),
        ("Read",),
        "`concierge explain` and `dead-letters`: this is personal data",
    ),
    Need(("inspect",), (), ("Describe",), "their reader without a group", _GROUP + "reader"),
    Need(
        ("channel",), (NEXT_BEST_ACTIONS,), ("Read",), "a channel that acts; its group is its own"
    ),
    Need(("channel",), tuple(t for t in INPUTS if t.name == "outcomes"), ("Write",), "its answers"),
)
ROLES = tuple(dict.fromkeys(role for need in NEEDS for role in need.roles))


@dataclass(frozen=True, order=True)
class Acl:
    """One permission of one principal on one resource, by its literal name, from any host."""

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
    """Return every permission that the roles need, in the table's order, none twice.

    `principal` is a pattern in which {app} and {role} are replaced.
    """
    wanted = set(roles)
    found: dict[Acl, None] = {}
    for need in NEEDS:
        for role in need.roles:
            who = principal.replace("{app}", app_id).replace("{role}", role)
            if role in wanted:
                found.update(dict.fromkeys(_of(need, who, app_id, prefix)))
    return list(found)


def _of(need: Need, principal: str, app_id: str, prefix: str) -> Iterator[Acl]:
    for operation in need.operations:
        if need.group:
            name = need.group.replace("<app id>", app_id)
            yield Acl(principal, "group", name, operation)
        for topic in need.topics:
            # The changelog carries the application's id instead of the prefix.
            own = topic.name.replace("<app id>", app_id)
            yield Acl(principal, "topic", own if topic is CHANGELOG else prefix + own, operation)


def commands(wanted: Iterable[Acl], bootstrap: str) -> list[str]:
    """Return `kafka-acls.sh` lines that allow all this, one for a resource and principal."""
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
    rows = ["| role | on | may | because |", "|---|---|---|---|"]
    for need in NEEDS:
        named = ", ".join(f"`{topic.name}`" for topic in need.topics)
        on = "all topics" if need.topics == _ALL else named or f"group `{need.group}`"
        roles = ", ".join(need.roles)
        rows.append(f"| {roles} | {on} | {', '.join(need.operations)} | {need.why} |")
    return "\n".join(rows)
