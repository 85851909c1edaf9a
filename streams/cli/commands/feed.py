"""`concierge feed`: send rows of files to the input topics as events, by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any

import click
from confluent_kafka import Producer

from schemas.topics import INPUTS
from streams.cli.commands.feed_options import RateParam, SpeedParam
from streams.cli.data_files import FILE, data_file_options
from streams.cli.options import settings_from
from streams.cli.reports.feed_report import send_all, summarise
from streams.feed.event_columns import empty_columns
from streams.feed.file_feed import FileFeed, StrictError
from streams.feed.reject_file import RejectFile
from streams.feed.send_events import EventProducer, FeedError, Pace, Sending, producer_settings
from streams.feed.sent_event import Event
from streams.feed.topic_fields import input_topics
from streams.feed.unknown_families import UnknownFamilies
from streams.files.load_table import MissingDuckDB
from streams.files.open_file import DataFileError, ReadOptions
from streams.files.query import run_query
from streams.files.tables import open_tables
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.registry import RegistrySchemas
from streams.shell.kafka.registry_errors import RegistryRefused, RegistryUnavailable
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings, SettingsError
from streams.shell.versions.catalogue_file import parse_catalogue


@click.command()
@data_file_options
@click.argument("source", type=FILE, nargs=-1, required=True)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    required=True,
    type=click.Choice(input_topics()),
    help="Input topic for the events of the next --sql. Both may be given several times.",
)
@click.option(
    "--sql",
    "queries",
    multiple=True,
    required=True,
    type=FILE,
    help="File with one SELECT over the table `data`; its columns are the fields of an event.",
)
@click.option("--kafka", metavar="HOST:PORT", help="Kafka brokers; default: CONCIERGE_KAFKA.")
@click.option("--rate", type=RateParam(), help="Send at most this many events a second.")
@click.option(
    "--speed",
    type=SpeedParam(),
    help="Replay event time this much faster, for example 1000x. Pauses of more than a minute are "
    "shortened to a minute.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Stop after this many events.")
@click.option(
    "--skip",
    type=click.IntRange(min=0),
    default=0,
    help="Skip this many events from the start; a feed that ends early prints the number.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Read and check everything, but send nothing.",
)
@click.option("--strict", is_flag=True, help="Send nothing if anything is rejected (exit code 1).")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="File for rejected rows, one JSON line each; default: SOURCE.rejected.jsonl in the "
    "current folder. A dry run writes it only if given; with --skip it is appended to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the sums as one last JSON line.")
def feed(
    source: tuple[Path, ...],
    topics: tuple[str, ...],
    queries: tuple[Path, ...],
    read: ReadOptions,
    further: dict[str, Path],
    kafka: str | None,
    rate: float | None,
    speed: float | None,
    dry_run: bool,
    rejects: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Send the rows of SOURCE to input topics, as SQL files say.

    SOURCE is CSV, JSON Lines, JSON, Avro or Parquet, also compressed; several files are read as
    one. Needs the extra `files`: pip install -c constraints.txt '.[files]'. Every SQL file holds
    one SELECT over the table `data`. All files are read and all queries run before anything is
    sent. Events are sent in the order of their time. Rejected rows are counted and written to the
    reject file with their line and the reason.

    \b
    Try it first:
      concierge feed orders.csv --topic purchases --sql orders.sql --dry-run
    Then send, a day in about a minute and a half:
      concierge feed orders.csv --topic purchases --sql orders.sql --speed 1000x
    """
    if len(topics) != len(queries):
        raise click.UsageError(f"{len(topics)} --topic, {len(queries)} --sql; give them in pairs")
    if rejects is None and not dry_run:
        rejects = Path(source[0].name + ".rejected.jsonl")
    began_s = monotonic()
    kept = RejectFile(rejects)
    with _clear_errors(), open_tables(source, read, further) as tables:
        results = [
            (topic, run_query(tables, _text(path), path.name))
            for topic, path in zip(topics, queries, strict=True)
        ]
        run = FileFeed(
            tables,
            results,
            int(time() * 1000),
            kept.take,
            skip=options["skip"],
            limit=options["limit"],
        )
        for topic, result in results:
            for column in empty_columns(result):
                click.echo(
                    f"{result.name}: `{column}` is empty in every event of {topic}", err=True
                )
        if options["strict"]:
            run.check_all()
        sending = None if dry_run else _sending(kafka, Pace(rate, speed))
        # Before anything is sent: it must be possible to write rejected rows.
        kept.open(append=options["skip"] > 0)
        first: list[Event] = []
        families = _families_of_catalogue()
        try:
            send_all(run, sending, first, families)
        finally:
            kept.close()
            summarise(run, kept, sending, first, monotonic() - began_s, as_json=as_json)
            if families is not None and (warning := families.warning()) is not None:
                click.echo(warning, err=True)


def _families_of_catalogue() -> UnknownFamilies | None:
    """Return a tally against CONCIERGE_CATALOGUE_PATH; None where it is not set.

    The shop's catalogue, which a worker takes then, is hardly the one that is meant.
    """
    settings = settings_from()
    if not settings.catalogue_path:
        return None
    path = catalogue_path(settings)
    return UnknownFamilies(parse_catalogue(path.read_bytes(), str(path)).families)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turn errors that a user can correct into one clear message."""
    try:
        yield
    except MissingDuckDB as error:
        missing = click.ClickException(str(error))
        missing.exit_code = 2
        raise missing from error
    except (DataFileError, SettingsError, FeedError, StrictError) as error:
        raise click.ClickException(str(error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error


def _sending(kafka: str | None, pace: Pace) -> Sending:
    settings = settings_from(kafka)
    producer: EventProducer = Producer(producer_settings(librdkafka_config(settings)))
    return Sending(producer, settings.topic_prefix, pace, _schema_ids(settings))


def _schema_ids(settings: Settings) -> dict[str, int] | None:
    """Return the registry's ids of the input schemas; None for the bundled ones."""
    if not settings.schema_registry_url:
        return None
    registry = RegistrySchemas(settings)
    try:
        return registry.register(
            {t.with_prefix(settings.topic_prefix).name: t.name for t in INPUTS}
        )
    except (RegistryRefused, RegistryUnavailable) as error:
        raise click.ClickException(str(error)) from error
    finally:
        registry.close()
