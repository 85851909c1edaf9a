"""What the runs of the whole road came to: the tables, the plot and the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.plot import Bar, bars
from tests.bench.report import Found, Sheet, spread, thousands
from tests.bench.road.drive import Watch
from tests.bench.road.shells import Shells


@dataclass(frozen=True)
class RoadRun:
    """One measured run of the whole road."""

    events: int
    watch: Watch
    decisions: int
    actions: int
    cpu_us: float

    @property
    def events_per_s(self) -> float:
        """Source events/s, from the first read until all is decided and acknowledged."""
        return self.events / (self.watch.ended_s["decide"] - self.watch.began_s("intake"))

    @property
    def middle_per_s(self) -> float:
        """The same in the steady middle, by what decide had read."""
        read = self.watch.records["decide"][-1]
        return self.watch.middle("decide") * self.events / read


def found(
    runs: Sequence[RoadRun],
    apart: Sequence[RoadRun],
    alone: Mapping[str, Watch],
    stages: Mapping[str, float],
    compared: tuple[Shells, Sheet] | None,
) -> Found:
    """Return all that was measured.

    `apart` has the runs with a process for each role and two for decide, `compared` is what the
    two shells made of one engine.
    """
    overall = spread([run.events_per_s for run in runs])
    middle = spread([run.middle_per_s for run in runs])
    by_processes = spread([run.events_per_s for run in apart])
    decisions = median(run.decisions / run.events for run in runs)
    rows = [
        ("from first to last", *map(thousands, overall)),
        ("steady middle", *map(thousands, middle)),
        ("--apart --decide-processes 2", *map(thousands, by_processes)),
    ]
    budget = sorted(stages.items(), key=lambda item: -item[1])
    sheets = [
        Sheet(
            "The whole road, one worker with all roles: source events/s",
            ("", "min", "median", "max"),
            rows,
            [
                f"{decisions:.2f} decisions and "
                f"{median(run.actions / run.events for run in runs):.2f} actions an event; "
                f"{median(run.cpu_us for run in runs):.0f} us of processor time an event; "
                f"at most {median(run.watch.peak_mib for run in runs):,.0f} MiB.",
                "Time: first record read until all is decided and acknowledged; commits follow "
                "within a checkpoint, and were awaited before a run counted.",
            ],
        ),
        _by_role(alone),
        Sheet(
            "The pure stages in one process: microseconds of processor time a source event",
            ("stage", "us"),
            [(name, f"{us:.2f}") for name, us in budget] + [("sum", f"{sum(stages.values()):.2f}")],
        ),
    ]
    numbers: dict[str, object] = {
        "events_per_s": round(overall[1]),
        "events_per_s_steady": round(middle[1]),
        "events_per_s_apart": round(by_processes[1]),
        "cpu_us_per_event": round(median(run.cpu_us for run in runs), 2),
        "cpu_us_per_event_apart": round(median(run.cpu_us for run in apart), 2),
        "decisions_per_event": round(decisions, 3),
        "role_records_per_s": {role: round(w.overall(role)) for role, w in alone.items()},
        "stages_us": {name: round(us, 2) for name, us in budget},
    }
    if compared is not None:
        rates, its_sheet = compared
        sheets.append(its_sheet)
        numbers["engine_in_shells"] = {
            name: round(median(each))
            for name, each in (("ours", rates.ours), ("quix", rates.quix))
            if each
        }
    plot = bars(
        "The whole road: where an event's time goes",
        "microseconds of processor time a source event, pure stages",
        [Bar(name, us, us, us) for name, us in budget],
    )
    return Found("whole_road", numbers, sheets, {"whole-road": plot})


def _by_role(alone: Mapping[str, Watch]) -> Sheet:
    return Sheet(
        "Each role alone (intake: source events, decide: timeline records, learn: lessons)",
        ("role", "records/s", "steady middle", "CPU us a record"),
        [
            (
                role,
                thousands(watch.overall(role)),
                thousands(watch.middle(role)),
                f"{_cpu_us(watch, role):.1f}",
            )
            for role, watch in alone.items()
        ],
    )


def _cpu_us(watch: Watch, role: str) -> float:
    return watch.cpu_s / max(watch.records[role][-1], 1) * 1e6
