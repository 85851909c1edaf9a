"""Options that several commands share, and the settings they lead to."""

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
        "--kafka", metavar="HOST:PORT", help="Kafka brokers; default: CONCIERGE_KAFKA."
    )(command)


def limit_option(command: Command) -> Command:
    """Add `--limit`: how many decisions are read from their topic."""
    return click.option(
        "--limit",
        type=click.IntRange(1),
        default=200_000,
        show_default=True,
        help="Read about this many of the newest decisions.",
    )(command)


def settings_from(kafka: str | None = None, **given: str) -> Settings:
    """Return the settings of the environment; the arguments take precedence.

    `given` maps variables without `CONCIERGE_` to values. Raises `SettingsError`, also for
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
