"""The same small job by everybody, interleaved, on one broker.

A run's time goes from the first record the worker has in hand (it is started and assigned by then,
the input lies ready) to the broker's own time stamp on its last output: all outputs are visible.
It counts only if every output is right, and the group committed all the input soon after.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from tests.bench.broker import BenchKafka, Cluster
from tests.bench.options import Options
from tests.bench.process import ProcessEnded
from tests.bench.report import Found
from tests.bench.same_job.contenders import CONTENDERS, Contender, Missing
from tests.bench.same_job.run import Run, WrongResult, lay_ready, run_once
from tests.bench.same_job.table import found

_EVENTS, _QUICK_EVENTS = 500_000, 50_000
_CUSTOMERS, _QUICK_CUSTOMERS = 20_000, 2_000
_RUNS, _QUICK_RUNS = 5, 2


def same_job(options: Options, console: Console) -> Found:
    """Run every contender several times, in turn; return rates and ratios."""
    commands, missing = _prepared(options.peers)
    events = options.size(options.events, _EVENTS, _QUICK_EVENTS)
    customers = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    runs: dict[str, list[Run]] = {contender.key: [] for contender in commands}
    with BenchKafka() as broker:
        cluster = Cluster(broker.bootstrap)
        inputs = {
            slowness: lay_ready(cluster, max(events // slowness, 1_000), customers)
            for slowness in {contender.slowness for contender in commands}
        }
        for number in range(options.size(options.runs, _RUNS, _QUICK_RUNS)):
            for contender in _in_turn(list(commands), number):
                if contender.name in missing:
                    continue
                place = f"run{number}-{contender.key.replace('_', '-')}"
                try:
                    run = run_once(cluster, contender, commands[contender], inputs, place)
                except (ProcessEnded, WrongResult) as error:
                    missing[contender.name] = str(error)
                    continue
                runs[contender.key].append(run)
                console.print(
                    f"{contender.name}, run {number + 1}: {run.events_per_s:,.0f} events/s",
                    highlight=False,
                )
        cluster.close()
    ran = [contender for contender in commands if runs[contender.key]]
    return found(ran, runs, missing, inputs)


def _prepared(
    wanted: Sequence[str],
) -> tuple[dict[Contender, Sequence[str]], dict[str, str]]:
    commands: dict[Contender, Sequence[str]] = {}
    missing: dict[str, str] = {}
    for contender in CONTENDERS:
        if wanted and contender.key not in wanted:
            continue
        try:
            commands[contender] = contender.prepare()
        except Missing as reason:
            missing[contender.name] = str(reason)
    return commands, missing


def _in_turn(contenders: list[Contender], number: int) -> list[Contender]:
    """Return all of them, each time another one first."""
    first = number % len(contenders)
    return contenders[first:] + contenders[:first]
