"""The working tree against a git revision: the same part of both in turn, and the ratios.

Each round runs both sides, one after the other, each by its own `python -m tests.bench` in a
process of its own; a revision from before this module needs to know nothing of it. Compared are the
numbers that both sides print in their JSON line. The order changes from round to round (A B, B A,
A B): a machine that gets steadily busier then costs both sides the same.

A ratio is taken within a round, between neighbours in time; the result is the median over the
rounds, with the lowest and highest beside it. Speeds as such move by a third from run to run on a
shared machine, ratios of neighbours much less.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from tests.bench.options import Options
from tests.bench.report import Found, Sheet, spread
from tests.bench.revision import Side, revision_tree, working_tree
from tests.support.kafka import KafkaUnavailable

_ROUNDS, _QUICK_ROUNDS = 3, 1
# The exit code of a benchmark that found no Kafka (tests/bench/__main__.py).
_NO_KAFKA = 3
_TAIL_CHARS = 3_000
# By part: what `--at-least` looks at. Rates only; the other numbers are shown beside them.
MAIN_RATES: Mapping[str, tuple[str, ...]] = {
    "same-job": ("ours",),
    "whole-road": ("events_per_s", "events_per_s_apart"),
    "latency": ("capacity_per_s",),
    "growth": ("events_per_s_by_customers",),
    "recovery": ("records_per_s",),
    "fuzz": ("records_per_s",),
}


class SideFailed(RuntimeError):
    """A benchmark of one side ended without numbers; the message holds what it said."""


@dataclass(frozen=True)
class Compared:
    """One number of both sides, round by round."""

    name: str
    here: tuple[float, ...]
    there: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Working tree / revision, for each round."""
        return tuple(a / b for a, b in zip(self.here, self.there, strict=True))


def against(part: str, options: Options, console: Console) -> Found:
    """Measure one part of both sides in turn; return every number's ratio and its spread."""
    rounds = options.size(options.runs, _ROUNDS, _QUICK_ROUNDS)
    with ExitStack() as stack:
        here = working_tree()
        there = stack.enter_context(revision_tree(options.against or ""))
        measured: dict[str, list[Mapping[str, float]]] = {here.name: [], there.name: []}
        for number in range(rounds):
            for side in (here, there) if number % 2 == 0 else (there, here):
                out = options.out / "against" / f"{part}-{number + 1}-{_word(side.name)}"
                numbers = numbers_of(_run(side, part, options, out), part)
                measured[side.name].append(numbers)
                console.print(f"{part}, round {number + 1}, {side.name}: {_main(part, numbers)}")
    compared = compare(measured[here.name], measured[there.name])
    return _found(part, there.name, compared)


def below(part: str, found: Found, at_least: float) -> list[str]:
    """Return in words which main rates of a part are below `at_least` times the revision's."""
    ratios = found.numbers["ratios"]
    main = [name for name in ratios if _is_main(part, name)]
    if not main:
        return [f"{part}: no rate that both sides measured, so nothing to hold it against"]
    return [
        f"{part}: {name} is {ratios[name]['ratio']:.3f} x, below {at_least:g} x"
        for name in main
        if ratios[name]["ratio"] < at_least
    ]


def compare(
    here: Sequence[Mapping[str, float]], there: Sequence[Mapping[str, float]]
) -> list[Compared]:
    """Return what all rounds of both sides measured; a number that was ever 0 has no ratio."""
    return [
        Compared(name, tuple(each[name] for each in here), tuple(each[name] for each in there))
        for name in here[0]
        if all(each.get(name) for each in (*here, *there))
    ]


def numbers_of(line: str, part: str) -> dict[str, float]:
    """Return the numbers of a part from a benchmark's JSON line, nested ones by a dotted name."""
    parts: dict[str, Any] = json.loads(line)
    return dict(_flat("", parts[part.replace("-", "_")]))


def _flat(prefix: str, value: Any) -> list[tuple[str, float]]:
    if isinstance(value, Mapping):
        return [
            leaf
            for key, each in value.items()
            for leaf in _flat(f"{prefix}.{key}".lstrip("."), each)
        ]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return [(prefix, float(value))]


def command(side: Side, part: str, options: Options, out: Path) -> list[str]:
    """Return how one run of one side is started: one run of a part, in the sizes asked for."""
    peers = options.peers or ("ours",)
    sizes = {"--events": options.events, "--customers": options.customers}
    return [
        *(str(side.python), "-m", "tests.bench", "--only", part, "--json", "--runs", "1"),
        *("--peers", ",".join(peers), "--out", str(out.resolve())),
        *(["--quick"] if options.quick else []),
        *(word for name, size in sizes.items() if size is not None for word in (name, str(size))),
    ]


def _run(side: Side, part: str, options: Options, out: Path) -> str:
    """Run one part of one side; return its JSON line. What else it says goes into a file."""
    out.mkdir(parents=True, exist_ok=True)
    started = command(side, part, options, out)
    if shutil.which("setpriv") is not None:
        # A benchmark that was itself killed leaves no process behind.
        started = ["setpriv", "--pdeathsig", "TERM", *started]
    log = out / "log.txt"
    with log.open("w", encoding="utf-8") as said:
        done = subprocess.run(
            started, cwd=side.tree, stdout=subprocess.PIPE, stderr=said, text=True, check=False
        )
    tail = log.read_text(encoding="utf-8", errors="replace")[-_TAIL_CHARS:].strip()
    if done.returncode == _NO_KAFKA:
        raise KafkaUnavailable(f"{side.name}: {tail}")
    if done.returncode != 0:
        raise SideFailed(f"{part} of the {side.name} ended with {done.returncode}: {tail}")
    return done.stdout.splitlines()[-1]


def _found(part: str, revision: str, compared: Sequence[Compared]) -> Found:
    rows, ratios = [], {}
    for each in compared:
        least, middle, most = spread(each.ratios)
        rows.append(
            (
                each.name + (" *" if _is_main(part, each.name) else ""),
                _short(median(each.here)),
                _short(median(each.there)),
                f"{middle:.3f}",
                f"{least:.3f} .. {most:.3f}",
            )
        )
        ratios[each.name] = {
            "ratio": round(middle, 4),
            "least": round(least, 4),
            "most": round(most, 4),
            "here": list(each.here),
            "there": list(each.there),
        }
    rounds = len(compared[0].here) if compared else 0
    table = Sheet(
        f"{part}: the working tree against {revision}, {rounds} interleaved rounds",
        ("", "working tree", revision, "ratio", "lowest .. highest"),
        rows,
        [
            "Medians; a ratio is working tree / revision within a round.",
            "* a main rate: more is better, and --at-least looks at it.",
        ],
    )
    numbers = {"revision": revision, "rounds": rounds, "ratios": ratios}
    return Found(f"{part.replace('-', '_')}_against", numbers, [table])


def _is_main(part: str, name: str) -> bool:
    return any(name == main or name.startswith(f"{main}.") for main in MAIN_RATES.get(part, ()))


def _main(part: str, numbers: Mapping[str, float]) -> str:
    main = {name: value for name, value in numbers.items() if _is_main(part, name)}
    return ", ".join(f"{name} {_short(value)}" for name, value in main.items()) or "done"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _word(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
