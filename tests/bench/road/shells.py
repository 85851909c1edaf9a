"""The same engine in two shells: ours, and Quix Streams with the state in its RocksDB store.

Both read one timeline that lies ready and must publish the same decisions, byte for byte. The time
is the broker's: from the stamp of the first decision to that of the last.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from schemas.records import CATALOGUE, ENCODER, Switch
from schemas.topics import CATALOGUES, DECISIONS, NEXT_BEST_ACTIONS, TIMELINE
from streams.shell.versions.catalogue_file import parse_catalogue
from tests.bench.broker import ON_ARRIVAL, PARTITIONS, Cluster, bulk_producer, produce
from tests.bench.process import Measured, ProcessEnded
from tests.bench.report import Sheet, spread, thousands
from tests.bench.road.drive import drive
from tests.bench.road.installation import Installation
from tests.bench.road.states import timeline
from tests.bench.same_job.contenders import Missing, quix_python
from tests.support.checkout import ROOT

_GIVE_UP_S = 900.0
_LOOK_EVERY_S = 0.25


class Shells(NamedTuple):
    """Events/s of both, run by run; `missing` says why Quix did not run."""

    ours: list[float]
    quix: list[float]
    missing: str


class DifferentDecisions(RuntimeError):
    """Two shells around one engine decided differently; no time means anything."""


def shells(cluster: Cluster, path: Path, events: int, customers: int, runs: int) -> Shells:
    """Run both in turn on the same timeline."""
    ours, quix, missing = list[float](), list[float](), ""
    try:
        python = str(quix_python())
    except Missing as reason:
        python, missing = "", str(reason)
    for number in range(runs):
        prefix = f"shells{number}."
        installation = _laid_ready(cluster, prefix, path, events, customers)
        with installation.worker(roles="decide") as worker:
            drive(installation, worker, ["decide"])
        decisions = _decisions(cluster, installation.name(DECISIONS))
        ours.append(_rate(decisions, events))
        if python and not missing:
            try:
                theirs = _quix(installation, python, path, len(decisions))
            except ProcessEnded as reason:
                missing = str(reason)
            else:
                if {value for _, value in theirs} != {value for _, value in decisions}:
                    raise DifferentDecisions(f"{len(theirs)} decisions are not the same")
                quix.append(_rate(theirs, events))
        cluster.remove(prefix.rstrip("."))
    return Shells(ours, quix, missing)


def sheet(found: Shells, events: int) -> Sheet:
    """Return the comparison as a table."""
    rows = [("ours", *map(thousands, spread(found.ours)), "1.00")]
    if found.quix:
        ratio = spread(found.ours)[1] / spread(found.quix)[1]
        rows.append(("Quix Streams 3.28", *map(thousands, spread(found.quix)), f"{ratio:.2f}"))
    notes = [
        f"{events:,} timeline records, no ticks, no model yet; the same decisions byte for byte. "
        "Quix gives a stateful function one record at a time, so its waves are of one."
    ]
    if found.missing:
        notes.append(f"Quix Streams not run: {found.missing}")
    columns = ("shell", "min /s", "median /s", "max /s", "ours is x")
    return Sheet("Our pure engine in two shells: timeline records/s", columns, rows, notes)


def _laid_ready(
    cluster: Cluster, prefix: str, path: Path, events: int, customers: int
) -> Installation:
    installation = Installation(cluster, prefix, path, clock="off")
    text = path.read_text("utf-8")
    made = parse_catalogue(text, "bench catalogue")
    producer = bulk_producer(cluster.client)
    produce(producer, installation.name(CATALOGUES), made.version.encode(), text.encode())
    switch = ENCODER.encode(Switch(CATALOGUE, CATALOGUE, made.version))
    for number in range(PARTITIONS):
        produce(producer, installation.name(TIMELINE), None, switch, number)
    producer.flush(60)
    installation.fill(timeline(events, customers))
    return installation


def _quix(
    installation: Installation, python: str, path: Path, count: int
) -> list[tuple[int, bytes]]:
    cluster, app_id = installation.cluster, f"{installation.prefix}quix"
    names = [f"{app_id}-{topic.name}" for topic in (NEXT_BEST_ACTIONS, DECISIONS)]
    cluster.create(names, ON_ARRIVAL)
    folder = tempfile.mkdtemp(prefix="concierge-bench-")
    script = str(Path(__file__).parent / "engine_in_quix.py")
    arguments = [cluster.bootstrap, installation.name(TIMELINE), *names, app_id, folder, str(path)]
    try:
        with Measured([python, script, *arguments], {"PYTHONPATH": str(ROOT)}) as process:
            deadline_s = time.monotonic() + _GIVE_UP_S
            while cluster.held(names[1]) < count:
                process.check()
                if time.monotonic() > deadline_s:
                    raise ProcessEnded(f"not done in {_GIVE_UP_S:.0f} s: {process.tail()}")
                time.sleep(_LOOK_EVERY_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _decisions(cluster, names[1])


def _decisions(cluster: Cluster, topic: str) -> list[tuple[int, bytes]]:
    return [(m.timestamp()[1], m.value() or b"") for m in cluster.read(topic)]


def _rate(decisions: list[tuple[int, bytes]], events: int) -> float:
    times_ms = [at_ms for at_ms, _ in decisions]
    return events / max((max(times_ms) - min(times_ms)) / 1_000, 0.001)
