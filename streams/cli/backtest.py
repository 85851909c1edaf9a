"""`concierge backtest`: would our decisions have been better, on a log of one's own?"""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.backtest.fields import LogError
from streams.backtest.log_map import compile_map
from streams.backtest.plot import reliability_svg
from streams.backtest.report import show, summary
from streams.backtest.run import Findings, Options, backtest
from streams.backtest.supervised import target_document
from streams.demo.mapping_file import MappingError, read_document
from streams.demo.sources import SourceError

# `--target` alone: the outcome is the one that the map names.
FROM_MAP = ""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="backtest")
@click.argument("log", type=_FILE, nargs=-1, required=True)
@click.option(
    "--map",
    "map_file",
    type=_FILE,
    help="Map file (YAML): which column says what. Examples: deploy/backtest/.",
)
@click.option(
    "--target",
    is_flag=False,
    flag_value=FROM_MAP,
    metavar="[COLUMN]",
    help="A supervised log: one outcome (this column, or the map's) and no actions. Without a map "
    "all other columns are features. Give it after LOG.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one last JSON line.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the reliability plot (SVG) to this file.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Read only so many rows.")
@click.option("--strict", is_flag=True, help="Stop at the first bad row (exit code 1).")
def backtest_command(
    log: tuple[Path, ...],
    map_file: Path | None,
    target: str | None,
    as_json: bool,
    plot: Path | None,
    limit: int | None,
    strict: bool,
) -> None:
    """Replay a campaign LOG through our learner and say what its decisions would have earned.

    LOG is CSV or JSON Lines (also .gz), Avro, or Parquet (needs the extra `parquet`); several
    files are read as one. Rows go in time order; a label is learned only when it would have been
    known, and rows before the first such label teach without being judged. Up to two million rows.
    The same log gives the same output.

    \b
    What is compared, per row of the log, each with an interval that holds at every look:
      ours             the best action by what was learned from all earlier rows
      ours, exploring  the same with the exploration of a worker (replay: of a learner that sees
                       only rows where its own choice equals the log's)
      logged           what was done
      best fixed       always the action that was best, in hindsight
      random           every action equally likely

    \b
    Rules for what is missing:
      a number         counts as the mean; a second column says that it was missing
      a category       "missing" is one; an unseen one has no weight; beyond 64 they share one
      an outcome       did not come (an empty cell means no)
      a customer       somebody without a history
      a probability    the map's rule: `shares` of the actions in the log, or `uniform`
      time or action   the row is rejected and counted; also where a value cannot be read

    \b
      concierge backtest campaign.csv --map my.yaml --json
      concierge backtest sessions.csv --target bought --plot reliability.svg
    """
    began_s = process_time()
    try:
        findings = _run(log, map_file, target, Options(target is not None, strict, limit))
    except (MappingError, SourceError, LogError) as error:
        raise click.ClickException(str(error)) from error
    seconds = process_time() - began_s
    _warn(findings)
    show(findings, Console(soft_wrap=True))
    rate = seconds / findings.taken.account.rows * 1e6
    click.echo(f"{seconds:.1f} s of processor time, {rate:.0f} us a row", err=True)
    if plot is not None:
        title = f"{log[0].name}: predicted and come"
        plot.write_text(reliability_svg(findings.progressive.quality, title), encoding="utf-8")
        click.echo(f"reliability plot: {plot}", err=True)
    if as_json:
        click.echo(json.dumps(summary(findings)))


def _run(
    log: tuple[Path, ...], map_file: Path | None, target: str | None, options: Options
) -> Findings:
    if map_file is None and not target:
        raise click.UsageError("give --map MAP.yaml, or --target COLUMN for a supervised log")
    document = read_document(map_file) if map_file is not None else None
    if target is not None:
        document = target_document(document, target)
    assert document is not None
    log_map = compile_map(document)
    with _progress() as progress:
        tasks = {name: progress.add_task(name, total=1.0, rows=0) for name in _STAGES}

        def show_progress(stage: str, share: float, rows: int) -> None:
            progress.update(tasks[stage], completed=share, rows=rows)

        return backtest(log, log_map, map_file or log[0], options, show_progress)


_STAGES = ("reading", "replaying")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _warn(findings: Findings) -> None:
    account = findings.taken.account
    for problem in account.problems:
        click.echo(f"rejected {problem}", err=True)
    more = account.rejected - len(account.problems)
    if more > 0:
        click.echo(f"rejected {more:,} more", err=True)
    for name, count, first in findings.taken.unreadable:
        what = f"column {name}: {count:,} values are no number and count as missing"
        click.echo(f"{what}; the first: {first!r}", err=True)
