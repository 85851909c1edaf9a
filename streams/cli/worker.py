"""`concierge worker`: run roles until SIGTERM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click

from streams.cli.options import kafka_option, settings_from
from streams.runtime.children import own_command, own_environment, run_together
from streams.runtime.logs import set_up_logs
from streams.runtime.settings import ROLES, Settings
from streams.runtime.worker import run


@click.command()
@kafka_option
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    help="Run only this role; may be given several times. Default: all, in one process.",
)
@click.option(
    "--apart",
    is_flag=True,
    help="Run each role in a process of its own: faster on two cores or more. Their pages are "
    "served on CONCIERGE_HTTP_PORT and the ports after it, in the order of the roles.",
)
def worker(kafka: str | None, roles: tuple[str, ...], apart: bool) -> int:
    """Run a worker: intake, decide and learn, on the brokers of CONCIERGE_KAFKA.

    Add workers and Kafka's partitions move to them. SIGTERM drains, checkpoints and exits 0; a
    failure commits nothing and exits 70, after which a restart goes on from the last checkpoint.
    """
    given = {"ROLES": ",".join(roles)} if roles else {}
    settings = settings_from(kafka, **given)
    if apart and len(settings.roles) > 1:
        apart_roles = {role: _alone(settings, role) for role in settings.roles}
        return run_together(apart_roles, lambda text: click.echo(f"concierge: {text}", err=True))
    # River alone takes seconds to import, which no other command should wait for.
    from streams.cli.assembly.worker import run_worker

    set_up_logs(settings)
    return run(lambda: run_worker(settings))


def _alone(settings: Settings, role: str) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return the command and the environment of a process for one role."""
    environment = {
        **os.environ,
        "CONCIERGE_KAFKA": settings.bootstrap,
        "CONCIERGE_ROLES": role,
    }
    if settings.http_port:
        # Any free port stays any free port.
        environment["CONCIERGE_HTTP_PORT"] = str(settings.http_port + settings.roles.index(role))
    return own_command("worker"), own_environment(environment)
