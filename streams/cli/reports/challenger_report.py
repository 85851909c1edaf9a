"""What `concierge challenger` prints: agreement, quality of predictions, value of the choices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.evaluation.confidence_sequences import Interval
from models.evaluation.policy_value import PolicyValue
from models.quality import Quality
from streams.analysis.challenger_tally import (
    ChallengerComparison,
    ChallengerComparisons,
    ForecastQuality,
)
from streams.analysis.settled_decisions import Outcomes
from streams.cli.reports.json_number import finite_or_none
from streams.cli.reports.value_table import clip_sentence, value_as_json, value_table

_MOST_CHANGES = 8


def print_report(console: Console, comparisons: ChallengerComparisons, outcomes: Outcomes) -> None:
    """Print every challenger of the log, for people."""
    for reason, count in comparisons.skipped.items():
        console.print(Text(f"{count:,} decisions left out: {reason}", style="yellow"))
    if not comparisons.by_name:
        console.print(
            "no decision had a challenger: name one in the catalogue (`challenger: "
            "careful`); it decides once its first version is published"
        )
    for name, comparison in comparisons.by_name.items():
        _print_comparison(console, name, comparisons.in_use[name], comparison, outcomes)


def _print_comparison(
    console: Console, name: str, in_use: str, comparison: ChallengerComparison, outcomes: Outcomes
) -> None:
    first, last = (
        datetime.fromtimestamp(ms / 1000, UTC) for ms in (comparison.first_ms, comparison.last_ms)
    )
    console.print(
        f"{name} beside {in_use}: {comparison.decisions:,} decisions "
        f"from {first:%Y-%m-%d %H:%M} to "
        f"{last:%Y-%m-%d %H:%M} UTC; the same choice with the same draw in "
        f"{comparison.same / comparison.decisions:.1%}; probability moved to other actions: "
        f"{comparison.moved / comparison.decisions:.1%}"
    )
    if comparison.changes:
        table = Table("was chosen", f"{name} would choose", "decisions", title="What differs")
        for (before, after), count in comparison.changes.most_common(_MOST_CHANGES):
            table.add_row(before, after, f"{count:,}")
        console.print(table)
    foresight, value = comparison.foresight(outcomes), comparison.worth(outcomes)
    if foresight is None:
        console.print("no outcome of these decisions is known yet")
        return
    console.print(_foresight(name, in_use, foresight))
    console.print(f"{name} {comparison_sentence(foresight.gain)}")
    if value is None:
        console.print("no value: no attribution window of these decisions is over yet")
        return
    _print_value(console, comparison, value)
    console.print(f"to let it take over: `learner: {name.partition('.')[2] or 'logistic'}`")


def _foresight(name: str, in_use: str, found: ForecastQuality) -> Table:
    table = Table(
        *("model", "outcomes", "log-loss", "AUC", "calibration error"),
        title="Predictions for the published actions, before the outcome was learned",
    )
    for model, quality in ((in_use, found.in_use), (name, found.challenger)):
        figures = (quality.log_loss(), quality.auc(), quality.calibration_error())
        shown = ("" if figure is None else f"{figure:.4f}" for figure in figures)
        table.add_row(model, f"{quality.lessons:,}", *shown)
    return table


def comparison_sentence(gain: Interval) -> str:
    """Return what a gain in log-loss (in use less challenger, in nats) shows.

    >>> comparison_sentence(Interval(0.01, 0.005, 0.015))
    'predicts better: its log-loss differs by -0.0100 an outcome (-0.0150 .. -0.0050 at every look)'
    """
    verdict = "shows no difference yet"
    if gain.excludes_zero:
        verdict = "predicts better" if gain.low > 0 else "predicts worse"
    ends = f"{-gain.high:+.4f} .. {-gain.low:+.4f}"
    return (
        f"{verdict}: its log-loss differs by {-gain.value:+.4f} an outcome ({ends} at every look)"
    )


def _print_value(console: Console, comparison: ChallengerComparison, value: PolicyValue) -> None:
    evaluated = value.settled - value.without_support
    console.print(
        f"value per decision of its choices in {comparison.currency}, over {evaluated:,} settled "
        "decisions of the treated; "
        f"they earned {value.logged_value:.4f} (no_action counts 0)"
    )
    console.print(value_table(value))
    if value.clipped is not None and value.clipped.rows:
        console.print(clip_sentence(value.clipped))
    if comparison.not_settled:
        console.print(
            f"{comparison.not_settled:,} decisions are outside the time span in which everything "
            "is settled"
        )
    if comparison.lost:
        console.print(f"{comparison.lost:,} published decisions were never settled")


def as_json(comparisons: ChallengerComparisons, outcomes: Outcomes) -> dict[str, Any]:
    """Return everything as one JSON value."""
    return {
        "unchallenged": comparisons.unchallenged,
        "skipped": dict(comparisons.skipped),
        "challengers": {
            name: _comparison_as_json(comparison, outcomes) | {"in_use": comparisons.in_use[name]}
            for name, comparison in comparisons.by_name.items()
        },
    }


def _comparison_as_json(comparison: ChallengerComparison, outcomes: Outcomes) -> dict[str, Any]:
    foresight, value = comparison.foresight(outcomes), comparison.worth(outcomes)
    return {
        "decisions": comparison.decisions,
        "match_rate": comparison.same / comparison.decisions,
        "moved_probability": comparison.moved / comparison.decisions,
        "changes": [
            {"from": before, "to": after, "decisions": count}
            for (before, after), count in comparison.changes.most_common()
        ],
        "progressive": None
        if foresight is None
        else {
            "in_use": _quality(foresight.in_use),
            "challenger": _quality(foresight.challenger),
            "log_loss_gain": [finite_or_none(end) for end in _ends(foresight.gain)],
        },
        "value": None if value is None else value_as_json(value),
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
