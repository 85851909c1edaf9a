"""Run the benchmarks: `python -m tests.bench --only same-job --quick` (that is `make bench`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from tests.bench.against import SideFailed, against, below
from tests.bench.decisions.part import decisions
from tests.bench.fuzz import fuzz
from tests.bench.options import Options, parse
from tests.bench.report import Found, json_line, machine, show
from tests.bench.revision import RevisionUnusable
from tests.bench.road.growth import growth
from tests.bench.road.latency import latency
from tests.bench.road.recovery import recovery
from tests.bench.road.whole_road import whole_road
from tests.bench.same_job.part import same_job
from tests.support.kafka import KafkaUnavailable

# The widest table.
_WIDTH = 160
# The exit code, as `python -m tests.support.kafka` has it, where there is no Kafka to be had.
_NOT_RUN = 3
# The exit code where a revision was faster than `--at-least` allows.
_TOO_SLOW = 1
# The exit code where a revision cannot be measured, as the command line's own mistakes have it.
_UNUSABLE = 2

Part = Callable[[Options, Console], Found]

PARTS: Mapping[str, Part] = {
    "same-job": same_job,
    "whole-road": whole_road,
    "latency": latency,
    "growth": growth,
    "recovery": recovery,
    "fuzz": fuzz,
    "decisions": decisions,
}


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for; print their tables, write their plots, end with a JSON line."""
    options = parse(arguments)
    console = Console(stderr=options.as_json)
    if not console.is_terminal:
        # Into a file or a pipe: whole tables, however wide.
        console.width = _WIDTH
    console.print(machine(), highlight=False)
    parts, code = [], 0
    for name in options.parts:
        try:
            if options.against is None:
                found = PARTS[name](options, console)
            else:
                found = against(name, options, console)
        except KafkaUnavailable as missing:
            console.print(f"{name} not run: {missing}")
            code = _NOT_RUN
            continue
        except (RevisionUnusable, SideFailed) as reason:
            console.print(f"{name} not compared: {reason}", highlight=False, soft_wrap=True)
            code = _UNUSABLE
            continue
        show(found, console, options.out)
        parts.append(found)
        if options.at_least is not None:
            slow = below(name, found, options.at_least)
            for line in slow:
                console.print(line, highlight=False, soft_wrap=True)
            code = _TOO_SLOW if slow else code
    options.out.mkdir(parents=True, exist_ok=True)
    line = json_line(parts)
    (options.out / "results.json").write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
