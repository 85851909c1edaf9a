"""A steady load for a long time: memory, open files and lag must not grow.

`python -m tests.chaos.soak --minutes 30` (that is `make soak`) prints a table and the slopes, and
exits with 1 when one is beyond its bound, or when at the end anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.chaos.vitals import vitals
from tests.chaos.world import ChaosWorld
from tests.integration.world_worker import Worker
from tests.support.kafka import KafkaUnavailable, RealKafka

_SLICE = 50
# Makes 800 customers, who all know the shop before the warm-up is over; told on without an end.
_STORY = 20_000
_SAMPLE_EVERY_S = 5.0
# Caches fill and customers come for the first time: left out of the slopes, as a share of all.
_WARM_UP_RATIO = 0.3


class Sample(NamedTuple):
    """One look; lags in records."""

    minutes: float
    sent: int
    rss_mib: float
    files: int
    intake_lag: int
    decide_lag: int


# What may grow, its unit per hour, and by how much: a leak of 100 bytes per event is 70 MiB/h at
# 200 events/s; one socket in six minutes is 10/h; a worker that is a hundredth too slow for the
# load falls behind by 7,200 records/h. A short run sees mostly noise and gets more.
BOUNDS = {"rss_mib": ("MiB", 40.0), "files": ("files", 10.0), "lag": ("records", 2_000.0)}


def slopes(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what grows by how much per hour, by least squares over all but the warm-up.

    >>> flat = [Sample(minute, 0, 100.0 + minute, 9, 0, 5) for minute in range(10)]
    >>> {name: round(slope) for name, slope in slopes(flat).items()}
    {'rss_mib': 60, 'files': 0, 'lag': 0}
    """
    warm = samples[int(len(samples) * _WARM_UP_RATIO) :]
    hours = np.array([each.minutes for each in warm]) / 60
    series = {
        "rss_mib": [each.rss_mib for each in warm],
        "files": [float(each.files) for each in warm],
        "lag": [float(each.intake_lag + each.decide_lag) for each in warm],
    }
    return {name: float(np.polyfit(hours, values, 1)[0]) for name, values in series.items()}


def bounds(minutes: float) -> dict[str, tuple[str, float]]:
    """Return each slope's unit and bound for a run of that length; half an hour gets the true one.

    >>> bounds(30)["files"], bounds(3)["files"]
    (('files', 10.0), ('files', 100.0))
    """
    noise = max(30 / minutes, 1.0)
    return {name: (unit, bound * noise) for name, (unit, bound) in BOUNDS.items()}


def soak(world: ChaosWorld, worker: Worker, minutes: float, per_s: int) -> list[Sample]:
    """Load one worker steadily; its customers stay the same."""
    samples: list[Sample] = []
    began_s = time.monotonic()
    sample_at_s = began_s
    while time.monotonic() - began_s < minutes * 60:
        world.tell(_SLICE, keeping_up=False)
        if time.monotonic() >= sample_at_s:
            samples.append(_sample(world, worker, (time.monotonic() - began_s) / 60))
            sample_at_s += _SAMPLE_EVERY_S
        # A load of its own pace, whatever the worker does: nothing is awaited here.
        ahead_s = world.sent / per_s - (time.monotonic() - began_s)
        time.sleep(max(ahead_s, 0.0))
    return samples


def _sample(world: ChaosWorld, worker: Worker, minutes: float) -> Sample:
    now = vitals(worker.process.pid)
    lags = (world.lag("intake"), world.lag("decide"))
    return Sample(minutes, world.sent, now.rss_mib, now.files, *lags)


def _show(samples: Sequence[Sample], minutes: float) -> bool:
    console = Console()
    table = Table(title="Soak")
    for column in ("minute", "events sent", "RSS, MiB", "open files", "intake lag", "decide lag"):
        table.add_column(column, justify="right")
    for each in samples[:: max(len(samples) // 20, 1)]:
        table.add_row(
            f"{each.minutes:.1f}",
            f"{each.sent:,}",
            f"{each.rss_mib:.1f}",
            str(each.files),
            str(each.intake_lag),
            str(each.decide_lag),
        )
    console.print(table)
    fine = True
    for name, slope in slopes(samples).items():
        unit, bound = bounds(minutes)[name]
        fine = fine and slope <= bound
        verdict = "fine" if slope <= bound else "GROWS"
        console.print(f"{name}: {slope:+.1f} {unit} an hour, at most {bound:.0f}: {verdict}")
    return fine


def main() -> int:
    """Run the soak; return 0 when nothing grows and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the load lasts")
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seed", type=int, default=1, help="what all chance comes from")
    arguments = parser.parse_args()
    try:
        with (
            RealKafka() as kafka,
            tempfile.TemporaryDirectory(prefix="concierge-soak-") as folder,
            ChaosWorld(
                kafka.bootstrap,
                Path(folder),
                events=_STORY,
                seed=arguments.seed,
                # As many versions as are kept by default: those held are no leak. The verdict asks
                # for each of them, so that there must be fewer, however long the end takes.
                keep_snapshots=64,
                snapshot_every_lessons=1_000_000,
                snapshot_interval_ms=int(max(arguments.minutes * 60_000 / 40, 15_000)),
                checkpoint_interval_ms=1_000,
            ) as world,
        ):
            worker = world.start_ready()
            # Shown before the verdict, which takes minutes and may fail.
            grew = not _show(
                soak(world, worker, arguments.minutes, arguments.rate), arguments.minutes
            )
            world.end()
            world.judge()
            world.terminate(worker)
    except KafkaUnavailable as missing:
        print(missing, file=sys.stderr)
        return 3
    print("Nothing was lost or doubled.")
    return int(grew)


if __name__ == "__main__":
    sys.exit(main())
