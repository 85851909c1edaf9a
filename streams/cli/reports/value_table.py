"""The value of a policy by estimator, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from models.evaluation.estimators import ClipReport, Estimate
from models.evaluation.policy_value import PolicyValue
from streams.cli.reports.json_number import finite_or_none


def clip_sentence(report: ClipReport) -> str:
    """Return how many weights were clipped, and by how much, in one sentence."""
    return (
        f"{report.rows:,} weights above {report.threshold:g} were clipped (the largest was "
        f"{report.largest_weight:.1f}), which removed {report.weight_share:.1%} of all weight"
    )


def value_table(estimate: PolicyValue) -> Table:
    """Return value and gain by estimator, or why one cannot be evaluated."""
    table = Table(
        "estimator", "value", "gain", "95 %, at every look", "effective decisions", "clipped"
    )
    for name in ("ips", "snips", "dr"):
        gain = estimate.gains[name]
        if not gain.evaluable:
            table.add_row(name.upper(), Text(f"not evaluable: {gain.reason}", style="yellow"))
            continue
        table.add_row(
            name.upper(),
            f"{estimate.values[name].value:.4f}",
            f"{gain.value:+.4f}",
            f"{gain.low:+.4f} .. {gain.high:+.4f}",
            f"{gain.effective_samples:,.0f}",
            f"{gain.clipped_share:.2%}",
        )
    direct = estimate.gains["dm"]
    if direct.evaluable:
        table.add_row("direct method (DM)", f"{estimate.values['dm'].value:.4f}", "", "", "", "")
    return table


def value_as_json(estimate: PolicyValue) -> dict[str, Any]:
    """Return value and gain by estimator as one JSON value."""
    return {
        "settled": estimate.settled,
        "without_support": estimate.without_support,
        "logged": finite_or_none(estimate.logged_value),
        "clipped": None if estimate.clipped is None else asdict(estimate.clipped),
        "policies": {name: _estimate(found) for name, found in estimate.values.items()},
        "gain": {name: _estimate(found) for name, found in estimate.gains.items()},
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    return {
        "value": finite_or_none(found.value),
        "low": finite_or_none(found.low),
        "high": finite_or_none(found.high),
        "effective_samples": found.effective_samples,
        "clipped_share": found.clipped_share,
        "evaluable": found.evaluable,
        "reason": found.reason,
    }
