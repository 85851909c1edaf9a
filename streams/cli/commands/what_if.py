"""`concierge what-if`: what a changed catalogue would have done, and what that is worth."""

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
from streams.cli.console import screen
from streams.cli.logged_decisions import logged_decisions, logged_outcomes
from streams.cli.options import kafka_option, limit_option, settings_from
from streams.cli.published_catalogues import PublishedCatalogues
from streams.cli.reports.what_if_report import print_report, public
from streams.shell.versions.catalogue_file import parse_catalogue

_WAVE = 1_000


@click.command("what-if")
@click.argument("catalogue", type=click.Path(dir_okay=False, exists=True))
@kafka_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Only decisions from this time on (UTC); older ones still count as contacts.",
)
@limit_option
@click.option("--show", type=click.IntRange(0), default=5, show_default=True, help="Examples.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def what_if(
    catalogue: str,
    kafka: str | None,
    since: datetime | None,
    limit: int,
    show: int,
    as_json: bool,
) -> int:
    """Decide the logged decisions again under CATALOGUE and tell what would differ.

    Rules, values, levers, context weights, exploration, prices and contact limits are asked again
    on what each decision record holds; propensities stay as the model of that day gave them.
    Each decision is changed by itself: limits count the contacts that were really made, and what a
    drift had tried more often for a while is not tried more often here.

    The value is that of rewarded decisions at the new catalogue's values, estimated from the
    logged action probabilities (IPS, SNIPS, DR) with intervals that hold at every look. What the
    log cannot tell (new actions, what old rules always dropped) is counted, and not estimated.
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
    worth = evaluate(rows)
    if as_json:
        click.echo(json.dumps(public(tally, worth)))
    else:
        print_report(screen(), tally, worth)
    return 0
