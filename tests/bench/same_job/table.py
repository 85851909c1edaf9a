"""The contenders side by side: the table, the plot and the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from tests.bench.plot import Bar, bars
from tests.bench.report import Found, Sheet, spread, thousands
from tests.bench.same_job.contenders import Contender
from tests.bench.same_job.run import Input, Run


def found(
    ran: Sequence[Contender],
    runs: Mapping[str, list[Run]],
    missing: Mapping[str, str],
    inputs: Mapping[int, Input],
) -> Found:
    """Return rates and ratios of those that ran, and why others did not."""
    rates = {each.key: spread([run.events_per_s for run in runs[each.key]]) for each in ran}
    ours = rates.get("ours", (0.0, 0.0, 0.0))[1]
    rows = []
    for each in ran:
        low, middle, high = rates[each.key]
        of_it = runs[each.key]
        commits = [run.committed_s for run in of_it if run.committed_s is not None]
        rows.append(
            (
                each.name,
                *(thousands(rate) for rate in (low, middle, high)),
                f"{ours / middle:.2f}" if ours else "",
                thousands(median(run.warm_events_per_s for run in of_it)),
                f"{median(run.cpu_us for run in of_it):.1f}",
                thousands(median(run.peak_mib for run in of_it)),
                f"{median(commits):.1f}" if commits else "never",
                thousands(inputs[each.slowness].events),
                str(len(of_it)),
            )
        )
    absent = set(missing) - {each.name for each in ran}
    rows += [(name, "not run", *([""] * 9)) for name in sorted(absent)]
    sheet = Sheet(
        "The same small job: decode a click, add up per customer, one Avro output",
        (
            *("contender", "min /s", "median /s", "max /s", "ours is x", "last 80 % /s"),
            *("CPU us", "peak MiB", "committed s", "events", "runs"),
        ),
        rows,
        [
            "Time: first record in hand to the broker's stamp on the last output; all were right.",
            *(f"{each.name}: {each.terms}." for each in ran),
            *(f"{name}: {why}" for name, why in missing.items()),
        ],
    )
    plot = bars(
        "The same small job",
        "events/s, one process; bar: median, line: minimum to maximum",
        [
            Bar(each.name, rates[each.key][1], rates[each.key][0], rates[each.key][2])
            for each in ran
        ],
    )
    numbers: dict[str, object] = {key: round(rate[1]) for key, rate in rates.items()}
    if missing:
        numbers["not_run"] = dict(missing)
    return Found("same_job", numbers, [sheet], {"same-job": plot})
