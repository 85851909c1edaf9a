"""`concierge topics`: create the declared topics, or show how the existing ones differ."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
from rich.table import Table

from schemas.topics import DEFAULT_PARTITIONS, TIMELINE, Topic, all_topics
from streams.cli.console import stdout_console
from streams.cli.options import kafka_option, settings_from
from streams.shell.kafka.acls import DEFAULT_PRINCIPAL, ROLES, acls, commands
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.connect import connect_admin
from streams.shell.kafka.topic_admin import (
    TopicReport,
    check_topics,
    create_topics,
    partition_counts,
)
from streams.shell.kafka.topic_width import WIDTH_IS_FIXED, check_width
from streams.shell.settings.settings import Settings

# More than a broker should have of one topic; catches typing errors.
MAX_PARTITIONS = 1_024

_COLOURS = {
    "ok": "green",
    "created": "green",
    "differs": "yellow",
    "wrong": "red",
    "missing": "red",
}


@click.command()
@kafka_option
@click.option("--create", is_flag=True, help="Create the topics that are missing.")
@click.option(
    "--partitions",
    type=click.IntRange(1, MAX_PARTITIONS),
    metavar="N",
    help="With --create or --declared: number of partitions of the topics that grow with traffic "
    f"(inputs, timeline, actions, decisions, changelog); default: {DEFAULT_PARTITIONS}. It limits "
    f"how many workers can share a role. {WIDTH_IS_FIXED} Inputs may get more partitions later, "
    "with kafka-topics --alter; running workers read them within seconds.",
)
@click.option("--declared", is_flag=True, help="List the declared topics; connect to no broker.")
@click.option(
    "--acls",
    "list_acls",
    is_flag=True,
    help="Print kafka-acls.sh commands with the permissions of each role; connect to no broker.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="With --acls: only this role; may be given several times.",
)
@click.option(
    "--principal",
    default=DEFAULT_PRINCIPAL,
    show_default=True,
    metavar="PATTERN",
    help="With --acls: the Kafka principal of a role; {app} and {role} are replaced.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def topics(
    kafka: str | None,
    create: bool,
    partitions: int | None,
    declared: bool,
    list_acls: bool,
    roles: tuple[str, ...],
    principal: str,
    as_json: bool,
) -> int:
    """Compare the brokers' topics with the declared ones, or create those that are missing.

    Exit code 1 if a topic is missing or wrong. An existing topic is never changed.
    """
    settings = settings_from(kafka)
    if list_acls:
        _print_acls(settings, roles or ROLES, principal, as_json)
        return 0
    if partitions is not None and not (create or declared):
        raise click.UsageError("--partitions needs --create or --declared")
    wanted = all_topics(settings.app_id, settings.topic_prefix, partitions or DEFAULT_PARTITIONS)
    if declared:
        _print_declared(wanted, settings.replication_factor, as_json)
        return 0
    admin = connect_admin(librdkafka_config(settings))
    if partitions is not None:
        check_width(wanted, partition_counts(admin))
    reports = (
        create_topics(admin, wanted, settings.replication_factor)
        if create
        else check_topics(admin, wanted)
    )
    _print_reports(reports, as_json)
    if not as_json and any(_is_new_timeline(settings, each) for each in reports):
        click.echo(WIDTH_IS_FIXED)
    return 0 if all(report.usable for report in reports) else 1


def _is_new_timeline(settings: Settings, report: TopicReport) -> bool:
    name = TIMELINE.with_prefix(settings.topic_prefix).name
    return report.topic == name and report.verdict == "created"


def _print_acls(settings: Settings, roles: Sequence[str], principal: str, as_json: bool) -> None:
    wanted = acls(settings.app_id, settings.topic_prefix, roles, principal)
    if as_json:
        rows = [
            {
                "principal": acl.principal,
                "resource_type": acl.resource,
                "resource_name": acl.name,
                "pattern_type": "literal",
                "operation": acl.operation,
                "permission": "Allow",
                "host": "*",
            }
            for acl in wanted
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for line in commands(wanted, settings.bootstrap):
        click.echo(line)


def _print_declared(wanted: Sequence[Topic], copies: int, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "name": topic.name,
                "partitions": topic.partitions,
                "replication_factor": copies,
                "config": topic.kafka_config(),
                "key": topic.key,
                "format": topic.value_format,
                "owner": topic.owner,
                "meaning": topic.meaning,
            }
            for topic in wanted
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    columns = ("topic", "partitions", "configuration", "key", "format", "owner", "meaning")
    table = Table(*columns)
    for topic in wanted:
        table.add_row(
            topic.name,
            str(topic.partitions),
            " ".join(f"{name}={value}" for name, value in topic.kafka_config().items()),
            topic.key,
            topic.value_format,
            topic.owner,
            topic.meaning,
        )
    stdout_console().print(table)


def _print_reports(reports: Sequence[TopicReport], as_json: bool) -> None:
    if as_json:
        rows = [
            {"topic": each.topic, "verdict": each.verdict, "detail": each.detail}
            for each in reports
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    console = stdout_console()
    for report in reports:
        colour = _COLOURS[report.verdict]
        console.print(f"[{colour}]{report.verdict:8}[/] {report.topic}  {report.detail}")
