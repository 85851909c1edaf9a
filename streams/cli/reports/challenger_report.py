"""What `concierge challenger` shows: how often it agrees, how well it foresees, its worth."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.evaluation.confidence_sequences import Interval
from models.evaluation.policy_value import Counterfactual
from models.quality import Quality
from streams.analysis.challenger_tally import Bout, Bouts, Foresight
from streams.analysis.settled_decisions import Outcomes
from streams.cli.reports.value_table import public_worth, says_clipped, worth_table

_MOST_CHANGES = 8


def print_report(console: Console, bouts: Bouts, outcomes: Outcomes) -> None:
    """Print every challenger of the log, for people."""
    for reason, count in bouts.skipped.items():
        console.print(Text(f"{count:,} decisions left out: {reason}", style="yellow"))
    if not bouts.by_name:
        console.print(
            "no decision had a challenger beside it: name one in the catalogue (`challenger: "
            "careful`); it decides once its first version is published"
        )
    for name, bout in bouts.by_name.items():
        _print_bout(console, name, bouts.in_use[name], bout, outcomes)


def _print_bout(console: Console, name: str, in_use: str, bout: Bout, outcomes: Outcomes) -> None:
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (bout.first_ms, bout.last_ms))
    console.print(
        f"{name} beside {in_use}: {bout.decisions:,} decisions from {first:%Y-%m-%d %H:%M} to "
        f"{last:%Y-%m-%d %H:%M} UTC; the same choice with the same draw in "
        f"{bout.same / bout.decisions:.1%}; probability that moves: "
        f"{bout.moved / bout.decisions:.1%}"
    )
    if bout.changes:
        table = Table("was chosen", f"{name} would choose", "decisions", title="What differs")
        for (before, after), count in bout.changes.most_common(_MOST_CHANGES):
            table.add_row(before, after, f"{count:,}")
        console.print(table)
    foresight, worth = bout.foresight(outcomes), bout.worth(outcomes)
    if foresight is None:
        console.print("no outcome of these decisions is known yet")
        return
    console.print(_foresight(name, in_use, foresight))
    console.print(f"{name} {says(foresight.gain)}")
    if worth is None:
        console.print("no value: no attribution window of these decisions is over yet")
        return
    _print_worth(console, bout, worth)
    console.print(f"to let it take over: `learner: {name.partition('.')[2] or 'logistic'}`")


def _foresight(name: str, in_use: str, found: Foresight) -> Table:
    table = Table(
        *("model", "outcomes", "log-loss", "AUC", "calibration error"),
        title="What each foresaw of the published actions, before it learned the outcome",
    )
    for model, quality in ((in_use, found.in_use), (name, found.challenger)):
        figures = (quality.log_loss(), quality.auc(), quality.calibration_error())
        shown = ("" if figure is None else f"{figure:.4f}" for figure in figures)
        table.add_row(model, f"{quality.lessons:,}", *shown)
    return table


def says(gain: Interval) -> str:
    """Return what a gain in log-loss (in use less challenger) lets one claim.

    >>> says(Interval(0.01, 0.005, 0.015))
    'foresees better: its log-loss differs by -0.0100 an outcome (-0.0150 .. -0.0050 at every look)'
    """
    verdict = "is not told apart yet"
    if gain.excludes_zero:
        verdict = "foresees better" if gain.low > 0 else "foresees worse"
    ends = f"{-gain.high:+.4f} .. {-gain.low:+.4f}"
    return (
        f"{verdict}: its log-loss differs by {-gain.value:+.4f} an outcome ({ends} at every look)"
    )


def _print_worth(console: Console, bout: Bout, worth: Counterfactual) -> None:
    evaluated = worth.settled - worth.without_support
    console.print(
        f"value per decision of its choices in {bout.currency}, over {evaluated:,} settled "
        "decisions of the treated; "
        f"they earned {worth.logged_value:.4f} (silence counts 0)"
    )
    console.print(worth_table(worth))
    if worth.clipped is not None and worth.clipped.rows:
        console.print(says_clipped(worth.clipped))
    if bout.not_settled:
        console.print(f"{bout.not_settled:,} decisions lie outside the time that is wholly settled")
    if bout.lost:
        console.print(f"{bout.lost:,} published decisions were never settled")


def public(bouts: Bouts, outcomes: Outcomes) -> dict[str, Any]:
    """Return everything as one JSON value."""
    return {
        "unchallenged": bouts.unchallenged,
        "skipped": dict(bouts.skipped),
        "challengers": {
            name: _public_bout(bout, outcomes) | {"in_use": bouts.in_use[name]}
            for name, bout in bouts.by_name.items()
        },
    }


def _public_bout(bout: Bout, outcomes: Outcomes) -> dict[str, Any]:
    foresight, worth = bout.foresight(outcomes), bout.worth(outcomes)
    return {
        "decisions": bout.decisions,
        "match_rate": bout.same / bout.decisions,
        "moved_probability": bout.moved / bout.decisions,
        "changes": [
            {"from": before, "to": after, "decisions": count}
            for (before, after), count in bout.changes.most_common()
        ],
        "progressive": None
        if foresight is None
        else {
            "in_use": _quality(foresight.in_use),
            "challenger": _quality(foresight.challenger),
            "log_loss_gain": [_finite(end) for end in _ends(foresight.gain)],
        },
        "value": None if worth is None else public_worth(worth),
    }


def _quality(quality: Quality) -> dict[str, Any]:
    return {
        "outcomes": quality.lessons,
        "log_loss": quality.log_loss(),
        "auc": quality.auc(),
        "calibration_error": quality.calibration_error(),
    }


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
