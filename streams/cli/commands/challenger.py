"""`concierge challenger`: the model that decides beside the one in use, before it takes over."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.progress import Progress

from streams.analysis.challenger_tally import ChallengerComparisons
from streams.cli.console import stdout_console
from streams.cli.logged_decisions import logged_decisions, logged_outcomes
from streams.cli.options import kafka_option, limit_option, settings_from
from streams.cli.published_catalogues import PublishedCatalogues
from streams.cli.reports.challenger_report import as_json as report_as_json
from streams.cli.reports.challenger_report import print_report


@click.command()
@kafka_option
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def challenger(kafka: str | None, limit: int, as_json: bool) -> int:
    """Compare the catalogue's `challenger` with the model in use.

    The challenger learns from the same outcomes and decides about the same candidates with the same
    draw, but its decisions are not published. The report shows how often both choose the same and
    how well each predicted the outcomes before it learned them. It also estimates what the
    challenger's choices would have earned, from the logged action probabilities (IPS, SNIPS, DR).
    Each interval is valid however often you look at it.
    """
    settings = settings_from(kafka)
    comparisons = ChallengerComparisons(PublishedCatalogues(settings).get)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("reading decisions", total=None)
        for decision in logged_decisions(settings, limit):
            comparisons.add(decision)
            progress.advance(task)
        outcomes = logged_outcomes(settings, comparisons.waits_for)
    if as_json:
        click.echo(json.dumps(report_as_json(comparisons, outcomes)))
    else:
        print_report(stdout_console(), comparisons, outcomes)
    return 0
