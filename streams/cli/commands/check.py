"""`concierge check`: say what is wrong with settings, catalogue and topics before a deploy."""

from __future__ import annotations

import click
from confluent_kafka import KafkaException
from rich.console import Console
from rich.text import Text

from schemas.topics import all_topics
from streams.cli.commands.check_consents import warn_about_consents
from streams.cli.commands.check_registry import registry_is_fine
from streams.cli.console import stdout_console
from streams.cli.options import kafka_option, settings_from
from streams.core.catalogue.cautions import cautions
from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.connect import LoginRefused, connect_admin
from streams.shell.kafka.error_advice import advice
from streams.shell.kafka.topic_admin import check_topics
from streams.shell.settings.fields import SettingsError
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings, help_table
from streams.shell.telemetry.metrics import metrics_table
from streams.shell.versions.catalogue_file import parse_catalogue


@click.command()
@kafka_option
@click.option(
    "--catalogue",
    metavar="FILE",
    help="Catalogue to check: a file, or the name of a starter pack (bank, grocer, ...). Default: "
    "CONCIERGE_CATALOGUE_PATH, or the bundled shop.",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Check neither the topics on the brokers nor the schemas in the registry.",
)
@click.option("--settings", "list_settings", is_flag=True, help="List every setting and stop.")
@click.option("--metrics", "list_metrics", is_flag=True, help="List every metric and stop.")
def check(
    kafka: str | None,
    catalogue: str | None,
    offline: bool,
    list_settings: bool,
    list_metrics: bool,
) -> int:
    """Check settings, catalogue, topics and registry; print every problem and where it is.

    Also warns of a consent that no customer of the newest decisions had given. Exit code 0 if a
    worker would start, 1 if not.
    """
    if list_settings:
        click.echo(help_table())
        return 0
    if list_metrics:
        click.echo(metrics_table())
        return 0
    given = {} if catalogue is None else {"CATALOGUE_PATH": catalogue}
    try:
        settings = settings_from(kafka, **given)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(f"settings: {problem}", err=True)
        return 1
    console = stdout_console()
    console.print("[green]ok[/]       settings")
    checked = _checked_catalogue(settings, console)
    fine = checked is not None
    if not offline:
        topics_fine = _topics_are_fine(settings, console)
        fine = registry_is_fine(settings, console) and topics_fine and fine
        if checked is not None and topics_fine:
            warn_about_consents(settings, checked, console)
    return 0 if fine else 1


def _checked_catalogue(settings: Settings, console: Console) -> Catalogue | None:
    try:
        path = catalogue_path(settings)
        catalogue = parse_catalogue(path.read_bytes(), str(path))
    except OSError as error:
        click.echo(f"catalogue: cannot read {error.filename}: {error.strerror}", err=True)
        return None
    except CatalogueError as error:
        click.echo(str(error), err=True)
        return None
    console.print(f"[green]ok[/]       catalogue {path}: {_summary(catalogue)}")
    for caution in cautions(catalogue):
        at = f"{path}:{caution.line}" if caution.line else str(path)
        console.print(f"[yellow]warning[/]  catalogue {at}: ", Text(caution.says), sep="")
    return catalogue


def _summary(catalogue: Catalogue) -> str:
    issues = {action.issue for action in catalogue.actions}
    return (
        f'"{catalogue.name}" version {catalogue.version}, {len(catalogue.actions)} actions, '
        f"{len(issues)} issues, {len(catalogue.families)} families"
    )


def _topics_are_fine(settings: Settings, console: Console) -> bool:
    client = {**librdkafka_config(settings), "log_level": 0}
    wanted = all_topics(settings.app_id, settings.topic_prefix)
    try:
        reports = check_topics(connect_admin(client), wanted)
    except LoginRefused as refused:
        click.echo(f"topics: {refused}", err=True)
        return False
    except KafkaException as error:
        click.echo(f"topics: {settings.bootstrap}: {advice(error.args[0])}", err=True)
        return False
    for report in reports:
        if report.usable:
            console.print(f"[green]{report.verdict:8}[/] topic {report.topic}  {report.detail}")
        else:
            click.echo(f"topic {report.topic}: {report.verdict}: {report.detail}", err=True)
    return all(report.usable for report in reports)
