"""`concierge uplift`: what personalization gained over leaving customers alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from threading import Event
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from models.evaluation.experiment import Comparison, Experiment, intended_split
from models.evaluation.ledger import HOLDOUT, OVERALL, TREATED
from models.evaluation.uplift_estimate import Rate, Uplift, conversion_rate
from schemas.records import LESSON_DECODER
from schemas.symbols import ARMS
from schemas.topics import LESSONS
from streams.cli.console import screen
from streams.cli.options import kafka_option, settings_from
from streams.cli.reports.uplift_report import plot_of, print_report
from streams.core.catalogue.values import ArmRatios, Catalogue
from streams.shell.kafka.client_config import librdkafka_config
from streams.shell.kafka.topic_admin import partitions_of
from streams.shell.kafka.topic_reader import read_to_end
from streams.shell.settings.paths import catalogue_path
from streams.shell.settings.settings import Settings
from streams.shell.versions.catalogue_file import parse_catalogue


@click.command()
@kafka_option
@click.option(
    "--catalogue",
    metavar="FILE",
    help="Catalogue with the intended arms; else as a worker would find it.",
)
@click.option(
    "--arm", type=click.Choice(ARMS), default=TREATED, show_default=True, help="The arm to judge."
)
@click.option(
    "--against",
    type=click.Choice(ARMS),
    default=HOLDOUT,
    show_default=True,
    help="The arm to compare it with.",
)
@click.option("--value", "by_value", is_flag=True, help="Compare money spent, not conversions.")
@click.option("--all", "everything", is_flag=True, help="Also what cannot be told yet.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="FILE.svg", help="Draw it, too.")
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
    """Tell what personalization gained: (CR_with - CR_without) / CR_without.

    CR is the share of customers who bought within the window of their first decision (of a family
    or an action: of the first about it). Held-out customers are decided for like all others, and
    get nothing: they are CR_without. The intervals hold at every look (95 %, each by itself), so
    look as often as you like.

    Later decisions do not count: what a customer did with the first would select who gets them,
    and only those who got something could do anything with it.
    """
    given = {} if catalogue is None else {"CATALOGUE_PATH": catalogue}
    settings = settings_from(kafka, **given)
    intended = _catalogue(settings)
    experiment = Experiment(_split(intended.arms), intended.currency)
    _read(settings, experiment)
    what = Comparison(arm, against, by_value)
    found = experiment.uplifts(what)
    if plot is not None:
        Path(plot).write_text(plot_of(found, what), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_public(experiment, found, intended.currency)))
    else:
        print_report(screen(), experiment, found, what, intended.currency, everything)
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
    client, topic = librdkafka_config(settings), settings.topic_prefix + LESSONS.name
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading settled decisions", total=None)
        for messages in read_to_end(client, topic, partitions_of(client, topic), Event()):
            for message in messages:
                experiment.see(LESSON_DECODER.decode(message.value() or b""))
            progress.advance(task, len(messages))


def _public(experiment: Experiment, found: list[Uplift], currency: str) -> dict[str, Any]:
    """Return what was found; a mean of money (`--value`) is in minor units of the currency."""
    ledger, split = experiment.ledger, experiment.split
    return {
        "currency": currency,
        "spent_in_other_currencies": experiment.other_currencies,
        "settled": ledger.settled,
        "repeated": experiment.repeated,
        "decided_from_ms": ledger.first_ms,
        "decided_to_ms": ledger.last_ms,
        "arms": {arm: _rate(conversion_rate(ledger.sums(OVERALL, arm))) for arm in ARMS},
        "srm": None
        if split is None
        else {"alarm": split.alarm, "p_value": split.p_value, "customers": split.counts},
        "uplift": [
            {
                "kind": each.kind,
                "name": each.name,
                "with": _rate(each.treated),
                "without": _rate(each.without),
                "uplift": _finite(each.relative.value),
                "low": _finite(each.relative.low),
                "high": _finite(each.relative.high),
                "evaluable": each.evaluable,
                "reason": each.reason,
            }
            for each in found
        ],
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "customers": rate.decisions,
        "conversions": rate.conversions,
        "mean": _finite(rate.mean),
    }


def _finite(number: float) -> float | None:
    """JSON knows no infinity and no nan."""
    return number if math.isfinite(number) else None
