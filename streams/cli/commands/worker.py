"""`concierge worker`: run roles until SIGTERM."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click
from confluent_kafka.admin import AdminClient

from schemas.topics import all_topics
from streams.cli.options import kafka_option, settings_from
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.embedded import EmbeddedBroker
from streams.shell.kafka.topic_admin import create_topics
from streams.shell.process.children import concierge_command, concierge_environment, run_processes
from streams.shell.process.serve import run
from streams.shell.settings.settings import ROLES, Settings
from streams.shell.telemetry.logs import set_up_logs


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
    help="Run each role in a process of its own: faster with two cores or more. Their pages are "
    "on CONCIERGE_HTTP_PORT and the ports after it, in the order of the roles.",
)
@click.option(
    "--decide-processes",
    "deciding",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="With --apart: number of processes for decide, the most expensive role; they share its "
    "partitions. Their pages, except the first's, are on the ports after those of all roles.",
)
@click.option(
    "--embedded",
    is_flag=True,
    help="For a first try: start a broker inside this process, with all topics, and print its "
    "address. Its records are lost when the process ends.",
)
def worker(
    kafka: str | None, roles: tuple[str, ...], apart: bool, deciding: int, embedded: bool
) -> int:
    """Run a worker: intake, decide and learn, on the brokers of CONCIERGE_KAFKA.

    More workers share the partitions. SIGTERM drains, checkpoints and exits 0. After a failure
    nothing is committed and the exit code is 70; a restart continues from the last checkpoint.
    """
    given = {"ROLES": ",".join(roles)} if roles else {}
    if not embedded:
        return _run(settings_from(kafka, **given), apart, deciding)
    if kafka is not None:
        raise click.UsageError("--embedded starts a broker of its own: leave --kafka out")
    with EmbeddedBroker() as broker:
        settings = settings_from(broker.bootstrap, **given)
        admin = AdminClient(librdkafka_config(settings))
        create_topics(admin, all_topics(settings.app_id, settings.topic_prefix), 1)
        click.echo(
            f"An empty broker runs until this worker ends. In another terminal:\n"
            f"    export CONCIERGE_KAFKA={broker.bootstrap}"
        )
        return _run(settings, apart, deciding)


def _run(settings: Settings, apart: bool, deciding: int) -> int:
    if deciding > 1 and not (apart and "decide" in settings.roles):
        raise click.UsageError("--decide-processes needs --apart and the role decide")
    processes = _apart(settings, deciding) if apart else {}
    if len(processes) > 1:
        return run_processes(processes, lambda text: click.echo(f"concierge: {text}", err=True))
    # Imported late: River takes seconds to import, and other commands do not need it.
    from streams.worker.run_worker import builders, run_worker

    set_up_logs(settings)
    # Before the event loop, so that the imports are exempt from garbage collection.
    build = builders(settings.roles)
    return run(lambda: run_worker(settings, build))


def _apart(settings: Settings, deciding: int) -> dict[str, tuple[Sequence[str], Mapping[str, str]]]:
    """Return the command and the environment of each process, by its name."""
    named = {role: role for role in settings.roles}
    named |= {f"decide-{number}": "decide" for number in range(2, deciding + 1)}
    processes: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {}
    for index, (name, role) in enumerate(named.items()):
        environment = {
            **os.environ,
            "CONCIERGE_KAFKA": settings.bootstrap,
            "CONCIERGE_ROLES": role,
        }
        if settings.http_port:
            # Port 0 (any free port) is left as it is.
            environment["CONCIERGE_HTTP_PORT"] = str(settings.http_port + index)
        if settings.instance_id and name != role:
            # Two members of a group must not have the same name.
            number = name.removeprefix(role)
            environment["CONCIERGE_INSTANCE_ID"] = settings.instance_id + number
        processes[name] = concierge_command("worker"), concierge_environment(environment)
    return processes
