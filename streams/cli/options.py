"""What several commands share: the settings, with the broker given by hand if need be."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from streams.shell.kafka.certificates import certificate_problems
from streams.shell.settings.settings import Settings, SettingsError

Command = TypeVar("Command", bound=Callable[..., Any])


def kafka_option(command: Command) -> Command:
    """Add `--kafka`."""
    return click.option(
        "--kafka", metavar="HOST:PORT", help="Kafka brokers; else CONCIERGE_KAFKA is used."
    )(command)


def limit_option(command: Command) -> Command:
    """Add `--limit`, of the decisions that are read back from their topic."""
    return click.option(
        "--limit",
        type=click.IntRange(1),
        default=200_000,
        show_default=True,
        help="At most about so many of the newest decisions are read.",
    )(command)


def settings_from(kafka: str | None = None, **given: str) -> Settings:
    """Return the settings of the environment; what is given by hand goes before it.

    `given` is by the setting's variable without its prefix. Raises `SettingsError`, also for
    certificate files that cannot be used.
    """
    environ = dict(os.environ)
    if kafka is not None:
        environ["CONCIERGE_KAFKA"] = kafka
    environ.update({f"CONCIERGE_{name}": value for name, value in given.items()})
    settings = Settings.from_env(environ)
    problems = certificate_problems(settings)
    if problems:
        raise SettingsError(problems)
    return settings
