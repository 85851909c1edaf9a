"""The command line of the benchmarks: which parts, how large, where the results go."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import ROOT

CACHE = ROOT / ".bench"
PARTS = ("same-job", "whole-road", "latency", "growth", "recovery", "fuzz", "decisions")


@dataclass(frozen=True)
class Options:
    """What was asked for; `events`, `customers` and `runs` of None mean the part's own sizes."""

    parts: tuple[str, ...]
    quick: bool
    events: int | None
    customers: int | None
    runs: int | None
    peers: tuple[str, ...]
    out: Path
    as_json: bool
    against: str | None = None
    at_least: float | None = None

    def size(self, asked: int | None, full: int, quick: int) -> int:
        """Return what was asked for, else the part's full or quick size."""
        return asked if asked is not None else (quick if self.quick else full)


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; ends the program with a message where it makes no sense."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        metavar="PART",
        help=f"run this part, may be repeated; parts: {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--events", type=_count, help="events a run")
    parser.add_argument("--customers", type=_count, help="customers")
    parser.add_argument(
        "--runs", type=_count, help="runs of each contender; with --against: rounds (default 3)"
    )
    parser.add_argument(
        "--peers",
        default="",
        help="same-job and whole-road: only these, by name, separated by commas",
    )
    parser.add_argument(
        "--against",
        metavar="REV",
        help="measure the working tree and this git revision in turn, and print the ratios",
    )
    parser.add_argument(
        "--at-least",
        type=float,
        metavar="RATIO",
        help="with --against: end with code 1 when a part's main rate is below RATIO times "
        "that of the revision (0.95, for example)",
    )
    parser.add_argument(
        "--out", type=Path, default=CACHE / "results", help="folder for SVG plots and JSON"
    )
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="print nothing but the JSON line"
    )
    given = parser.parse_args(arguments)
    if given.at_least is not None and given.against is None:
        parser.error("--at-least compares with a revision; name it by --against REV")
    return Options(
        parts=tuple(part for part in PARTS if not given.only or part in given.only),
        quick=given.quick,
        events=given.events,
        customers=given.customers,
        runs=given.runs,
        peers=tuple(name for name in given.peers.split(",") if name),
        out=given.out,
        as_json=given.as_json,
        against=given.against,
        at_least=given.at_least,
    )


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
