"""`concierge what-if`: how a changed catalogue would have decided, and the value of that."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from models.evaluation.policy_value import evaluate
from schemas.records import Decision
from streams.analysis.what_if_tally import Tally
from streams.cli.console import stdout_console
from streams.cli.logged_decisions import logged_decisions, logged_outcomes
from streams.cli.options import kafka_option, limit_option, settings_from
from streams.cli.published_catalogues import PublishedCatalogues
from streams.cli.reports.what_if_report import as_json as report_as_json
from streams.cli.reports.what_if_report import print_report
from streams.shell.versions.catalogue_file import parse_catalogue

_WAVE = 1_000


@click.command("what-if")
@click.argument("catalogue", type=click.Path(dir_okay=False, exists=True))
@kafka_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Only decisions since this time (UTC); older ones still count as contacts.",
)
@limit_option
@click.option(
    "--show",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many examples to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def what_if(
    catalogue: str,
    kafka: str | None,
    since: datetime | None,
    limit: int,
    show: int,
    as_json: bool,
) -> int:
    """Decide the logged decisions again with CATALOGUE and show what would differ.

    Rules, values, levers, context weights, exploration, prices and contact limits are evaluated
    again on each decision record; propensities stay as the model of that day gave them. Each
    decision is changed by itself: contact limits count the contacts that were really made. The
    extra exploration after a drift is not repeated.

    The value is that of rewarded decisions at the new catalogue's values. It is estimated from the
    logged action probabilities (IPS, SNIPS, DR); each interval is valid however often you look at
    it. What the log cannot show (new actions, what old rules always dropped) is counted, but not
    estimated.
    """
    text = Path(catalogue).read_bytes()
    new = parse_catalogue(text, catalogue)
    settings = settings_from(kafka)
    since_ms = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
    olds = PublishedCatalogues(settings)
    tally = Tally(new, olds.get, since_ms, show)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("deciding again", total=None)
        wave: list[Decision] = []
        for decision in logged_decisions(settings, limit):
            wave.append(decision)
            if len(wave) == _WAVE:
                tally.add(wave)
                progress.advance(task, len(wave))
                wave = []
        tally.add(wave)
        outcomes = logged_outcomes(settings, tally.waits_for)
    rows = tally.rows(outcomes)
    value = evaluate(rows)
    if as_json:
        click.echo(json.dumps(report_as_json(tally, value)))
    else:
        print_report(stdout_console(), tally, value)
    return 0
