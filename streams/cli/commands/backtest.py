"""`concierge backtest`: what our decisions would have earned on a logged campaign."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from time import process_time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.analysis.backtest.log_columns import LogError
from streams.analysis.backtest.read_log import Question
from streams.analysis.backtest.run_backtest import Findings, Options, backtest
from streams.analysis.backtest.supervised import target_query
from streams.cli.commands.backtest_options import replay_options
from streams.cli.data_files import FILE, data_file_options
from streams.cli.reports.backtest_report import show, summary
from streams.cli.reports.reliability_plot import reliability_svg
from streams.files.load_table import MissingDuckDB
from streams.files.open_file import DataFileError, ReadOptions

# `--target` without a column: the query names the outcome.
FROM_QUERY = ""


@click.command(name="backtest")
@click.argument("log", type=FILE, nargs=-1, required=True)
@click.option(
    "--sql",
    "sql_file",
    type=FILE,
    help="File with one SELECT over `data`; the names of its columns have a meaning. Examples: "
    "deploy/backtest/.",
)
@click.option(
    "--target",
    is_flag=False,
    flag_value=FROM_QUERY,
    metavar="[COLUMN]",
    help="A supervised log: one outcome (this column, or that of the query) and no actions. "
    "Without --sql all other columns are features. Write it after LOG.",
)
@replay_options
@data_file_options
@click.option(
    "--json", "as_json", is_flag=True, help="Also print the findings as one JSON line at the end."
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the reliability plot (SVG) to this file.",
)
def backtest_command(
    log: tuple[Path, ...],
    sql_file: Path | None,
    target: str | None,
    as_json: bool,
    plot: Path | None,
    options: Options,
    read: ReadOptions,
    further: dict[str, Path],
) -> None:
    """Replay a campaign LOG through the learner and estimate what its decisions would have earned.

    LOG is CSV, JSON Lines, JSON, Avro or Parquet, also compressed; several files are read as one.
    The SQL reads them as the table `data` (all columns text, except of Parquet) or `typed` (numbers
    if a column holds nothing else). Rows are replayed in the order of their time. A label is
    learned only when it would have been known. Rows before the first such label are learned from,
    but not evaluated. Up to two million rows. The same log gives the same output.

    \b
    The columns of the SQL (deploy/backtest/README.md lists all):
      customer, time, action, probability, outcome    who, when, which action, and its outcome
      outcome_time, window, known                     when an outcome is known
      money, value, cost, currency, control           its value; rows without any action
      any other                                       a feature: a number or a category by its type

    \b
    The policies that are compared, per row, each with an interval valid however often you look:
      ours             the best action by what was learned from all earlier rows
      ours, exploring  the same with the exploration of a worker (replay: of a learner that sees
                       only rows where its own choice equals the log's)
      logged           the actions of the log
      best fixed       always the same action, the one that was best in hindsight
      random           every action equally likely

    \b
    Missing values:
      a number         counts as the mean; a second column says that it was missing
      a category       is a category "missing"; new ones have no weight; beyond 64 they share one
      an outcome       counts as none (an empty cell means no)
      a customer       is a customer without a history
      a probability    assumed by --probability; not used in estimates if other rows have one
      time or action   the row is rejected and counted, as with a value that cannot be read

    \b
      concierge backtest campaign.csv --sql my.sql --json
      concierge backtest sessions.csv --target bought --plot reliability.svg
    """
    began_s = process_time()
    options = replace(options, supervised=target is not None)
    try:
        findings = _run(log, _question(log, sql_file, target, read, further), options)
    except MissingDuckDB as error:
        raise click.UsageError(str(error)) from error
    except (DataFileError, LogError) as error:
        raise click.ClickException(str(error)) from error
    seconds = process_time() - began_s
    _warn(findings)
    show(findings, Console(soft_wrap=True))
    rate = seconds / findings.taken.account.rows * 1e6
    click.echo(f"{seconds:.1f} s of processor time, {rate:.0f} us a row", err=True)
    if plot is not None:
        title = f"{log[0].name}: predicted and observed"
        plot.write_text(reliability_svg(findings.progressive.quality, title), encoding="utf-8")
        click.echo(f"reliability plot: {plot}", err=True)
    if as_json:
        click.echo(json.dumps(summary(findings)))


def _question(
    log: tuple[Path, ...],
    sql_file: Path | None,
    target: str | None,
    read: ReadOptions,
    further: dict[str, Path],
) -> Question:
    if sql_file is None:
        if not target:
            raise click.UsageError("give --sql LOG.sql, or --target COLUMN for a supervised log")
        return Question(target_query(log, target, read), "--target", read, further)
    if target:
        raise click.UsageError(
            f"--sql names the outcome itself: write `{target} AS outcome` there, and --target alone"
        )
    try:
        sql = sql_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{sql_file}: cannot be read: {error}") from error
    return Question(sql, str(sql_file), read, further)


def _run(log: tuple[Path, ...], question: Question, options: Options) -> Findings:
    with _progress() as progress:
        tasks = {name: progress.add_task(name, total=1.0, rows=0) for name in _STAGES}

        def show_progress(stage: str, share: float, rows: int) -> None:
            progress.update(tasks[stage], completed=share, rows=rows)

        return backtest(log, question, options, show_progress)


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
