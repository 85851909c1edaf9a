"""The whole road: one worker with all roles on a real Kafka, everything durable.

Customers first get some minutes of history, which also teaches the model. Measured are as many
minutes half a day later, when answers to what was published come in and attribution windows end;
all of it lies ready, and the time passes with what was read.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from schemas.records import NextBestAction
from schemas.topics import DECISIONS, NEXT_BEST_ACTIONS
from schemas.wire import decode_action
from streams.shell.kafka.topic_reader import read_to_end
from tests.bench.broker import PARTITIONS, BenchKafka, Cluster
from tests.bench.options import Options
from tests.bench.report import Found, Sheet
from tests.bench.road.catalogue import catalogue
from tests.bench.road.drive import Watch, drive, drive_all
from tests.bench.road.installation import Installation
from tests.bench.road.road_table import RoadRun, found
from tests.bench.road.shells import Shells, sheet, shells
from tests.bench.road.stages import Budget
from tests.bench.road.traffic import GAP_MS, SPAN_MS, Traffic

ROLES = ("intake", "decide", "learn")
# The roles of each process: as `concierge worker`, and with `--apart --decide-processes 2`.
ONE_PROCESS = (",".join(ROLES),)
APART = (*ROLES, "decide")
_EVENTS, _QUICK_EVENTS = 300_000, 20_000
_CUSTOMERS, _QUICK_CUSTOMERS = 100_000, 8_000
_RUNS, _QUICK_RUNS = 3, 1
_ACTIONS = 20
_BUDGET_EVENTS, _QUICK_BUDGET_EVENTS = 50_000, 10_000
_SHELL_EVENTS, _QUICK_SHELL_EVENTS = 60_000, 8_000
# History is a part of what is measured: enough for state and a model.
_HISTORY = 0.4
# A pure feed is dated in the past, and its ticks come from here.
SIMULATED = {"clock": "off"}


def whole_road(options: Options, console: Console) -> Found:
    """Run the whole road several times, each role once alone, and the pure stages."""
    runs, apart = [], []
    with BenchKafka() as broker, tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(broker.bootstrap)
        path = Path(folder) / "catalogue.yaml"
        path.write_text(catalogue(_ACTIONS), encoding="utf-8")
        for number in range(options.size(options.runs, _RUNS, _QUICK_RUNS)):
            run = _run(cluster, path, f"road{number}.", options)
            runs.append(run)
            console.print(f"whole road, run {number + 1}: {run.events_per_s:,.0f} events/s")
            run = _run(cluster, path, f"apart{number}.", options, APART)
            apart.append(run)
            console.print(f"roles apart, run {number + 1}: {run.events_per_s:,.0f} events/s")
        alone = _alone(cluster, path, "alone.", options)
        compared = _shells(cluster, path, options)
        cluster.close()
    budget = Budget(
        options.size(options.events, _BUDGET_EVENTS, _QUICK_BUDGET_EVENTS),
        options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS),
        _ACTIONS,
    )
    stages = budget.measure()
    return found(runs, apart, alone, stages, compared)


def _shells(cluster: Cluster, path: Path, options: Options) -> tuple[Shells, Sheet] | None:
    if options.peers and "quix" not in options.peers:
        return None
    events = options.size(options.events, _SHELL_EVENTS, _QUICK_SHELL_EVENTS)
    customers = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    runs = options.size(options.runs, _RUNS, _QUICK_RUNS)
    found = shells(cluster, path, events, customers, runs)
    return found, sheet(found, events)


def capacity(cluster: Cluster, path: Path, prefix: str, options: Options) -> float:
    """Return the events/s of one run of the whole road."""
    return _run(cluster, path, prefix, options).events_per_s


def _run(
    cluster: Cluster,
    path: Path,
    prefix: str,
    options: Options,
    processes: Sequence[str] = ONE_PROCESS,
) -> RoadRun:
    """Run the road once; `processes` has the roles of each."""
    installation, events, answers_from_ms = _with_history(cluster, path, prefix, options)
    before = [cluster.held(installation.name(topic)) for topic in (DECISIONS, NEXT_BEST_ACTIONS)]
    with ExitStack() as stack:
        workers = [stack.enter_context(installation.worker(roles=each)) for each in processes]
        watch = drive_all(installation, workers, ROLES, _passing(installation, answers_from_ms))
    after = [cluster.held(installation.name(topic)) for topic in (DECISIONS, NEXT_BEST_ACTIONS)]
    cluster.remove(prefix.rstrip("."))
    return RoadRun(
        events, watch, after[0] - before[0], after[1] - before[1], watch.cpu_s / events * 1e6
    )


def _alone(cluster: Cluster, path: Path, prefix: str, options: Options) -> dict[str, Watch]:
    """Let each role alone read what the one before it has written."""
    installation, _, answers_from_ms = _with_history(cluster, path, prefix, options)
    watches = {}
    for role in ROLES:
        with installation.worker(roles=role) as worker:
            passing = _passing(installation, answers_from_ms)
            watches[role] = drive(installation, worker, [role], passing)
    return watches


def _with_history(
    cluster: Cluster, path: Path, prefix: str, options: Options
) -> tuple[Installation, int, int]:
    """Return an installation with its history done and the events to be measured laid ready."""
    events = options.size(options.events, _EVENTS, _QUICK_EVENTS)
    customers = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    installation = Installation(cluster, prefix, path, **SIMULATED)
    middle_ms = int(time.time() * 1_000) - SPAN_MS
    first = Traffic(customers, middle_ms - GAP_MS, middle_ms - GAP_MS + SPAN_MS, 1)
    _lay_ready(installation, first, int(events * _HISTORY))
    with installation.worker() as worker:
        drive(installation, worker, ROLES, _passing(installation, middle_ms - GAP_MS))
    actions = _actions(installation)
    already = sum(installation.ends("intake").values())
    second = Traffic(customers, middle_ms, middle_ms + SPAN_MS, 2, actions)
    _lay_ready(installation, second, events)
    assert sum(installation.ends("intake").values()) == already + events
    return installation, events, middle_ms


def _lay_ready(installation: Installation, traffic: Traffic, count: int) -> None:
    installation.fill(
        (sent.topic, sent.customer.encode(), sent.encoded()) for sent in traffic.events(count)
    )


def _actions(installation: Installation) -> list[NextBestAction]:
    name, client = installation.name(NEXT_BEST_ACTIONS), installation.cluster.client
    return [
        decode_action(message.value() or b"")
        for messages in read_to_end(client, name, range(PARTITIONS), threading.Event())
        for message in messages
    ]


def _passing(installation: Installation, from_ms: int) -> Callable[[float], None]:
    """Return what passes the time of the input: as far as intake has read."""
    begun: list[float] = []

    def passing(share: float) -> None:
        # Of history and input together, where history was read long ago.
        begun.append(share)
        done = (share - begun[0]) / max(1 - begun[0], 0.001)
        installation.tick(from_ms + int(SPAN_MS * done))

    return passing
