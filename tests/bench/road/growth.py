"""How speed and memory grow: with customers, with actions, with workers."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tests.bench.broker import BenchKafka, Cluster
from tests.bench.options import Options
from tests.bench.plot import lines
from tests.bench.report import Found, Sheet, thousands
from tests.bench.road.catalogue import catalogue
from tests.bench.road.drive import drive, drive_all
from tests.bench.road.installation import Installation
from tests.bench.road.states import Seasoned, timeline
from tests.bench.road.traffic import SPAN_MS, Traffic
from tests.bench.road.whole_road import ROLES, SIMULATED

# And a tenth and a hundredth of them.
_CUSTOMERS, _QUICK_CUSTOMERS = 1_000_000, 20_000
_ACTIONS = (10, 100, 1_000)
_WORKERS = (1, 2, 4)
_EVENTS, _QUICK_EVENTS = 200_000, 8_000
# A thousand actions cost much more an event, and fill the decisions topic.
_EVENTS_PER_ACTION_LIMIT = 4_000_000
_GIB = 1024.0
_START_MS = 1_705_320_000_000
# Stopped workers must not be taken for dead while their input is laid ready.
_PATIENT = {"session_timeout_ms": 120_000}


class Step(NamedTuple):
    """One point: how many of what, decide's (or all) events/s, MiB before and after, CPU."""

    size: int
    events_per_s: float
    resident_mib: float
    peak_mib: float
    cpu_us: float


def growth(options: Options, console: Console) -> Found:
    """Measure each of the three growths by itself."""
    events = options.size(options.events, _EVENTS, _QUICK_EVENTS)
    most = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    sizes = (max(most // 100, 100), max(most // 10, 200), most)
    with BenchKafka() as broker, tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(broker.bootstrap)
        path = Path(folder) / "catalogue.yaml"
        seasoned = Seasoned()
        by_customers = []
        for count in sizes:
            by_customers.append(_decide(cluster, path, seasoned, 20, count, events))
            console.print(f"{count:,} customers: {by_customers[-1].events_per_s:,.0f} events/s")
        by_actions = []
        for count in _ACTIONS[: 2 if options.quick else 3]:
            few = min(events, _EVENTS_PER_ACTION_LIMIT // count)
            step = _decide(cluster, path, Seasoned(count, 200), count, sizes[0], few)
            by_actions.append(step._replace(size=count))
            console.print(f"{count:,} actions: {step.events_per_s:,.0f} events/s")
        by_workers = []
        for count in _WORKERS[: 2 if options.quick else 3]:
            by_workers.append(_workers(cluster, path, count, sizes[0], events))
            console.print(f"{count} workers: {by_workers[-1].events_per_s:,.0f} events/s")
        cluster.close()
    return _found(by_customers, by_actions, by_workers, seasoned.mean_bytes)


def _decide(
    cluster: Cluster, path: Path, seasoned: Seasoned, actions: int, customers: int, events: int
) -> Step:
    """Let one decide worker with so many customers' state read a timeline that lies ready."""
    text = catalogue(actions)
    path.write_text(text, encoding="utf-8")
    prefix = f"decide-{actions}-{customers}."
    installation = Installation(cluster, prefix, path, **SIMULATED)
    seasoned.put_states(installation, customers)
    seasoned.put_versions(installation, text)
    installation.fill(timeline(events, customers))
    with installation.worker(roles="decide") as worker:
        watch = drive(installation, worker, ["decide"])
        held = worker.metric("concierge_customers")
        if held < customers:
            raise AssertionError(f"{held:,.0f} of {customers:,} customers are held")
    cluster.remove(prefix.rstrip("."))
    return Step(
        customers,
        watch.overall("decide"),
        watch.resident_mib,
        watch.peak_mib,
        watch.cpu_s / events * 1e6,
    )


def _workers(cluster: Cluster, path: Path, count: int, customers: int, events: int) -> Step:
    """Let so many whole workers share the input; they begin at once, when it lies ready."""
    path.write_text(catalogue(), encoding="utf-8")
    prefix = f"workers-{count}."
    installation = Installation(cluster, prefix, path, **SIMULATED, **_PATIENT)
    with ExitStack() as stack:
        workers = [stack.enter_context(installation.worker()) for _ in range(count)]
        for worker in workers:
            worker.await_ready()
        installation.await_shared(workers)
        for worker in workers:
            os.kill(worker.pid, signal.SIGSTOP)
        try:
            traffic = Traffic(customers, _START_MS, _START_MS + SPAN_MS, 3)
            installation.fill(
                (s.topic, s.customer.encode(), s.encoded()) for s in traffic.events(events)
            )
        finally:
            for worker in workers:
                os.kill(worker.pid, signal.SIGCONT)
        watch = drive_all(installation, workers, ROLES)
        resident = sum(worker.resident_mib() for worker in workers)
        peak = sum(worker.peak_mib() for worker in workers)
    cluster.remove(prefix.rstrip("."))
    taken_s = watch.ended_s["decide"] - watch.began_s("intake")
    return Step(count, events / taken_s, resident, peak, watch.cpu_s / events * 1e6)


def _found(
    customers: Sequence[Step], actions: Sequence[Step], workers: Sequence[Step], mean_bytes: float
) -> Found:
    few, many = customers[0], customers[-1]
    millions = (many.size - few.size) / 1e6
    gib = (many.resident_mib - few.resident_mib) / _GIB / millions
    peak_gib = (many.peak_mib - few.peak_mib) / _GIB / millions
    columns = ("events/s", "MiB after", "MiB at most", "CPU us an event")
    sheets = [
        Sheet(
            "Growth: a decide worker with its customers' state",
            ("customers", *columns),
            _rows(customers),
            [
                f"{gib:.2f} GiB for a million more customers, {peak_gib:.2f} at most (recovery and "
                f"work included); a state takes {mean_bytes:,.0f} bytes in the changelog."
            ],
        ),
        Sheet("Growth: a decide worker with its actions", ("actions", *columns), _rows(actions)),
        Sheet(
            "Growth: whole workers that share the partitions (on this one machine)",
            ("workers", *columns),
            _rows(workers),
        ),
    ]
    curves = {
        "customers": [(float(s.size), s.events_per_s) for s in customers],
        "actions": [(float(s.size), s.events_per_s) for s in actions],
        "workers": [(float(s.size), s.events_per_s) for s in workers],
    }
    numbers = {
        "gib_per_million": round(gib, 3),
        "gib_per_million_peak": round(peak_gib, 3),
        "state_bytes": round(mean_bytes),
        **{
            f"events_per_s_by_{name}": {str(int(x)): round(y) for x, y in points}
            for name, points in curves.items()
        },
    }
    plot = lines("Growth", "how many (logarithmic)", "events/s", curves)
    return Found("growth", numbers, sheets, {"growth": plot})


def _rows(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    return [
        (
            thousands(step.size),
            thousands(step.events_per_s),
            thousands(step.resident_mib),
            thousands(step.peak_mib),
            f"{step.cpu_us:.1f}",
        )
        for step in steps
    ]
