"""The part of `concierge check` that checks the schemas in the registry."""

from __future__ import annotations

from contextlib import closing

import click
from rich.console import Console
from rich.markup import escape

from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.kafka.registry_check import subject_reports
from streams.shell.kafka.registry_errors import RegistryRefused, RegistryUnavailable
from streams.shell.settings.settings import Settings


def registry_is_fine(settings: Settings, console: Console) -> bool:
    """Print a line for each subject of our topics; return whether a worker can run with them.

    Returns True if the settings name no registry.
    """
    if not settings.schema_registry_url:
        return True
    fine = True
    try:
        with closing(RegistrySchemas(settings)) as schemas:
            for report in subject_reports(schemas, settings.topic_prefix):
                if report.usable:
                    said = escape(f"subject {report.subject}  {report.detail}")
                    console.print(f"[green]ok[/]       {said}")
                else:
                    fine = False
                    click.echo(f"subject {report.subject}: {report.detail}", err=True)
    except (RegistryRefused, RegistryUnavailable) as error:
        click.echo(f"registry: {error}", err=True)
        return False
    return fine
