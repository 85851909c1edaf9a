"""`concierge challenger`: the model that decides beside the one in use, before it takes over."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.progress import Progress

from streams.analysis.challenger_tally import Bouts
from streams.cli.console import screen
from streams.cli.logged_decisions import logged_decisions, logged_outcomes
from streams.cli.options import kafka_option, limit_option, settings_from
from streams.cli.published_catalogues import PublishedCatalogues
from streams.cli.reports.challenger_report import print_report, public


@click.command()
@kafka_option
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def challenger(kafka: str | None, limit: int, as_json: bool) -> int:
    """Compare the catalogue's `challenger` with the model in use.

    It learns from the same outcomes and decides about the same candidates with the same draw, but
    nothing of it is published. Shown are how often both choose the same, how well each foresaw the
    outcomes before learning them, and what the challenger's choices would have earned: estimated
    from the logged action probabilities (IPS, SNIPS, DR) with intervals that hold at every look.
    """
    settings = settings_from(kafka)
    bouts = Bouts(PublishedCatalogues(settings).get)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading decisions", total=None)
        for decision in logged_decisions(settings, limit):
            bouts.add(decision)
            progress.advance(task)
        outcomes = logged_outcomes(settings, bouts.waits_for)
    if as_json:
        click.echo(json.dumps(public(bouts, outcomes)))
    else:
        print_report(screen(), bouts, outcomes)
    return 0
