"""A million broken records through decoding and admission: each has a fate, none crashes."""

from __future__ import annotations

import time

from rich.console import Console

from tests.bench.mutations import Mutations
from tests.bench.options import Options
from tests.bench.plot import Bar, bars
from tests.bench.report import Found, Sheet, thousands

_RECORDS, _QUICK_RECORDS = 1_000_000, 50_000
_AT_ONCE = 50_000
_SEED = 1


def fuzz(options: Options, console: Console) -> Found:
    """Judge mutated records; a crash ends the benchmark with the record's bytes."""
    count = options.size(options.events, _RECORDS, _QUICK_RECORDS)
    mutations = Mutations(_SEED)
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    for first in range(0, count, _AT_ONCE):
        mutations.judge(min(_AT_ONCE, count - first))
        if not options.quick:
            console.print(f"{first + _AT_ONCE:,} of {count:,}", highlight=False)
    taken_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    fates = mutations.fates.most_common()
    sheet = Sheet(
        f"{count:,} mutated records through decoding and admission (seed {_SEED})",
        ("fate", "records", "share"),
        [(name, thousands(n), f"{100 * n / count:.2f} %") for name, n in fates],
        [f"No crash. {count / taken_s:,.0f} records/s, {cpu_s / count * 1e6:.1f} us CPU each."],
    )
    plot = bars("Mutated records", "records by fate", [Bar(name, n, n, n) for name, n in fates])
    numbers = {
        "records": count,
        "crashes": 0,
        "records_per_s": round(count / taken_s),
        "fates": dict(fates),
    }
    return Found("fuzz", numbers, [sheet], {"fuzz": plot})
