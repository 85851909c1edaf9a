"""The `concierge` command: every subcommand, and the place where errors become one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click
from confluent_kafka import KafkaException

from streams.core.state.codec import StateError
from streams.core.yaml_file.problems import CatalogueError
from streams.shell.exits import EXIT_CONFIG, WorkerExit
from streams.shell.kafka.error_advice import advice
from streams.shell.kafka.registry_errors import RegistryUnavailable
from streams.shell.settings.fields import SettingsError

__all__ = ["EXIT_CONFIG", "EXIT_INTERRUPTED", "EXIT_UNAVAILABLE", "concierge", "main"]

# sysexits.h: EX_CONFIG if the operator must change something, EX_UNAVAILABLE if a server cannot be
# reached. click exits with 2 for a wrong command line; Ctrl-C gives 128 + SIGINT.
EXIT_UNAVAILABLE = 69
EXIT_INTERRUPTED = 130
_CONFIG_ERRORS = (SettingsError, CatalogueError, StateError)


# Each with the name of its function, in a module of `streams.cli.commands` of the command's name.
_COMMANDS = {
    "demo": "demo",
    "worker": "worker",
    "topics": "topics",
    "check": "check",
    "feed": "feed",
    "dead-letters": "dead_letters",
    "explain": "explain",
    "uplift": "uplift",
    "what-if": "what_if",
    "challenger": "challenger",
    "backtest": "backtest_command",
}


class CommandsOnDemand(click.Group):
    """Imports a command when it is used: all of them take a second more than one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are of use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"streams.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = getattr(module, _COMMANDS[cmd_name])
        return command


@click.group(
    cls=CommandsOnDemand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="concierge")
def concierge() -> None:
    """Next-best-actions for every customer, decided on Kafka streams and learned online.

    Settings are environment variables CONCIERGE_*; `concierge check --settings` lists them.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 on success, else with one line on stderr."""
    try:
        code = concierge.main(arguments, prog_name="concierge", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except _CONFIG_ERRORS as error:
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
        # The reader of our output (head, less) has closed the pipe.
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
