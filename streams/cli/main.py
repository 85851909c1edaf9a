"""The `concierge` command: every sub-command, and one place where errors become one clear line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from confluent_kafka import KafkaException

from streams.cli.commands.backtest import backtest_command
from streams.cli.commands.challenger import challenger
from streams.cli.commands.check import check
from streams.cli.commands.dead_letters import dead_letters
from streams.cli.commands.demo import demo
from streams.cli.commands.explain import explain
from streams.cli.commands.feed import feed
from streams.cli.commands.topics import topics
from streams.cli.commands.uplift import uplift
from streams.cli.commands.what_if import what_if
from streams.cli.commands.worker import worker
from streams.core.state.codec import StateError
from streams.core.yaml_file.problems import CatalogueError
from streams.shell.exits import EXIT_CONFIG, WorkerExit
from streams.shell.kafka.error_advice import advice
from streams.shell.kafka.registry import RegistryUnavailable
from streams.shell.settings.fields import SettingsError

__all__ = ["EXIT_CONFIG", "EXIT_INTERRUPTED", "EXIT_UNAVAILABLE", "concierge", "main"]

# sysexits.h: EX_CONFIG is for what the operator must mend, EX_UNAVAILABLE for a server that is
# away. click itself exits with 2 for a wrong command line, Ctrl-C gives 128 + SIGINT.
EXIT_UNAVAILABLE = 69
EXIT_INTERRUPTED = 130
_TO_MEND = (SettingsError, CatalogueError, StateError)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="concierge")
def concierge() -> None:
    """Next-best-actions for every customer, decided on Kafka streams and learned online.

    Settings are environment variables CONCIERGE_*; `concierge check --settings` lists them.
    """


for command in (
    demo,
    worker,
    topics,
    check,
    feed,
    dead_letters,
    explain,
    uplift,
    what_if,
    challenger,
    backtest_command,
):
    concierge.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when all is well, else with a line on stderr."""
    try:
        code = concierge.main(arguments, prog_name="concierge", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except _TO_MEND as error:
        click.echo(f"concierge: {error}", err=True)
        sys.exit(EXIT_CONFIG)
    except WorkerExit as error:
        click.echo(f"concierge: {error}", err=True)
        sys.exit(error.exit_code)
    except RegistryUnavailable as error:
        click.echo(f"concierge: {error}", err=True)
        sys.exit(EXIT_UNAVAILABLE)
    except KafkaException as error:
        click.echo(f"concierge: Kafka: {advice(error.args[0])}", err=True)
        sys.exit(EXIT_UNAVAILABLE)
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough.
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
