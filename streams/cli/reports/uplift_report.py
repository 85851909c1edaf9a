"""What `concierge uplift` prints: tables of arms and uplifts, the sample ratio, a plot, JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.evaluation.experiment import Comparison, Experiment
from models.evaluation.ledger import OVERALL
from models.evaluation.uplift_estimate import Rate, Uplift, conversion_rate
from schemas.symbols import ARMS
from streams.cli.reports.json_number import finite_or_none
from streams.cli.reports.uplift_plot import IntervalRow, interval_plot
from streams.core.money import format_minor


def print_report(
    console: Console,
    experiment: Experiment,
    found: list[Uplift],
    what: Comparison,
    currency: str,
    everything: bool,
) -> None:
    """Print the arms, the uplifts and whether customers were split as intended.

    Money is in `currency`. What has too little data is printed only with `everything`, except the
    overall uplift.
    """
    ledger = experiment.ledger
    if not ledger.settled:
        console.print("no decision is settled yet: attribution windows must end first")
        return
    first, last = (
        datetime.fromtimestamp(ms / 1000, UTC) for ms in (ledger.first_ms, ledger.last_ms)
    )
    console.print(
        f"{ledger.settled:,} decisions settled, made from {first:%Y-%m-%d %H:%M} to "
        f"{last:%Y-%m-%d %H:%M} UTC; each customer counts with their first"
    )
    console.print(_arms(experiment))
    rate = "spent each" if what.by_value else "converted"
    table = Table(
        *("of", what.arm, rate, what.without, rate, "uplift", "95 %, at every look", "conclusion"),
        title=f"Uplift of {what.arm} over {what.without}",
    )
    shown = [e for e in found if e.evaluable or everything or e.kind == "overall"]
    for each in shown:
        table.add_row(
            Text(f"{each.kind} {each.name}"),
            *_cells(each.treated, what.by_value, currency),
            *_cells(each.without, what.by_value, currency),
            *_uplift_cells(each),
            Text(conclusion(each), style="bold" if each.evaluable else "dim"),
        )
    console.print(table)
    if len(shown) < len(found):
        console.print(f"{len(found) - len(shown)} more have too little data yet (--all lists them)")
    for other, count in sorted(experiment.other_currencies.items()):
        console.print(
            f"{count:,} decisions led to orders in {other}: conversions count, their money is not "
            f"added to {currency}",
        )
    console.print(_split_line(experiment))


def _arms(experiment: Experiment) -> Table:
    table = Table("arm", "customers", "conversions", "rate", title="Arms")
    for arm in ARMS:
        rate = conversion_rate(experiment.ledger.sums(OVERALL, arm))
        shown = f"{rate.mean:.2%}" if rate.decisions else ""
        table.add_row(arm, f"{rate.decisions:,}", f"{rate.conversions:,}", shown)
    return table


def _cells(rate: Rate, by_value: bool, currency: str) -> tuple[str, str]:
    if not rate.decisions:
        return "0", ""
    mean = format_minor(rate.mean, currency) if by_value else f"{rate.mean:.2%}"
    return f"{rate.decisions:,}", mean


def _uplift_cells(each: Uplift) -> tuple[str, str]:
    if not each.evaluable:
        return "", ""
    found = each.relative
    return percent(found.value), f"{percent(found.low)} .. {percent(found.high)}"


def percent(share: float) -> str:
    """Return a signed share for people.

    >>> percent(0.123), percent(math.inf)
    ('+12.3 %', 'open')
    """
    return f"{share:+.1%}".replace("%", " %") if math.isfinite(share) else "open"


def conclusion(each: Uplift) -> str:
    """Return what an uplift shows, or why it shows nothing yet."""
    if not each.evaluable:
        return each.reason
    if not each.relative.excludes_zero:
        return "no difference yet"
    return "more" if each.relative.low > 0 else "less"


def _split_line(experiment: Experiment) -> Text:
    split = experiment.split
    if split is None:
        return Text(
            "sample ratio: the catalogue has no control group, so there is nothing to check"
        )
    total = sum(split.counts.values())
    counted = ", ".join(
        f"{arm} {count:,} of {total:,} customers ({share:.1%} intended)"
        for (arm, count), share in zip(split.counts.items(), split.shares.values(), strict=True)
    )
    if split.alarm:
        return Text(
            f"SAMPLE RATIO MISMATCH (p = {split.p_value:.1g}): {counted}. Customers are not "
            "assigned as intended; do not trust the uplift before the cause is found",
            style="bold red",
        )
    return Text(f"sample ratio: as intended (p = {split.p_value:.2g}): {counted}")


def plot(found: list[Uplift], what: Comparison) -> str:
    """Return the uplifts as an SVG chart of intervals."""
    rows = [
        IntervalRow(
            " ".join(filter(None, (each.kind, each.name))),
            each.relative.value,
            each.relative.low,
            each.relative.high,
            percent(each.relative.value) if each.evaluable else "too few yet",
        )
        for each in found
    ]
    of = "money spent" if what.by_value else "conversions"
    return interval_plot(
        f"Uplift of {what.arm} over {what.without}, by {of}",
        "95 % at every look; grey: cannot be distinguished from 0",
        rows,
        number=lambda share: f"{share:+.0%}",
    )


def as_json(experiment: Experiment, found: list[Uplift], currency: str) -> dict[str, Any]:
    """Return everything as one JSON value; a mean of money is in minor units of the currency."""
    ledger, split = experiment.ledger, experiment.split
    return {
        "currency": currency,
        "spent_in_other_currencies": experiment.other_currencies,
        "settled": ledger.settled,
        "repeated": experiment.repeated,
        "decided_from_ms": ledger.first_ms,
        "decided_to_ms": ledger.last_ms,
        "arms": {arm: _rate(conversion_rate(ledger.sums(OVERALL, arm))) for arm in ARMS},
        "srm": None
        if split is None
        else {"alarm": split.alarm, "p_value": split.p_value, "customers": split.counts},
        "uplift": [
            {
                "kind": each.kind,
                "name": each.name,
                "with": _rate(each.treated),
                "without": _rate(each.without),
                "uplift": finite_or_none(each.relative.value),
                "low": finite_or_none(each.relative.low),
                "high": finite_or_none(each.relative.high),
                "evaluable": each.evaluable,
                "reason": each.reason,
            }
            for each in found
        ],
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "customers": rate.decisions,
        "conversions": rate.conversions,
        "mean": finite_or_none(rate.mean),
    }
