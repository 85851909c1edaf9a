"""`concierge uplift`: what personalization gained compared with the control group."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from models.evaluation.experiment import Comparison, Experiment, intended_split
from models.evaluation.ledger import HOLDOUT, TREATED
from schemas.records import LESSON_DECODER
from schemas.symbols import ARMS
from schemas.topics import LESSONS
from streams.cli.console import stdout_console
from streams.cli.options import kafka_option, settings_from
from streams.cli.read_topic import read_topic
from streams.cli.reports.uplift_report import as_json as uplift_as_json
from streams.cli.reports.uplift_report import plot as uplift_plot
from streams.cli.reports.uplift_report import print_report
from streams.core.catalogue.values import ArmRatios, Catalogue
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings
from streams.shell.versions.catalogue_file import parse_catalogue


@click.command()
@kafka_option
@click.option(
    "--catalogue",
    metavar="FILE",
    help="Catalogue with the intended shares of the arms; default: the one a worker would use.",
)
@click.option(
    "--arm",
    type=click.Choice(ARMS),
    default=TREATED,
    show_default=True,
    help="The arm to evaluate.",
)
@click.option(
    "--against",
    type=click.Choice(ARMS),
    default=HOLDOUT,
    show_default=True,
    help="The arm to compare it with.",
)
@click.option("--value", "by_value", is_flag=True, help="Compare money spent, not conversions.")
@click.option("--all", "everything", is_flag=True, help="Also list what has too little data yet.")
@click.option(
    "--plot", type=click.Path(dir_okay=False), metavar="FILE.svg", help="Also write a plot (SVG)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def uplift(
    kafka: str | None,
    catalogue: str | None,
    arm: str,
    against: str,
    by_value: bool,
    everything: bool,
    plot: str | None,
    as_json: bool,
) -> int:
    """Show what personalization gained: (CR_with - CR_without) / CR_without.

    CR is the share of customers who bought within the window of their first decision (for a family
    or an action: the first decision about it). Decisions are made for the control group, too, but
    nothing is published: its share is CR_without. Each interval (95 %) is valid however often you
    look at it.

    Later decisions do not count. A customer's reaction to the first one influences whether others
    follow, and the control group has nothing to react to.
    """
    given = {} if catalogue is None else {"CATALOGUE_PATH": catalogue}
    settings = settings_from(kafka, **given)
    intended = _catalogue(settings)
    experiment = Experiment(_split(intended.arms), intended.currency)
    _read(settings, experiment)
    what = Comparison(arm, against, by_value)
    found = experiment.uplifts(what)
    if plot is not None:
        Path(plot).write_text(uplift_plot(found, what), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(uplift_as_json(experiment, found, intended.currency)))
    else:
        print_report(stdout_console(), experiment, found, what, intended.currency, everything)
    return 0


def _catalogue(settings: Settings) -> Catalogue:
    try:
        path = catalogue_path(settings)
        return parse_catalogue(path.read_bytes(), str(path))
    except OSError as error:
        what = f"cannot read the catalogue {error.filename}: {error.strerror}"
        raise click.ClickException(what) from error


def _split(arms: ArmRatios) -> dict[str, float] | None:
    return intended_split(arms.holdout, 1.0 - arms.holdout - arms.random - arms.model_only)


def _read(settings: Settings, experiment: Experiment) -> None:
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading settled decisions", total=None)
        for messages in read_topic(settings, LESSONS):
            for message in messages:
                experiment.see(LESSON_DECODER.decode(message.value() or b""))
            progress.advance(task, len(messages))
