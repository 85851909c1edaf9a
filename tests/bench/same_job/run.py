"""One run of one contender: started, timed, checked, and swept away."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.broker import ON_ARRIVAL, Cluster
from tests.bench.process import Measured, ProcessEnded
from tests.bench.same_job.contenders import Contender
from tests.bench.same_job.feed import clicks
from tests.bench.same_job.job import decode_totals
from tests.bench.same_job.ours import changelog_of
from tests.support.checkout import ROOT

_BEGINS_WITHIN_S = 180.0
_COMMITS_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.25
# A run slower than this has failed.
_LEAST_EVENTS_PER_S = 100
# The share of outputs after which a just-in-time compiler has had its time.
_WARM = 0.2


@dataclass(frozen=True)
class Input:
    """A topic that lies ready: how many records, and each customer's totals at its end."""

    topic: str
    events: int
    totals: dict[str, list[int]]


@dataclass(frozen=True)
class Run:
    """One run: rates in events/s, processor time in microseconds an event."""

    events_per_s: float
    warm_events_per_s: float
    cpu_us: float
    peak_mib: float
    committed_s: float | None


class WrongResult(RuntimeError):
    """A contender's outputs are not those of the job; its time means nothing."""


def lay_ready(cluster: Cluster, events: int, customers: int) -> Input:
    """Write the input topic; return it with what must come of it."""
    topic = f"clicks-{events}"
    totals: dict[str, list[int]] = {}
    cluster.create([topic], ON_ARRIVAL)

    def records() -> Sequence[tuple[bytes, bytes]]:
        made = []
        for customer, payload, after in clicks(events, customers):
            totals[customer] = after
            made.append((customer.encode(), payload))
        return made

    cluster.fill(topic, records())
    return Input(topic, events, totals)


def run_once(
    cluster: Cluster,
    contender: Contender,
    command: Sequence[str],
    inputs: Mapping[int, Input],
    app_id: str,
) -> Run:
    """Run a contender over its input; raises ProcessEnded or WrongResult if it did not do it."""
    given = inputs[contender.slowness]
    output, folder = f"{app_id}-outputs", Path(tempfile.mkdtemp(prefix="concierge-bench-"))
    cluster.create([output], ON_ARRIVAL)
    if contender.key == "ours":
        cluster.create([changelog_of(app_id)], {"cleanup.policy": "compact"})
    schema = str(ROOT / "schemas" / "avro" / "clickstream.avsc")
    arguments = [cluster.bootstrap, given.topic, output, app_id, str(folder), schema]
    if contender.key != "kafka_streams":
        arguments.pop()
    try:
        with Measured([*command, *arguments]) as process:
            first_s = int(process.line("first", _BEGINS_WITHIN_S)[0]) / 1e9
            cpu_before_s = process.cpu_s()
            _await(cluster, process, output, given.events)
            cpu_s, peak_mib = process.cpu_s() - cpu_before_s, process.peak_mib()
            committed_s = _committed(cluster, contender.group.format(app_id), given)
        times_s = _checked(cluster, output, given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        cluster.remove(app_id)
    warm = int(len(times_s) * _WARM)
    return Run(
        given.events / (times_s[-1] - first_s),
        (len(times_s) - warm) / max(times_s[-1] - times_s[warm], 0.001),
        cpu_s / given.events * 1e6,
        peak_mib,
        None if committed_s is None else committed_s - first_s,
    )


def _await(cluster: Cluster, process: Measured, output: str, count: int) -> None:
    deadline_s = time.monotonic() + 60 + count / _LEAST_EVENTS_PER_S
    while cluster.held(output) < count:
        process.check()
        if time.monotonic() > deadline_s:
            raise ProcessEnded(f"too slow: {cluster.held(output):,} of {count:,} outputs")
        time.sleep(_LOOK_EVERY_S)


def _committed(cluster: Cluster, group: str, given: Input) -> float | None:
    deadline_s = time.monotonic() + _COMMITS_WITHIN_S
    while cluster.committed(group, given.topic) < given.events:
        if time.monotonic() > deadline_s:
            return None
        time.sleep(_LOOK_EVERY_S)
    return time.time()


def _checked(cluster: Cluster, output: str, given: Input) -> list[float]:
    """Return when each output was written, in order, once all of them are right."""
    times_s: list[float] = []
    seen: dict[str, list[int]] = {}
    for message in cluster.read(output):
        customer, totals = decode_totals(message.value() or b"")
        before = seen.get(customer)
        if totals[0] != (before[0] if before else 0) + 1:
            raise WrongResult(f"{customer}: {totals[0]} clicks after {before}")
        seen[customer] = totals
        times_s.append(message.timestamp()[1] / 1_000)
    if seen != given.totals:
        raise WrongResult(f"{len(seen)} customers' totals are not those of the input")
    return sorted(times_s)
