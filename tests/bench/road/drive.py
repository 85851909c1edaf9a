"""Drive an installation through input that lies ready: watch it, pass its time, note how fast."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.process import ProcessEnded
from tests.bench.road.installation import Installation, RoadWorker, behind

_LOOK_EVERY_S = 0.1
_TICK_EVERY_S = 1.0
_GIVE_UP_S = 1_800.0
_MIDDLE = (0.2, 0.8)
# What is in flight between two roles may be a little older than what the first has read.
_TICK_BEHIND = 0.01


@dataclass
class Watch:
    """Records read by role over time, and the processor time the worker took."""

    times_s: list[float] = field(default_factory=list)
    records: dict[str, list[int]] = field(default_factory=dict)
    ended_s: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    resident_mib: float = 0.0

    def note(self, roles: Mapping[str, Any], wanted: Sequence[str]) -> None:
        """Keep a look at the roles."""
        self.times_s.append(time.monotonic())
        for role in wanted:
            self.records.setdefault(role, []).append(roles.get(role, {}).get("records", 0))

    def began_s(self, role: str) -> float:
        """Return the last look at which the role had read nothing."""
        first = next((n for n, count in enumerate(self.records[role]) if count), 1)
        return self.times_s[max(first - 1, 0)]

    def overall(self, role: str) -> float:
        """Return a role's records/s from its first record to its end."""
        return self.records[role][-1] / max(self.ended_s[role] - self.began_s(role), 0.001)

    def middle(self, role: str) -> float:
        """Return a role's records/s between a fifth and four fifths of its records."""
        counts = self.records[role]
        low, high = (bisect_left(counts, share * counts[-1]) for share in _MIDDLE)
        span_s = self.times_s[high] - self.times_s[low]
        return (counts[high] - counts[low]) / span_s if span_s > 0 else 0.0


def drive(
    installation: Installation,
    worker: RoadWorker,
    roles: Sequence[str],
    pass_time: Callable[[float], None] = lambda share: None,
) -> Watch:
    """Wait until the roles have done all there is, committed; `pass_time` hears how far intake is.

    Learn commits with its snapshots, so for it reading to the end is enough.
    """
    return drive_all(installation, [worker], roles, pass_time)


def drive_all(
    installation: Installation,
    workers: Sequence[RoadWorker],
    roles: Sequence[str],
    pass_time: Callable[[float], None] = lambda share: None,
) -> Watch:
    """Do the same with several workers that share the work; times and memory are their sums."""
    watch, targets = Watch(), {roles[0]: installation.ends(roles[0])}
    deadline_s = time.monotonic() + _GIVE_UP_S
    cpu_before_s, ticked_s = _cpu_s(workers), time.monotonic()
    while len(watch.ended_s) < len(roles) or not _committed(installation, targets):
        now = together([worker.roles() for worker in workers])
        watch.note(now, roles)
        if not any(counts[-1] for counts in watch.records.values()):
            cpu_before_s = _cpu_s(workers)
        for role in roles:
            if role in watch.ended_s:
                continue
            # What is there for a role is known once those before it have done all of theirs; what
            # comes later, such as a new model's switch, is no part of it.
            if role not in targets:
                targets[role] = installation.ends(role)
            if behind(now, role, targets[role]):
                break
            watch.ended_s[role] = time.monotonic()
            if role == "intake":
                pass_time(1.0)
        reading = "intake" in roles and "intake" not in watch.ended_s
        if reading and time.monotonic() - ticked_s >= _TICK_EVERY_S:
            ticked_s = time.monotonic()
            pass_time(max(share_read(now, targets["intake"]) - _TICK_BEHIND, 0.0))
        if time.monotonic() > deadline_s:
            raise ProcessEnded(f"not done in {_GIVE_UP_S:.0f} s: {workers[0].tail()}")
        time.sleep(_LOOK_EVERY_S)
    watch.cpu_s = _cpu_s(workers) - cpu_before_s
    watch.peak_mib = sum(worker.peak_mib() for worker in workers)
    watch.resident_mib = sum(worker.resident_mib() for worker in workers)
    return watch


def together(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several workers tell of their roles as if they were one."""
    found: dict[str, Any] = {}
    for roles in told:
        for name, role in roles.items():
            known = found.setdefault(name, {"records": 0, "unacknowledged": 0, "partitions": {}})
            known["records"] += role["records"]
            known["unacknowledged"] += role["unacknowledged"]
            known["partitions"] |= role["partitions"]
    return found


def _cpu_s(workers: Sequence[RoadWorker]) -> float:
    return sum(worker.cpu_s() for worker in workers)


def share_read(roles: Mapping[str, Any], ends: Mapping[str, int]) -> float:
    """Return how far intake is in its slowest partition, 0 to 1."""
    at = roles.get("intake", {}).get("partitions", {})
    return min(
        (max(at.get(p, {}).get("position", 0), 0) / end for p, end in ends.items() if end),
        default=0.0,
    )


def _committed(installation: Installation, targets: Mapping[str, Mapping[str, int]]) -> bool:
    return all(
        installation.committed(role) >= sum(ends.values())
        for role, ends in targets.items()
        if role != "learn"
    )
