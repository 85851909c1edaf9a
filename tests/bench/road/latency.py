"""From an event to its published action, at a tenth, a half and four fifths of the capacity.

The capacity is that of one process; a worker with its processes apart meets the same rates.

The feed is an open loop: an event's latency counts from when it was due to be sent, so a worker
that holds the feed up cannot hide it. It ends with the broker's own stamp on the action.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from schemas.topics import NEXT_BEST_ACTIONS, TIMELINE
from schemas.wire import decode_action
from streams.shell.kafka.topic_reader import read_to_end
from tests.bench.broker import PARTITIONS, BenchKafka, Cluster
from tests.bench.options import Options
from tests.bench.plot import lines
from tests.bench.process import Measured
from tests.bench.report import Found, Sheet, thousands
from tests.bench.road.catalogue import catalogue
from tests.bench.road.drive import drive_all
from tests.bench.road.feeder import number_of
from tests.bench.road.installation import Installation
from tests.bench.road.whole_road import APART, ONE_PROCESS, capacity

_SHARES = (10, 50, 80)
_LAYOUTS: Mapping[str, Sequence[str]] = {"one process": ONE_PROCESS, "apart": APART}
_SECONDS, _QUICK_SECONDS = 30, 6
# Before what is measured: connections, first waves, the first checkpoint.
_WARM_SECONDS, _QUICK_WARM_SECONDS = 10, 3
_CUSTOMERS, _QUICK_CUSTOMERS = 100_000, 20_000
_PERCENTILES = (50.0, 99.0, 99.9)
_ENCODING_WITHIN_S = 300.0


class Level(NamedTuple):
    """What was seen at one load; latencies in ms, at the percentiles above."""

    share: int
    rate: int
    actions: int
    latencies_ms: tuple[float, ...]
    from_arrival_ms: tuple[float, ...]
    feed_late_ms: float


def latency(options: Options, console: Console) -> Found:
    """Measure the capacity, then the latency at shares of it."""
    seconds = _QUICK_SECONDS if options.quick else _SECONDS
    warm = _QUICK_WARM_SECONDS if options.quick else _WARM_SECONDS
    customers = options.size(options.customers, _CUSTOMERS, _QUICK_CUSTOMERS)
    with BenchKafka() as broker, tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(broker.bootstrap)
        path = Path(folder) / "catalogue.yaml"
        path.write_text(catalogue(), encoding="utf-8")
        most = capacity(cluster, path, "capacity.", options)
        console.print(f"capacity: {most:,.0f} events/s", highlight=False)
        levels: dict[str, list[Level]] = {}
        for name, processes in _LAYOUTS.items():
            installation = Installation(cluster, f"latency-{len(processes)}.", path)
            levels[name] = []
            with ExitStack() as stack:
                workers = [
                    stack.enter_context(installation.worker(roles=each)) for each in processes
                ]
                for worker in workers:
                    worker.await_ready()
                for share in _SHARES:
                    rate = max(int(most * share / 100), 10)
                    level = _level(installation, share, rate, warm, seconds, customers)
                    drive_all(installation, workers, ("intake", "decide"))
                    levels[name].append(_measured(installation, level, warm))
                    p99_ms = levels[name][-1].latencies_ms[1]
                    console.print(f"{name}, {share} %: p99 {p99_ms:.0f} ms")
        cluster.close()
    return _found(most, levels)


class _Fed(NamedTuple):
    share: int
    rate: int
    began_ms: int
    late_ms: float


def _level(
    installation: Installation, share: int, rate: int, warm: int, seconds: int, customers: int
) -> _Fed:
    count = rate * (warm + seconds)
    numbers = map(str, (rate, count, customers, share))
    cluster = installation.cluster
    feeder = [sys.executable, "-m", "tests.bench.road.feeder"]
    with Measured([*feeder, cluster.bootstrap, installation.prefix, *numbers]) as feed:
        began_ms = int(feed.line("began", _ENCODING_WITHIN_S)[0])
        # A feed that cannot keep up is late, and its lateness is in the latencies.
        late_ms = float(feed.line("ended", 10 * (warm + seconds) + 60)[0])
    return _Fed(share, rate, began_ms, late_ms)


def _measured(installation: Installation, fed: _Fed, warm: int) -> Level:
    name, client = installation.name(NEXT_BEST_ACTIONS), installation.cluster.client
    from_due, from_arrival = list[float](), list[float]()
    for messages in read_to_end(client, name, range(PARTITIONS), threading.Event()):
        for message in messages:
            trigger = decode_action(message.value() or b"").trigger
            if trigger.topic == TIMELINE.name:
                continue
            seed, number = number_of(trigger.id)
            if seed != fed.share or number < warm * fed.rate:
                continue
            published_ms = message.timestamp()[1]
            from_due.append(published_ms - fed.began_ms - 1_000 * number / fed.rate)
            from_arrival.append(published_ms - trigger.seen_at_ms)
    return Level(
        fed.share,
        fed.rate,
        len(from_due),
        _percentiles(from_due),
        _percentiles(from_arrival),
        fed.late_ms,
    )


def _percentiles(values: Sequence[float]) -> tuple[float, ...]:
    if not values:
        return tuple(float("nan") for _ in _PERCENTILES)
    return tuple(float(each) for each in np.percentile(values, _PERCENTILES))


def _found(most: float, by_layout: Mapping[str, Sequence[Level]]) -> Found:
    rows = [
        (
            layout,
            f"{level.share} %",
            thousands(level.rate),
            *(f"{ms:.1f}" for ms in level.latencies_ms),
            *(f"{ms:.1f}" for ms in level.from_arrival_ms[:2]),
            thousands(level.actions),
            f"{level.feed_late_ms:.1f}",
        )
        for layout, levels in by_layout.items()
        for level in levels
    ]
    names = ("p50", "p99", "p99.9")
    sheet = Sheet(
        f"Event to published action, ms (one process takes {most:,.0f} events/s, measured before)",
        (
            *("", "load", "events/s", *names, "p50 from arrival", "p99 from arrival"),
            *("actions", "feed late at most, ms"),
        ),
        rows,
        [
            "From when the event was due to be sent to the broker's stamp on the action "
            "(whole ms); feed, broker and worker share the machine.",
            "apart: --apart --decide-processes 2.",
        ],
    )
    numbers = {
        "p99_ms_at_half": _p99_ms_at_half(by_layout["one process"]),
        "p99_ms_at_half_apart": _p99_ms_at_half(by_layout["apart"]),
        "capacity_per_s": round(most),
        "ms_at": {
            layout: {
                str(level.share): dict(
                    zip(names, np.round(level.latencies_ms, 1).tolist(), strict=True)
                )
                for level in levels
            }
            for layout, levels in by_layout.items()
        },
    }
    curves = {
        f"{layout}, {name}": [(float(level.share), level.latencies_ms[place]) for level in levels]
        for layout, levels in by_layout.items()
        for place, name in enumerate(names[:2])
    }
    plot = lines("Event to published action", "load, % of capacity", "ms", curves)
    return Found("latency", numbers, [sheet], {"latency": plot})


def _p99_ms_at_half(levels: Sequence[Level]) -> float:
    half = next(level for level in levels if level.share == 50)
    return round(half.latencies_ms[1], 1)
