"""How soon a worker is back: reading a million customers' state, and its first new decision."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console

from schemas.topics import DECISIONS
from tests.bench.broker import BenchKafka, Cluster
from tests.bench.options import Options
from tests.bench.plot import Bar, bars
from tests.bench.process import Measured, ProcessEnded
from tests.bench.report import Found, Sheet, spread, thousands
from tests.bench.road.catalogue import catalogue
from tests.bench.road.installation import Installation, RoadWorker
from tests.bench.road.states import Seasoned

_CUSTOMERS, _QUICK_CUSTOMERS = 1_000_000, 20_000
_RUNS, _QUICK_RUNS = 3, 1
_FEED_PER_S, _FEED_S = 200, 240
_LOOK_EVERY_S = 0.01
_BACK_WITHIN_S = 180.0
_STATIC = {"instance_id": "bench"}


class Back(NamedTuple):
    """One restart: reading back, and the seconds from the kill to the first new decision."""

    records_per_s: float
    reading_s: float
    peak_mib: float
    first_decision_s: float


def recovery(options: Options, console: Console) -> Found:
    """Kill a worker under load several times, with and without a lasting name in its group."""
    customers = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    backs: dict[str, list[Back]] = {"with instance_id": [], "without": []}
    runs = options.size(options.runs, _RUNS, _QUICK_RUNS)
    with BenchKafka() as broker, tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(broker.bootstrap)
        path = Path(folder) / "catalogue.yaml"
        path.write_text(catalogue(), encoding="utf-8")
        seasoned = Seasoned()
        for kind, settings in (("with instance_id", _STATIC), ("without", {})):
            if options.quick and not settings:
                continue
            prefix = f"recovery-{len(settings)}."
            # Their own clock would fire a million timers of long ago.
            installation = Installation(cluster, prefix, path, clock="off", **settings)
            seasoned.put_states(installation, customers)
            backs[kind] = _kills(installation, customers, runs)
            for back in backs[kind]:
                console.print(f"{kind}: {back.records_per_s:,.0f} records/s")
            cluster.remove(prefix.rstrip("."))
        cluster.close()
    return _found({kind: found for kind, found in backs.items() if found}, customers)


def _kills(installation: Installation, customers: int, runs: int) -> list[Back]:
    backs = []
    count = _FEED_PER_S * _FEED_S * (runs + 1)
    numbers = map(str, (_FEED_PER_S, count, customers, 1))
    feeder = [sys.executable, "-m", "tests.bench.road.feeder"]
    worker = installation.worker()
    try:
        worker.await_ready()
        feed = Measured([*feeder, installation.cluster.bootstrap, installation.prefix, *numbers])
        with feed:
            feed.line("began", _BACK_WITHIN_S)
            _await_more(installation, worker, 0)
            for _ in range(runs):
                worker.kill()
                killed_s = time.monotonic()
                decided = installation.cluster.held(installation.name(DECISIONS))
                worker = installation.worker()
                _await_more(installation, worker, decided)
                first_s = time.monotonic() - killed_s
                worker.await_ready()
                records = worker.metric("concierge_recovered_records_total", role="decide")
                reading_s = worker.metric("concierge_recovery_seconds_sum", role="decide")
                if records < customers:
                    raise AssertionError(f"{records:,.0f} of {customers:,} states were read")
                backs.append(Back(records / reading_s, reading_s, worker.peak_mib(), first_s))
    finally:
        worker.kill()
    return backs


def _await_more(installation: Installation, worker: RoadWorker, decided: int) -> None:
    name = installation.name(DECISIONS)
    deadline_s = time.monotonic() + _BACK_WITHIN_S
    while installation.cluster.held(name) <= decided:
        worker.check()
        if time.monotonic() > deadline_s:
            raise ProcessEnded(f"no decision in {_BACK_WITHIN_S:.0f} s: {worker.tail()}")
        time.sleep(_LOOK_EVERY_S)


def _found(backs: dict[str, list[Back]], customers: int) -> Found:
    rows, plotted = [], []
    for kind, found in backs.items():
        low, middle, high = spread([back.records_per_s for back in found])
        firsts = spread([back.first_decision_s for back in found])
        rows.append(
            (
                kind,
                *map(thousands, (low, middle, high)),
                f"{median(back.reading_s for back in found):.1f}",
                *(f"{each:.1f}" for each in firsts),
                thousands(median(back.peak_mib for back in found)),
            )
        )
        plotted.append(Bar(kind, firsts[1], firsts[0], firsts[2]))
    sheet = Sheet(
        f"A worker killed and started again, {customers:,} customers",
        (
            *("", "records/s min", "median", "max", "reading s"),
            *("first decision s min", "median", "max", "MiB at most"),
        ),
        rows,
        [
            "records/s: the worker's own recovery (reading, timers), by its metrics. First "
            "decision: from SIGKILL, process start and imports included; without instance_id the "
            "group first waits for the session timeout."
        ],
    )
    everything: Sequence[Back] = [back for found in backs.values() for back in found]
    first = next(iter(backs.values()))
    numbers = {
        "records_per_s": round(median(back.records_per_s for back in everything)),
        "kill_to_first_decision_s": round(median(back.first_decision_s for back in first), 2),
    }
    plot = bars("From SIGKILL to the first new decision", "seconds", plotted)
    return Found("recovery", numbers, [sheet], {"recovery": plot})
