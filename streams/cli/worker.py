"""`concierge worker`: run roles until SIGTERM."""

from __future__ import annotations

import click

from streams.cli.options import kafka_option, settings_from
from streams.runtime.logs import set_up_logs
from streams.runtime.settings import ROLES
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
def worker(kafka: str | None, roles: tuple[str, ...]) -> int:
    """Run a worker: intake, decide and learn, on the brokers of CONCIERGE_KAFKA.

    Add workers and Kafka's partitions move to them. SIGTERM drains, checkpoints and exits 0; a
    failure commits nothing and exits 70, after which a restart goes on from the last checkpoint.
    """
    # River alone takes seconds to import, which no other command should wait for.
    from streams.cli.assembly.worker import run_worker

    given = {"ROLES": ",".join(roles)} if roles else {}
    settings = settings_from(kafka, **given)
    set_up_logs(settings)
    return run(lambda: run_worker(settings))
