"""`concierge topics`: create the declared topics, or say how the existing ones differ."""

from __future__ import annotations

import click
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.table import Table

from schemas.topics import all_topics
from streams.cli.options import kafka_option, settings_from
from streams.runtime.clients import librdkafka_config
from streams.runtime.topic_admin import check_topics, create_topics

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
@click.option("--declared", is_flag=True, help="Only list what is declared; ask no broker.")
def topics(kafka: str | None, create: bool, declared: bool) -> int:
    """Compare the brokers' topics with the declared ones, or create those that are missing.

    Exit code 1 when a topic is missing or wrong. An existing topic is never changed.
    """
    settings = settings_from(kafka)
    wanted = all_topics(settings.app_id, settings.topic_prefix)
    console = Console(soft_wrap=True)
    if declared:
        table = Table("topic", "key", "format", "partitions", "cleanup", "owner", "meaning")
        for topic in wanted:
            table.add_row(
                topic.name,
                topic.key,
                topic.value_format,
                str(topic.partitions),
                topic.cleanup,
                topic.owner,
                topic.meaning,
            )
        console.print(table)
        return 0
    admin = AdminClient(librdkafka_config(settings))
    reports = (
        create_topics(admin, wanted, settings.replication_factor)
        if create
        else check_topics(admin, wanted)
    )
    for report in reports:
        colour = _COLOURS[report.verdict]
        console.print(f"[{colour}]{report.verdict:8}[/] {report.topic}  {report.detail}")
    return 0 if all(report.usable for report in reports) else 1
