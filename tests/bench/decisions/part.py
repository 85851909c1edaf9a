"""What deciding must show, in tables: drift, a newcomer, exact odds, variety, and the cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console

from tests.bench.decisions.chances import family_entropy, match
from tests.bench.decisions.cost import costs
from tests.bench.decisions.newcomer import RAMP, arrive
from tests.bench.decisions.tastes import live, recovered_after
from tests.bench.options import Options
from tests.bench.report import Found, Sheet, thousands

_DECISIONS, _QUICK_DECISIONS = 14_000, 8_000
_SEEDS, _QUICK_SEEDS = 20, 4
# A normal distribution's 95 %.
_SIGMAS = 1.96


def decisions(options: Options, console: Console) -> Found:
    """Simulate customers (all seeded) and measure what a decision costs."""
    numbers: dict[str, Any] = {}
    sheets = []
    for name, step in (
        ("changed_tastes", _tastes),
        ("newcomer", _newcomer),
        ("odds", _odds),
        ("cost", _cost),
    ):
        numbers[name], sheet = step(options)
        sheets.append(sheet)
        console.print(f"{name} done", highlight=False)
    return Found("decisions", numbers, sheets)


def _tastes(options: Options) -> tuple[dict[str, Any], Sheet]:
    count = options.size(options.events, _DECISIONS, _QUICK_DECISIONS)
    seeds = range(options.size(options.runs, _SEEDS, _QUICK_SEEDS))
    middle = count // 2
    lives = {w: [live(seed, count, watched=w) for seed in seeds] for w in (False, True)}
    spans = {
        "first 500": slice(0, 500),
        "before the change": slice(middle - 1_000, middle),
        "500 after it": slice(middle, middle + 500),
        "last 1,000": slice(count - 1_000, count),
        "all after it": slice(middle, count),
    }
    means = {
        name: {w: np.array([x.regrets[span].mean() for x in lives[w]]) for w in lives}
        for name, span in spans.items()
    }
    back = {w: np.array([recovered_after(x.regrets) for x in lives[w]], float) for w in lives}
    early = sum(drift < middle for x in lives[True] for drift in x.drifts)
    means["decisions until 70 % is made good"] = back
    rows = [
        (name, _shown(each[False]), _shown(each[True]), _shown(each[True] - each[False]))
        for name, each in means.items()
    ]
    sheet = Sheet(
        f"Regret a decision; tastes change after {thousands(middle)} of {thousands(count)}",
        ("decisions", "drift unnoticed", "drift handled", "difference"),
        rows,
        [f"{len(seeds)} seeds, 95 % intervals of the mean; {early} false alarms before the change"],
    )
    numbers = {
        name: {"unnoticed": _mean(each[False]), "handled": _mean(each[True])}
        for name, each in means.items()
    }
    return {**numbers, "false_alarms": early}, sheet


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return round(float(values.mean()), 4)


def _shown(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    half = _SIGMAS * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    digits = 0 if abs(values.mean()) > 20 else 4
    return f"{values.mean():,.{digits}f} ± {half:,.{digits}f}"


def _newcomer(options: Options) -> tuple[dict[str, Any], Sheet]:
    waves = 12 if options.quick else 40
    ramped, at_once = arrive(1, 4, waves, RAMP), arrive(1, 4, waves, "")
    rows = [
        (
            f"{(number + 1) * 400:,}",
            f"{step.lessons:,}",
            f"{step.ratio:.1%}",
            f"{step.reached:.1%}",
            f"{step.shown:.1%}",
            f"{at_once[number].shown:.1%}",
        )
        for number, step in enumerate(ramped)
        if number % (2 if number < 16 else 6) == 0
    ]
    exceeded = sum(step.beyond or step.expelled for step in ramped)
    sheet = Sheet(
        "A better action is added to four that are known",
        ("decisions", "its lessons", "ramp", "reached so far", "shown", "shown without a ramp"),
        rows,
        [f"waves in which somebody beyond the ramp got it, or lost it again: {exceeded}"],
    )
    last = {"ramped": ramped[-5:], "at_once": at_once[-5:]}
    share = {name: round(sum(s.shown for s in steps) / 5, 4) for name, steps in last.items()}
    return {"exceeded": exceeded, "share": share}, sheet


def _odds(options: Options) -> tuple[dict[str, Any], Sheet]:
    found = match(24, 100 if options.quick else 1_000)
    entropies = {str(floor): round(family_entropy(floor, 200), 3) for floor in (0.0, 0.1, 0.2, 0.3)}
    rows = [
        ("draws compared with what was logged", thousands(found.draws)),
        ("chi-square, deviations from its mean", f"{found.deviations:.2f}"),
        ("least probability of a candidate", f"{found.least:.4f}"),
        *((f"bits of family entropy, discovery {k}", str(v)) for k, v in entropies.items()),
    ]
    sheet = Sheet("Odds under ramp, floor, discovery and drift_boost", ("what", "found"), rows)
    return {"deviations": found.deviations, "least": found.least, "entropy": entropies}, sheet


def _cost(options: Options) -> tuple[dict[str, Any], Sheet]:
    waves = (1, 16, 256, 1_000)
    sizes = (20, 100, 1_000)
    found = costs(sizes, waves, 400 if options.quick else 1_000)
    by_size = {size: {c.wave: c.us for c in found if c.actions == size} for size in sizes}
    rows = [
        (f"{size:,} actions", *(f"{us:,.0f}" for us in each.values()))
        for size, each in by_size.items()
    ]
    sheet = Sheet(
        "Microseconds of processor time a decision, records included",
        ("", *(f"waves of {wave:,}" for wave in waves)),
        rows,
    )
    return {
        str(k): {str(w): round(us, 1) for w, us in v.items()} for k, v in by_size.items()
    }, sheet
