"""`concierge feed`: send one's own history to the input topics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time

import click
from confluent_kafka import Producer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from schemas.topics import INPUTS
from streams.cli.options import settings_from
from streams.demo.events import Sent
from streams.demo.feed import Account, Feed, StrictError, described
from streams.demo.feeding import EventProducer, FeedError, Pace, Sending, producer_settings
from streams.demo.mapping import load_mapping
from streams.demo.mapping_file import MappingError
from streams.demo.sources import SourceError
from streams.runtime.clients import librdkafka_config
from streams.runtime.registry import RegistryRefused, RegistrySchemas, RegistryUnavailable
from streams.runtime.settings import Settings, SettingsError

_SHOW_EVERY = 500


class SpeedParam(click.ParamType):
    """A factor such as `1000x`."""

    name = "factor"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the factor; fails for what is no number above 0."""
        try:
            speed = float(str(value).lower().removesuffix("x"))
        except ValueError:
            speed = 0.0
        if not 0.0 < speed < float("inf"):
            self.fail(f"{value!r} is no factor; write for example 1000x", param, ctx)
        return speed


class RateParam(click.ParamType):
    """Events per second, such as `500` or `500/s`."""

    name = "events/s"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return events per second; fails for what is no number above 0."""
        try:
            rate = float(str(value).lower().removesuffix("/s"))
        except ValueError:
            rate = 0.0
        if not 0.0 < rate < float("inf"):
            self.fail(f"{value!r} is no rate; write for example 500/s", param, ctx)
        return rate


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "map_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Mapping file (YAML): which column becomes which field. Examples: deploy/feeds/.",
)
@click.option("--kafka", metavar="HOST:PORT", help="Brokers; else CONCIERGE_KAFKA.")
@click.option("--rate", type=RateParam(), help="Send at most this many events a second.")
@click.option(
    "--speed",
    type=SpeedParam(),
    help="Replay event time this much faster than it passed, e.g. 1000x. Gaps of more than a "
    "minute are cut to a minute.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Stop after this many events.")
@click.option("--dry-run", is_flag=True, help="Read, turn and check everything, send nothing.")
@click.option("--strict", is_flag=True, help="Stop at the first bad row (exit code 1).")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="File for bad rows, one JSON line each; default SOURCE.rejected.jsonl in the current "
    "folder. Not written by a dry run unless given.",
)
def feed(
    source: Path,
    map_file: Path,
    kafka: str | None,
    rate: float | None,
    speed: float | None,
    limit: int | None,
    dry_run: bool,
    strict: bool,
    rejects: Path | None,
) -> None:
    """Send the rows of SOURCE to an input topic, as its mapping file says.

    SOURCE is CSV or JSON Lines (also .gz), Avro, or Parquet (needs the extra `parquet`). Events
    go out in the file's order, as fast as the broker takes them unless --rate or --speed says
    otherwise. Every event is checked as the input side would check it; a row that cannot become
    an event is counted and written to the reject file with its row number and the reason.

    \b
    Try a mapping first:
      concierge feed history.csv --map deploy/feeds/online_retail.yaml --dry-run
    Then send, a day in about a minute and a half:
      concierge feed history.csv --map my.yaml --kafka localhost:9092 --speed 1000x
    """
    reject_file = rejects
    if rejects is None and not dry_run:
        reject_file = Path(source.name + ".rejected.jsonl")
    began_s = monotonic()
    try:
        run = Feed(load_mapping(map_file), source, int(time() * 1000), strict, limit, reject_file)
        sending = None if dry_run else _sending(kafka, Pace(rate, speed))
        with _progress() as progress:
            task = progress.add_task(source.name, total=1.0, events=0, rejected=0)
            run.run(lambda events: _send(_shown(events, run.account, progress, task), sending))
            _show(run.account, progress, task)
    except (MappingError, SourceError, SettingsError, FeedError, StrictError) as error:
        raise click.ClickException(str(error)) from error
    _summarise(run, monotonic() - began_s, dry_run=dry_run)


def _send(events: Iterator[Sent], sending: Sending | None) -> None:
    if sending is None:
        for _ in events:
            pass
        return
    sending.send(events)
    sending.finish()


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
        return registry.register({settings.topic_prefix + t.name: t.name for t in INPUTS})
    except (RegistryRefused, RegistryUnavailable) as error:
        raise click.ClickException(str(error)) from error
    finally:
        registry.close()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[events]:,} events"),
        TextColumn("{task.fields[rejected]:,} rejected"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _shown(
    events: Iterator[Sent], account: Account, progress: Progress, task: TaskID
) -> Iterator[Sent]:
    for number, event in enumerate(events):
        if number % _SHOW_EVERY == 0:
            _show(account, progress, task)
        yield event


def _show(account: Account, progress: Progress, task: TaskID) -> None:
    progress.update(
        task,
        completed=account.share_read,
        events=account.events.total(),
        rejected=account.rejected.total(),
    )


def _summarise(run: Feed, seconds: float, *, dry_run: bool) -> None:
    account = run.account
    for bad in account.bad_rows:
        click.echo(f"rejected {described(run.source, bad)}", err=True)
    more = account.rejected.total() - len(account.bad_rows)
    if more > 0:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in account.rejected.most_common(5))
        click.echo(f"rejected {more:,} more (all: {kinds})", err=True)
    if run.reject_file is not None and account.rejected:
        click.echo(f"rejected rows are in {run.reject_file}", err=True)
    counts = ", ".join(f"{count:,} to {topic}" for topic, count in account.events.items())
    click.echo(
        f"{account.rows:,} rows: {'would send' if dry_run else 'sent'} {counts or 'nothing'}; "
        f"{account.left_out:,} rows left out, {account.rejected.total():,} rejected; "
        f"{seconds:.1f} s"
    )
