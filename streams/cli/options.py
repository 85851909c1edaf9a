"""What several commands share: the settings, with the broker given by hand if need be."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from streams.core.catalogue import Catalogue
from streams.core.catalogue_yaml import load_catalogue
from streams.core.features import FEATURES
from streams.core.moments import MOMENTS
from streams.runtime.paths import catalogue_path
from streams.runtime.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def kafka_option(command: Command) -> Command:
    """Add `--kafka`."""
    return click.option(
        "--kafka", metavar="HOST:PORT", help="Kafka brokers; else CONCIERGE_KAFKA is used."
    )(command)


def settings_from(kafka: str | None = None, **given: str) -> Settings:
    """Return the settings of the environment; what is given by hand goes before it.

    `given` is by the setting's variable without its prefix. Raises `SettingsError`.
    """
    environ = dict(os.environ)
    if kafka is not None:
        environ["CONCIERGE_KAFKA"] = kafka
    environ.update({f"CONCIERGE_{name}": value for name, value in given.items()})
    return Settings.from_env(environ)


def feature_kinds() -> dict[str, str]:
    """Return what a rule may name: each feature with "number" or "flag"."""
    return {name: feature.kind for name, feature in FEATURES.items()}


def parse_catalogue(text: str | bytes, source: str) -> Catalogue:
    """Return the catalogue in a text; raises `CatalogueError` with every problem."""
    return load_catalogue(text, source, feature_kinds(), MOMENTS)


def read_catalogue(settings: Settings) -> Catalogue:
    """Return the catalogue that the settings name; raises `CatalogueError` or a click error."""
    path = catalogue_path(settings)
    try:
        return parse_catalogue(path.read_bytes(), str(path))
    except OSError as error:
        raise click.ClickException(f"cannot read the catalogue {path}: {error.strerror}") from error
